package dev.weft.sim.flow;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Quote;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.sal.SalKey;
import dev.weft.state.ConnectionHash;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Which worker a frame belongs to as it enters the host: {@code H(tuple) mod workers}, the same for both directions of
 * a connection.
 *
 * <pre>
 * TCP, UDP             addresses, protocol, ports
 * ICMP(v6) echo        addresses, protocol, the id as both ports
 * ICMP(v6) error       the tuple of the packet it quotes; unreadable: as other IP
 * Serval               addresses, protocol 144, the flow ids as ports: id ^ id >> 16, the low 16 bits of it
 * other ICMP, other IP addresses and protocol
 * fragments, all       addresses and protocol, since later ones have no ports
 * state frames, no tag  the 32 bits behind the ethertype (0x88b5), which their sender took from the connection
 * all else             the two MACs
 * </pre>
 *
 * <p>Serval is IPv4 of protocol 144, not a fragment, with 12 octets at least behind the IP header; the source flow id is
 * octets 0 to 3 of them, the destination flow id 4 to 7. Both directions of an established connection meet in one
 * place; a SYN, sent to where its service is looked up, and its answer do not. Records of connections have no flow ids: a
 * worker that needs one hands the packet over, to the home of addresses and protocol. Encapsulated, it is UDP like any other.
 */
@HotPath
public final class FlowHome {
    private static final ValueLayout.OfInt BE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;

    private FlowHome() {}

    /** The home among {@code workers} of a parsed frame. */
    public static int of(Packet packet, int workers) {
        return ConnectionHash.home(hash(packet), workers);
    }

    /** The worker that decides about a parsed frame: its home, or of a fragment that of the connection. */
    public static int ofDecision(Packet packet, int workers) {
        return packet.key.fragment() == FlowKey.NOT_FRAGMENT
                ? of(packet, workers)
                : ConnectionHash.home(ofWhole(packet.key), workers);
    }

    /** The hash of a parsed frame; any of 2^32 values. */
    public static int hash(Packet packet) {
        FlowKey key = packet.key;
        int etherType = key.etherType();
        if (etherType == Ethernet.IPV4 || etherType == Ethernet.IPV6) {
            return packet.quote.present ? ofQuote(packet.quote) : ofIp(packet);
        }
        if (etherType == Ethernet.STATE && key.vlanTci() == 0 && packet.length >= Ethernet.LENGTH + Integer.BYTES) {
            return packet.segment.get(BE_INT, packet.offset + Ethernet.LENGTH);
        }
        return ConnectionHash.of(0, key.srcMac(), 0, key.dstMac(), 0, 0, 0);
    }

    /** The hash of an IP packet's whole tuple, also of a fragment whose key has the ports of its first one. */
    public static int ofWhole(FlowKey key) {
        boolean icmp = key.protocol() == ICMP || key.protocol() == ICMPV6;
        return ConnectionHash.of(
                key.srcHigh(),
                key.srcLow(),
                key.dstHigh(),
                key.dstLow(),
                key.protocol(),
                icmp ? key.icmpId() : key.l4Src(),
                icmp ? key.icmpId() : key.l4Dst());
    }

    private static int ofIp(Packet packet) {
        FlowKey key = packet.key;
        if (hasFlows(packet)) {
            long sal = packet.offset + packet.l4Offset;
            return ofFlows(
                    key.srcHigh(),
                    key.srcLow(),
                    key.dstHigh(),
                    key.dstLow(),
                    SalHeader.srcFlow(packet.segment, sal),
                    SalHeader.dstFlow(packet.segment, sal));
        }
        return ofTuple(
                key.srcHigh(),
                key.srcLow(),
                key.dstHigh(),
                key.dstLow(),
                key.protocol(),
                key.fragment(),
                key.l4Src(),
                key.l4Dst(),
                key.icmpId());
    }

    /** Also of a malformed one: its home must not depend on what the kernel does not look at. */
    private static boolean hasFlows(Packet packet) {
        FlowKey key = packet.key;
        return key.protocol() == SalHeader.IP_PROTOCOL
                && key.etherType() == Ethernet.IPV4
                && key.fragment() == FlowKey.NOT_FRAGMENT
                && packet.l3End - packet.l4Offset >= SalHeader.LENGTH;
    }

    private static int ofFlows(long srcHigh, long srcLow, long dstHigh, long dstLow, int srcFlow, int dstFlow) {
        return ConnectionHash.of(
                srcHigh, srcLow, dstHigh, dstLow, SalHeader.IP_PROTOCOL, SalKey.fold(srcFlow), SalKey.fold(dstFlow));
    }

    private static int ofQuote(Quote quote) {
        if ((quote.srcFlow | quote.dstFlow) != 0) {
            return ofFlows(quote.srcHigh, quote.srcLow, quote.dstHigh, quote.dstLow, quote.srcFlow, quote.dstFlow);
        }
        return ofTuple(
                quote.srcHigh,
                quote.srcLow,
                quote.dstHigh,
                quote.dstLow,
                quote.protocol,
                quote.fragment,
                quote.l4Src,
                quote.l4Dst,
                quote.icmpId);
    }

    private static int ofTuple(
            long srcHigh,
            long srcLow,
            long dstHigh,
            long dstLow,
            int protocol,
            int fragment,
            int l4Src,
            int l4Dst,
            int icmpId) {
        if (fragment != FlowKey.NOT_FRAGMENT) {
            return ConnectionHash.of(srcHigh, srcLow, dstHigh, dstLow, protocol, 0, 0);
        }
        // Type and code of ICMP are no ports: a request and its reply differ in them.
        boolean icmp = protocol == ICMP || protocol == ICMPV6;
        return ConnectionHash.of(
                srcHigh, srcLow, dstHigh, dstLow, protocol, icmp ? icmpId : l4Src, icmp ? icmpId : l4Dst);
    }
}
