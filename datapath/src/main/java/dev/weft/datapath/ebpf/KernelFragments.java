package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.base.HotPath;
import dev.weft.base.NanoClock;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.ebpf.Layout.FirstFragment;
import dev.weft.datapath.ebpf.Layout.Fragmented;
import dev.weft.datapath.soft.FirstFragments;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Packet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;

/** Asks the kernel's {@code fragments} what a later fragment's first one had. Not thread safe: one worker's. */
@HotPath
final class KernelFragments {
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(FirstFragment.KEPT_SECONDS);

    private final BpfMap map;
    private final NanoClock clock;
    private final MemorySegment key;
    private final MemorySegment value;

    KernelFragments(BpfMap map, NanoClock clock, Arena arena) {
        this.map = map;
        this.clock = clock;
        key = arena.allocate(Fragmented.SIZE, 8);
        value = arena.allocate(FirstFragment.SIZE, 8);
    }

    void complete(Packet packet) {
        FlowKey flowKey = packet.key;
        if (flowKey.fragment() != FlowKey.LATER_FRAGMENT) {
            return;
        }
        key.set(JAVA_LONG, Fragmented.INGRESS, flowKey.word(0));
        key.set(JAVA_LONG, Fragmented.SRC_HIGH, flowKey.srcHigh());
        key.set(JAVA_LONG, Fragmented.SRC_LOW, flowKey.srcLow());
        key.set(JAVA_LONG, Fragmented.DST_HIGH, flowKey.dstHigh());
        key.set(JAVA_LONG, Fragmented.DST_LOW, flowKey.dstLow());
        putId(packet);
        key.set(JAVA_INT, Fragmented.PROTOCOL, flowKey.protocol());
        if (map.lookup(key.address(), value.address()) == 0
                && clock.nanoTime() - value.get(JAVA_LONG, FirstFragment.SEEN) <= KEPT_NANOS) {
            FirstFragments.complete(flowKey, value.get(JAVA_INT, FirstFragment.L4));
        }
    }

    /** As it is in the packet: 16 bits of IPv4 or 32 of IPv6, in network order. */
    private void putId(Packet packet) {
        key.set(JAVA_INT, Fragmented.ID, 0);
        if (packet.key.etherType() == Ethernet.IPV4) {
            key.set(JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), Fragmented.ID, (short) packet.fragmentId);
        } else {
            key.set(JAVA_INT.withOrder(ByteOrder.BIG_ENDIAN), Fragmented.ID, packet.fragmentId);
        }
    }
}
