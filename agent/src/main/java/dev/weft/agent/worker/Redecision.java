package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.DropReason;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/**
 * Decides connections again after the network has changed: one whose forward packets would be dropped now ends, so that
 * its answers are no longer let in either. A few at a time, between packets. Not thread safe: touched only by its worker
 * thread.
 */
@HotPath
final class Redecision {
    private static final int AT_ONCE = 64;
    /** Enough for the longest headers that a simulation looks into. */
    private static final int FRAME_BYTES = 128;

    private static final int L3 = Ethernet.LENGTH;
    private static final int TTL = 64;

    // Immutable after construction.
    private final ConnectionTable table;
    private final Tables tables;
    private final Simulator simulator;
    private final Connections connections;
    // Owned by the worker thread.
    private final MemorySegment frame;
    private final Connection connection = new Connection();
    private final Packet packet = new Packet();
    private final Outcome outcome = new Outcome();
    private int next;

    Redecision(Tables tables, Simulator simulator, Connections connections, Arena arena) {
        this.tables = tables;
        this.simulator = simulator;
        this.connections = connections;
        table = tables.connections();
        next = table.capacity();
        frame = arena.allocate(FRAME_BYTES, Long.BYTES);
    }

    /** From the first on; what is under way begins anew. */
    void begin() {
        next = 0;
    }

    /** Returns how many there were to look at. */
    int doWork(long nowNanos) {
        int looked = 0;
        while (looked < AT_ONCE && next < table.capacity()) {
            int slot = next++;
            if (table.isUsed(slot) && table.isOwner(slot)) {
                looked++;
                decide(slot, nowNanos);
            }
        }
        return looked;
    }

    private void decide(int slot, long nowNanos) {
        table.read(slot, connection);
        VirtualNetwork network = simulator.network();
        int port = network.portIndex(new UUID(connection.portHigh(), connection.portLow()));
        if (!network.hasPort(port)) {
            connections.end(slot);
            return;
        }
        if (tables.localPort(port) == Tables.NONE) {
            return; // its packets enter elsewhere now, and are decided there
        }
        fill(tables.localPort(port));
        simulator.simulate(packet, port, nowNanos, outcome);
        DropReason why = outcome.dropReason();
        if (why != null && why.isPolicy()) {
            connections.end(slot);
        }
    }

    private void fill(int datapathPort) {
        ConnectionKey tuple = connection.forward;
        boolean v4 = IpAddress.isV4(tuple.srcHigh(), tuple.srcLow());
        boolean icmp = tuple.protocol() == (v4 ? Ipv4.ICMP : Ipv6.ICMPV6);
        int request = v4 ? Icmp.ECHO_REQUEST : Icmpv6.ECHO_REQUEST;
        packet.wrap(frame, 0, FRAME_BYTES);
        packet.l3Offset = L3;
        packet.l4Offset = L3 + (v4 ? Ipv4.LENGTH : Ipv6.LENGTH);
        packet.l3End = FRAME_BYTES;
        packet.ttl = TTL;
        FlowKey key = packet.key;
        key.clear();
        key.setIngress(datapathPort, 0);
        key.setSrcMac(connection.srcMac());
        key.setDstMac(connection.dstMac());
        key.setEtherType(v4 ? Ethernet.IPV4 : Ethernet.IPV6);
        key.setVlanTci(connection.vlanTci());
        key.setSrc(tuple.srcHigh(), tuple.srcLow());
        key.setDst(tuple.dstHigh(), tuple.dstLow());
        key.setTransport(
                tuple.protocol(),
                0,
                FlowKey.NOT_FRAGMENT,
                0,
                icmp ? request : tuple.srcPort(),
                icmp ? 0 : tuple.dstPort());
        key.setIcmpId(icmp ? tuple.srcPort() : 0);
    }
}
