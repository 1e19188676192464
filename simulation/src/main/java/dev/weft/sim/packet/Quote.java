package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.sal.SalHeader;
import java.lang.foreign.MemorySegment;

/**
 * The tuple of the packet that an ICMP or ICMPv6 error quotes: which connection the error is about. Quotes are cut
 * short by whoever sent the error, so only the first octets of the L4 header are asked for. Not thread safe; reused.
 */
@HotPath
public final class Quote {
    /** A quoted packet was there and could be read. All else is meaningless when false. */
    public boolean present;

    public int protocol;
    public int fragment;
    public long srcHigh;
    public long srcLow;
    public long dstHigh;
    public long dstLow;

    /** Port, or ICMP type. 0 for later fragments and for protocols without ports. */
    public int l4Src;

    /** Port, or ICMP code. */
    public int l4Dst;

    /** Echo id, 0 when it is no echo. */
    public int icmpId;

    /** Serval flow ids of a quoted packet of protocol 144, both 0 when it is none. */
    public int srcFlow;

    public int dstFlow;

    void clear() {
        present = false;
        protocol = 0;
        fragment = 0;
        l4Src = 0;
        l4Dst = 0;
        icmpId = 0;
        srcFlow = 0;
        dstFlow = 0;
    }

    /** Reads the quote between {@code at} and {@code end}; the family is that of the error. */
    void read(MemorySegment segment, long at, long end, boolean v4) {
        long l4 = v4 ? readV4(segment, at, end) : readV6(segment, at, end);
        if (l4 < 0) {
            clear();
            return;
        }
        present = true;
        if (fragment != FlowKey.LATER_FRAGMENT) {
            readTransport(segment, l4, end, v4);
        }
    }

    private long readV4(MemorySegment segment, long at, long end) {
        if (end - at < Ipv4.LENGTH || Ipv4.version(segment, at) != 4) {
            return -1;
        }
        int headerLength = Ipv4.headerLength(segment, at);
        if (headerLength < Ipv4.LENGTH || end - at < headerLength) {
            return -1;
        }
        int field = Ipv4.fragmentField(segment, at);
        fragment = PacketParser.fragmentKind(field);
        protocol = Ipv4.protocol(segment, at);
        srcHigh = 0;
        srcLow = Ipv4.srcLow(segment, at);
        dstHigh = 0;
        dstLow = Ipv4.dstLow(segment, at);
        return at + headerLength;
    }

    private long readV6(MemorySegment segment, long at, long end) {
        if (end - at < Ipv6.LENGTH || Ipv6.version(segment, at) != 6) {
            return -1;
        }
        long walked = Ipv6.walk(segment, at, end, false);
        if (walked < 0) {
            return -1;
        }
        fragment = Ipv6.walkedFragment(walked);
        protocol = Ipv6.walkedProtocol(walked);
        srcHigh = Ipv6.srcHigh(segment, at);
        srcLow = Ipv6.srcLow(segment, at);
        dstHigh = Ipv6.dstHigh(segment, at);
        dstLow = Ipv6.dstLow(segment, at);
        return at + Ipv6.walkedLength(walked);
    }

    private void readTransport(MemorySegment segment, long l4, long end, boolean v4) {
        if (protocol == Ipv4.TCP || protocol == Ipv4.UDP) {
            if (end - l4 < 4) {
                clear();
                return;
            }
            l4Src = Udp.srcPort(segment, l4);
            l4Dst = Udp.dstPort(segment, l4);
        } else if (protocol == SalHeader.IP_PROTOCOL && v4 && fragment == FlowKey.NOT_FRAGMENT) {
            // Whoever sends the error quotes 8 octets at least (RFC 792): just the flow ids.
            if (end - l4 < 2 * Integer.BYTES) {
                clear();
                return;
            }
            srcFlow = SalHeader.srcFlow(segment, l4);
            dstFlow = SalHeader.dstFlow(segment, l4);
        } else if (protocol == (v4 ? Ipv4.ICMP : Ipv6.ICMPV6)) {
            if (end - l4 < Icmp.LENGTH) {
                clear();
                return;
            }
            l4Src = Icmp.type(segment, l4);
            l4Dst = Icmp.code(segment, l4);
            boolean echo = v4 ? Icmp.isEcho(l4Src) : Icmpv6.isEcho(l4Src);
            icmpId = echo ? Icmp.id(segment, l4) : 0;
        }
    }
}
