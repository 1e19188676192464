package dev.weft.datapath;

import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;

/** One installed flow, copied. {@code worker} is -1 for one that survived and is nobody's yet. {@code lastUsedNanos} is on the datapath's clock; 0 when never used. */
public record FlowDump(
        int worker,
        long flowId,
        FlowKey key,
        FlowMask mask,
        ActionList actions,
        long packets,
        long bytes,
        long lastUsedNanos) {}
