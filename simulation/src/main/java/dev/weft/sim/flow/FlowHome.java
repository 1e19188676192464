package dev.weft.sim.flow;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Quote;
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
 * other ICMP, other IP addresses and protocol
 * fragments, all       addresses and protocol, since later ones have no ports
 * state frames, no tag  the 32 bits behind the ethertype (0x88b5), which their sender took from the connection
 * all else             the two MACs
 * </pre>
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

    /** The hash of a parsed frame; any of 2^32 values. */
    public static int hash(Packet packet) {
        FlowKey key = packet.key;
        int etherType = key.etherType();
        if (etherType == Ethernet.IPV4 || etherType == Ethernet.IPV6) {
            return packet.quote.present ? ofQuote(packet.quote) : ofIp(key);
        }
        if (etherType == Ethernet.STATE && key.vlanTci() == 0 && packet.length >= Ethernet.LENGTH + Integer.BYTES) {
            return packet.segment.get(BE_INT, packet.offset + Ethernet.LENGTH);
        }
        return ConnectionHash.of(0, key.srcMac(), 0, key.dstMac(), 0, 0, 0);
    }

    private static int ofIp(FlowKey key) {
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

    private static int ofQuote(Quote quote) {
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
