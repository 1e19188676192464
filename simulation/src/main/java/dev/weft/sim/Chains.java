package dev.weft.sim;

import dev.weft.base.HotPath;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** All chains of a network, compiled, by dense index; those that are part of another have none of their own. */
final class Chains {
    static final Chains EMPTY = new Chains(Map.of(), Groups.EMPTY, Map.of(), new CompiledChain[0]);

    final Map<UUID, Integer> indices;
    final Groups groups;
    /** By id, for the next compile to take over. */
    final Map<String, ChainRules> rules;

    private final @Nullable CompiledChain[] chains;
    private final boolean[] asking;
    /** Whether any of them asks how far a TCP connection is. */
    final boolean askForPhase;

    Chains(Map<UUID, Integer> indices, Groups groups, Map<String, ChainRules> rules, @Nullable CompiledChain[] chains) {
        this.indices = indices;
        this.groups = groups;
        this.rules = rules;
        this.chains = chains;
        askForPhase = Arrays.stream(chains).anyMatch(chain -> chain != null && chain.asksForPhase);
        asking = new boolean[chains.length];
        boolean more = true;
        while (more) {
            more = false;
            for (int i = 0; i < chains.length; i++) {
                if (!asking[i] && findAsking(chains[i])) {
                    asking[i] = true;
                    more = true;
                }
            }
        }
    }

    /** Or one that it jumps to, as far as is known by now. */
    private boolean findAsking(@Nullable CompiledChain chain) {
        if (chain == null || chain.asks) {
            return chain != null;
        }
        for (int target : chain.jumps) {
            if (asking[target]) {
                return true;
            }
        }
        return false;
    }

    /** Whether the chain, or one that it leads to, asks for the connection that a packet belongs to. */
    @HotPath
    boolean isAsking(int index) {
        return index >= 0 && index < asking.length && asking[index];
    }

    @HotPath
    @Nullable
    CompiledChain chain(int index) {
        return index >= 0 && index < chains.length ? chains[index] : null;
    }

    int limit() {
        return chains.length;
    }
}
