package dev.weft.sim;

import dev.weft.base.HotPath;

/**
 * What the security groups of a port let through. Immutable.
 *
 * @param fromVm index of the chain for what the VM sends; {@link CompiledChain#NONE} lets everything pass
 * @param toVm index of the chain for what is sent to it
 * @param stateful whether answers pass without a rule
 */
@HotPath
record Guard(int fromVm, int toVm, boolean stateful) {
    static final Guard NONE = new Guard(CompiledChain.NONE, CompiledChain.NONE, false);

    /** Whether what came in by the port may go on. */
    boolean lets(Simulation sim, Port port) {
        return sim.chains.passes(fromVm, port.index, Port.NONE, DropReason.SECURITY_GROUP);
    }

    /**
     * Whether the packet may leave by the port, to its VM. What a rule lets in is tracked, so that its answers may leave.
     */
    boolean admits(Simulation sim, Port port, int in) {
        if (toVm == CompiledChain.NONE || stateful && sim.gate.admits(sim, port)) {
            return true;
        }
        if (!sim.chains.passes(toVm, in, port.index, DropReason.SECURITY_GROUP)) {
            return false;
        }
        if (stateful) {
            sim.tracking.state(sim);
        }
        return true;
    }
}
