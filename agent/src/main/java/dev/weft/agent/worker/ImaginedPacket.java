package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;
import dev.weft.state.ConnectionKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A packet that nobody has sent, made of what is known of a connection, to be simulated: whole, without options or
 * payload, of an echo the request. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class ImaginedPacket {
    /** Enough for the longest headers that a simulation looks into. */
    private static final int FRAME_BYTES = 128;

    private static final int L3 = Ethernet.LENGTH;
    private static final int TTL = 64;

    final Packet packet = new Packet();
    private final MemorySegment frame;

    ImaginedPacket(Arena arena) {
        frame = arena.allocate(FRAME_BYTES, Long.BYTES);
    }

    /** @param vlanTci in the form of {@link FlowKey#vlanTci} */
    void fill(ConnectionKey tuple, int datapathPort, long srcMac, long dstMac, int vlanTci) {
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
        key.setSrcMac(srcMac);
        key.setDstMac(dstMac);
        key.setEtherType(v4 ? Ethernet.IPV4 : Ethernet.IPV6);
        key.setVlanTci(vlanTci);
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
