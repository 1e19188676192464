package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.MemorySegment;

/**
 * Gives a packet in memory other addresses, ports or echo id: whole ones, and those that ICMP errors quote, which may be
 * cut short. Checksums are mended (RFC 1624) where the packet still has them; RFC 5508 §4.2 asks for it in quotes too.
 */
@HotPath
public final class Translation {
    private Translation() {}

    /**
     * Makes the fields that {@code to} calls rewritten what it says, in the IP packet at {@code l3}.
     *
     * @param end where its memory ends, whatever length it states
     */
    public static void apply(MemorySegment segment, long l3, long end, boolean v4, Headers to) {
        long walked = v4 ? 0 : Ipv6.walk(segment, l3, end, false);
        if (to.rewritten == 0 || walked < 0) {
            return;
        }
        int protocol = v4 ? Ipv4.protocol(segment, l3) : Ipv6.walkedProtocol(walked);
        long l4 = l3 + (v4 ? Ipv4.headerLength(segment, l3) : Ipv6.walkedLength(walked));
        int fragment = v4 ? PacketParser.fragmentKind(Ipv4.fragmentField(segment, l3)) : Ipv6.walkedFragment(walked);
        boolean transport = fragment != FlowKey.LATER_FRAGMENT;
        int field = Checksum.fieldOffset(protocol);
        boolean mend = transport && field >= 0 && end - l4 >= field + 2;
        if ((to.rewritten & Headers.SRC) != 0) {
            setSrc(segment, l3, v4, to, mend && protocol != Ipv4.ICMP ? l4 : 0, protocol);
        }
        if ((to.rewritten & Headers.DST) != 0) {
            setDst(segment, l3, v4, to, mend && protocol != Ipv4.ICMP ? l4 : 0, protocol);
        }
        if (transport && end - l4 >= Icmp.LENGTH) {
            setTransport(segment, l4, protocol, to, mend);
        }
    }

    /**
     * Translates an ICMP error of Weft's own making, or a copy of one, and what it quotes.
     *
     * @param length of the untagged frame at {@code at}, whose IP header has neither options nor extensions
     * @param outer what becomes of the error itself; only its addresses count
     * @param quoted what becomes of the packet it quotes
     */
    public static void applyToError(MemorySegment frame, long at, int length, Headers outer, Headers quoted) {
        long l3 = at + Ethernet.LENGTH;
        boolean v4 = Ethernet.type(frame, at) == Ethernet.IPV4;
        long l4 = l3 + (v4 ? Ipv4.LENGTH : Ipv6.LENGTH);
        long end = at + length;
        if ((outer.rewritten & Headers.SRC) != 0) {
            setSrc(frame, l3, v4, outer, 0, 0);
        }
        if ((outer.rewritten & Headers.DST) != 0) {
            setDst(frame, l3, v4, outer, 0, 0);
        }
        apply(frame, l4 + Icmp.LENGTH, end, v4, quoted);
        Checksum.fillTransport(frame, l3, l4, end, v4 ? Ipv4.ICMP : Ipv6.ICMPV6);
    }

    private static void setSrc(MemorySegment segment, long l3, boolean v4, Headers to, long l4, int protocol) {
        long before = v4
                ? Checksum.sum(0, Ipv4.srcLow(segment, l3))
                : Checksum.sum(Ipv6.srcHigh(segment, l3), Ipv6.srcLow(segment, l3));
        if (v4) {
            Ipv4.setSrc(segment, l3, (int) to.srcLow);
        } else {
            Ipv6.setSrc(segment, l3, to.srcHigh, to.srcLow);
        }
        if (l4 != 0) {
            Checksum.mendTransport(segment, l4, protocol, before, Checksum.sum(to.srcHigh, to.srcLow));
        }
    }

    private static void setDst(MemorySegment segment, long l3, boolean v4, Headers to, long l4, int protocol) {
        long before = v4
                ? Checksum.sum(0, Ipv4.dstLow(segment, l3))
                : Checksum.sum(Ipv6.dstHigh(segment, l3), Ipv6.dstLow(segment, l3));
        if (v4) {
            Ipv4.setDst(segment, l3, (int) to.dstLow);
        } else {
            Ipv6.setDst(segment, l3, to.dstHigh, to.dstLow);
        }
        if (l4 != 0) {
            Checksum.mendTransport(segment, l4, protocol, before, Checksum.sum(to.dstHigh, to.dstLow));
        }
    }

    private static void setTransport(MemorySegment segment, long l4, int protocol, Headers to, boolean mend) {
        if (protocol == Ipv4.TCP || protocol == Ipv4.UDP) {
            // Source and destination port stand at the same place in both.
            if ((to.rewritten & Headers.L4_SRC) != 0) {
                put16(segment, l4, Udp.SRC_PORT_OFFSET, protocol, to.l4Src, mend);
            }
            if ((to.rewritten & Headers.L4_DST) != 0) {
                put16(segment, l4, Udp.DST_PORT_OFFSET, protocol, to.l4Dst, mend);
            }
        } else if ((protocol == Ipv4.ICMP || protocol == Ipv6.ICMPV6) && (to.rewritten & Headers.ICMP_ID) != 0) {
            put16(segment, l4, Icmp.ID_OFFSET, protocol, to.icmpId, mend);
        }
    }

    private static void put16(MemorySegment segment, long l4, int offset, int protocol, int value, boolean mend) {
        if (mend) {
            Checksum.replace16(segment, l4, offset, protocol, value);
        } else {
            Wire.put16(segment, l4 + offset, value);
        }
    }
}
