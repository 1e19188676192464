package dev.weft.agent.worker;

import dev.weft.base.IpAddress;
import dev.weft.base.NanoClock;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.PacketWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.IntHashSet;

/**
 * Keeps the flows of floods that come to this host in the cache before the first flood does: the ingress decides, the
 * egress only delivers. One worker does it for each bridge; the flow answers for all. Floods that come
 * with tags have flows for the first few VLANs that trunk ports name; the others pay for their first frame. Not thread safe: touched only by
 * its worker thread.
 */
final class FloodFlows {
    private static final int MAX_SAMPLE = 128;
    private static final int UNTAGGED = 0;
    private static final int ICMPV6_TYPE_AT = Ethernet.LENGTH + Ipv6.LENGTH;
    /** Listener reports (RFC 2710, RFC 3810), router and neighbour discovery (RFC 4861). */
    private static final byte[] ICMPV6_GROUP_TYPES = {
        (byte) 131, (byte) 132, (byte) 133, (byte) 135, (byte) 136, (byte) 143
    };

    private static final long VM_MAC = 0x0200_0000_0001L;
    // Link-local addresses (RFC 3927, RFC 4291 section 2.5.6): nobody's, since only the kind of frame matters.
    private static final IpAddress SENDER = IpAddress.parse("fe80::1");
    private static final IpAddress TARGET = IpAddress.parse("fe80::2");
    private static final int SENDER_V4 = 0xa9fe_0001;
    private static final int TARGET_V4 = 0xa9fe_0002;

    // Immutable after construction.
    private final int index;
    private final int workers;
    private final Tables tables;
    private final Simulator simulator;
    private final Flows flows;
    private final NanoClock clock;
    private final Outcome outcome = new Outcome();
    private final Packet packet = new Packet();
    private final List<MemorySegment> samples = samples();
    // Owned by the worker thread.
    private final IntHashSet keys = new IntHashSet();
    private boolean stale;

    FloodFlows(WorkerParts parts) {
        index = parts.index;
        workers = parts.workers;
        tables = parts.tables;
        simulator = parts.simulator;
        flows = parts.flows;
        clock = parts.clock;
    }

    /** @param key {@link Tables#NONE} for none any more */
    void setKey(int bridge, int vlan, int key) {
        int before = tables.floodKey(bridge, vlan);
        if (!tables.setFloodKey(bridge, vlan, key)) {
            return;
        }
        if (bridge % workers == index) {
            keys.remove(before);
            if (key != Tables.NONE) {
                keys.add(key);
            }
        }
        stale = true;
    }

    /** Flows may have gone: they are made again when the commands at hand are done. */
    void refresh() {
        stale = true;
    }

    void install() {
        if (!stale) {
            return;
        }
        stale = false;
        keys.forEach(this::install);
    }

    private void install(int key) {
        int bridge = tables.bridgeOfFloodKey(key);
        int vlan = tables.vlanOfFloodKey(key);
        install(bridge, vlan, key, UNTAGGED);
        if (vlan == UNTAGGED && simulator.network().hasBridge(bridge)) {
            for (int tag : simulator.network().trunkVlans(bridge)) {
                install(bridge, vlan, key, FlowKey.VLAN_PRESENT | tag);
            }
        }
    }

    private void install(int bridge, int vlan, int key, int tci) {
        long now = clock.nanoTime();
        for (MemorySegment sample : samples) {
            packet.wrap(sample, 0, (int) sample.byteSize());
            if (PacketParser.parse(packet) != Malformed.OK) {
                throw new IllegalStateException(
                        "a sample frame is malformed (expected an ARP request, a solicitation)");
            }
            packet.key.setIngress(FlowKey.TUNNEL_PORT, key);
            packet.key.setVlanTci(tci); // only the key counts
            simulator.simulateFlood(packet, bridge, vlan, now, outcome);
            if (outcome.cacheable()) {
                flows.install(packet.key, outcome, Connections.NOBODY, now);
            }
        }
    }

    /** What a stateful port tells apart among the frames that every VM's kernel floods. */
    private static List<MemorySegment> samples() {
        var frames = new ArrayList<MemorySegment>();
        frames.add(arpRequest());
        for (byte type : ICMPV6_GROUP_TYPES) {
            MemorySegment frame = neighbourSolicitation();
            frame.set(ValueLayout.JAVA_BYTE, ICMPV6_TYPE_AT, type);
            frames.add(frame);
        }
        return frames;
    }

    private static MemorySegment arpRequest() {
        MemorySegment frame = MemorySegment.ofArray(new byte[MAX_SAMPLE]);
        return frame.asSlice(0, PacketWriter.arpRequest(frame, 0, VM_MAC, SENDER_V4, TARGET_V4));
    }

    private static MemorySegment neighbourSolicitation() {
        MemorySegment frame = MemorySegment.ofArray(new byte[MAX_SAMPLE]);
        return frame.asSlice(
                0,
                PacketWriter.neighbourSolicitation(
                        frame, 0, VM_MAC, SENDER.high(), SENDER.low(), TARGET.high(), TARGET.low()));
    }
}
