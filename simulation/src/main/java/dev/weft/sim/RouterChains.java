package dev.weft.sim;

import dev.weft.base.HotPath;

/** The chains of a router, by index, in the order they are consulted: two before routing, two after. */
@HotPath
record RouterChains(int localRedirect, int inbound, int forward, int outbound) {
    boolean hasAnyBeforeRouting() {
        return localRedirect != CompiledChain.NONE || inbound != CompiledChain.NONE;
    }

    boolean passBeforeRouting(Simulation sim, Port in) {
        return sim.chains.passes(localRedirect, in.index, CompiledChain.NONE)
                && sim.chains.passes(inbound, in.index, CompiledChain.NONE);
    }

    boolean passAfterRouting(Simulation sim, Port in, Port out) {
        return sim.chains.passes(forward, in.index, out.index) && sim.chains.passes(outbound, in.index, out.index);
    }
}
