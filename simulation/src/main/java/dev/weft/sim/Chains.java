package dev.weft.sim;

import dev.weft.base.HotPath;
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

    Chains(Map<UUID, Integer> indices, Groups groups, Map<String, ChainRules> rules, @Nullable CompiledChain[] chains) {
        this.indices = indices;
        this.groups = groups;
        this.rules = rules;
        this.chains = chains;
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
