package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Tcp;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.packet.Vlan;
import java.lang.foreign.MemorySegment;

/**
 * A frame while actions run on it: the memory it came in until the first rewrite, from then on a copy in a buffer of
 * its own. Each rewrite mends the checksums that cover what it changes and takes them for complete: a kind completes
 * what a VM left to its device before it hands a frame in. One that does not apply to the packet does nothing. Lengths
 * are checked here, since a frame that a worker sends was parsed by nobody. Not thread safe; reused.
 */
@HotPath
final class WorkingFrame {
    private MemorySegment scratch = MemorySegment.NULL;
    private MemorySegment segment = MemorySegment.NULL;
    private long offset;
    private int length;

    // Where the headers are, from the frame's start; found when first asked for.
    private boolean located;
    private int l3;
    private boolean v4;
    private boolean v6;
    /** 0: not TCP, UDP, ICMP or ICMPv6, or no whole header of it, as in later fragments. */
    private int l4;

    private int l4End;
    private int protocol;

    void start(MemorySegment frame, long at, int frameLength) {
        segment = frame;
        offset = at;
        length = frameLength;
        located = false;
    }

    MemorySegment segment() {
        return segment;
    }

    long offset() {
        return offset;
    }

    int length() {
        return length;
    }

    /** Of the packet behind the Ethernet header and its tag: what an MTU limits. */
    int packetLength() {
        locate();
        return length - l3;
    }

    /** TTL or hop limit, -1 when the frame is not IP. */
    int ttl() {
        locate();
        if (v4) {
            return Ipv4.ttl(segment, offset + l3);
        }
        return v6 ? Ipv6.hopLimit(segment, offset + l3) : -1;
    }

    void setTtl(int ttl) {
        locate();
        own();
        if (v4) {
            Ipv4.setTtl(segment, offset + l3, ttl);
        } else if (v6) {
            Ipv6.setHopLimit(segment, offset + l3, ttl);
        }
    }

    void setSrcMac(long mac) {
        own();
        Ethernet.setSrc(segment, offset, mac);
    }

    void setDstMac(long mac) {
        own();
        Ethernet.setDst(segment, offset, mac);
    }

    void setSrc(long high, long low) {
        if (!isOfFamily(high, low)) {
            return;
        }
        own();
        long ip = offset + l3;
        if (v4) {
            long before = Checksum.sum(0, Ipv4.srcLow(segment, ip));
            Ipv4.setSrc(segment, ip, (int) low);
            mendPseudoHeader(before, high, low);
        } else {
            long before = Checksum.sum(Ipv6.srcHigh(segment, ip), Ipv6.srcLow(segment, ip));
            Ipv6.setSrc(segment, ip, high, low);
            mendPseudoHeader(before, high, low);
        }
    }

    void setDst(long high, long low) {
        if (!isOfFamily(high, low)) {
            return;
        }
        own();
        long ip = offset + l3;
        if (v4) {
            long before = Checksum.sum(0, Ipv4.dstLow(segment, ip));
            Ipv4.setDst(segment, ip, (int) low);
            mendPseudoHeader(before, high, low);
        } else {
            long before = Checksum.sum(Ipv6.dstHigh(segment, ip), Ipv6.dstLow(segment, ip));
            Ipv6.setDst(segment, ip, high, low);
            mendPseudoHeader(before, high, low);
        }
    }

    private boolean isOfFamily(long high, long low) {
        locate();
        return IpAddress.isV4(high, low) ? v4 : v6;
    }

    private void mendPseudoHeader(long before, long high, long low) {
        if (l4 != 0 && protocol != Ipv4.ICMP) {
            Checksum.mendTransport(segment, offset + l4, protocol, before, Checksum.sum(high, low));
        }
    }

    void setL4Src(int port) {
        locate();
        if (isTransport(Ipv4.TCP)) {
            own();
            Tcp.setSrcPort(segment, offset + l4, port);
        } else if (isTransport(Ipv4.UDP)) {
            own();
            Udp.setSrcPort(segment, offset + l4, port);
        }
    }

    void setL4Dst(int port) {
        locate();
        if (isTransport(Ipv4.TCP)) {
            own();
            Tcp.setDstPort(segment, offset + l4, port);
        } else if (isTransport(Ipv4.UDP)) {
            own();
            Udp.setDstPort(segment, offset + l4, port);
        }
    }

    void setIcmpId(int id) {
        locate();
        if (isTransport(Ipv4.ICMP) && Icmp.isEcho(Icmp.type(segment, offset + l4))) {
            own();
            Icmp.setId(segment, offset + l4, id);
        } else if (isTransport(Ipv6.ICMPV6) && Icmpv6.isEcho(Icmpv6.type(segment, offset + l4))) {
            own();
            Icmpv6.setId(segment, offset + l4, id);
        }
    }

    void setDscp(int dscp) {
        locate();
        if (v4) {
            own();
            Ipv4.setDscp(segment, offset + l3, dscp);
        } else if (v6) {
            own();
            Ipv6.setDscp(segment, offset + l3, dscp);
        }
    }

    void pushVlan(int tci) {
        own();
        if (isTagged()) {
            Vlan.setTci(segment, offset + Ethernet.LENGTH, tci);
            return;
        }
        Vlan.push(segment, offset, tci);
        offset -= Vlan.LENGTH;
        length += Vlan.LENGTH;
        located = false;
    }

    void popVlan() {
        if (!isTagged()) {
            return;
        }
        own();
        Vlan.pop(segment, offset);
        offset += Vlan.LENGTH;
        length -= Vlan.LENGTH;
        located = false;
    }

    /** Lowers the MSS a TCP SYN announces to what fits an IP packet of {@code mtu} octets without options. */
    void clampMss(int mtu) {
        locate();
        if (!isTransport(Ipv4.TCP) || (Tcp.flags(segment, offset + l4) & Tcp.SYN) == 0) {
            return;
        }
        if (Tcp.headerLength(segment, offset + l4) > l4End - l4) {
            return;
        }
        int at = Tcp.mssOffset(segment, offset + l4);
        int fits = mtu - (v4 ? Ipv4.LENGTH : Ipv6.LENGTH) - Tcp.LENGTH;
        if (at > 0 && Tcp.mss(segment, offset + l4, at) > fits) {
            own();
            Tcp.setMss(segment, offset + l4, at, fits);
        }
    }

    private boolean isTransport(int which) {
        return l4 != 0 && protocol == which;
    }

    private boolean isTagged() {
        return length >= Ethernet.LENGTH + Vlan.LENGTH && Ethernet.type(segment, offset) == Ethernet.VLAN;
    }

    private void locate() {
        if (located) {
            return;
        }
        located = true;
        l3 = isTagged() ? Ethernet.LENGTH + Vlan.LENGTH : Ethernet.LENGTH;
        l4 = 0;
        // Tagged or not, the type of the packet is the last two octets before it.
        int type = length < l3 ? 0 : Vlan.type(segment, offset + l3 - Vlan.LENGTH);
        v4 = type == Ethernet.IPV4 && length >= l3 + Ipv4.LENGTH;
        v6 = type == Ethernet.IPV6 && length >= l3 + Ipv6.LENGTH;
        if (v4) {
            locateV4();
        } else if (v6) {
            locateV6();
        }
    }

    private void locateV4() {
        long ip = offset + l3;
        int headerLength = Ipv4.headerLength(segment, ip);
        boolean later = (Ipv4.fragmentField(segment, ip) & Ipv4.FRAGMENT_OFFSET) != 0;
        if (headerLength >= Ipv4.LENGTH && !later) {
            locateL4(headerLength, Ipv4.protocol(segment, ip), Ipv4.totalLength(segment, ip));
        }
    }

    private void locateV6() {
        long ip = offset + l3;
        int total = Ipv6.LENGTH + Ipv6.payloadLength(segment, ip);
        long walked = Ipv6.walk(segment, ip, offset + Math.min(length, l3 + total), true);
        if (walked >= 0 && Ipv6.walkedFragment(walked) != FlowKey.LATER_FRAGMENT) {
            locateL4(Ipv6.walkedLength(walked), Ipv6.walkedProtocol(walked), total);
        }
    }

    private void locateL4(int headersLength, int which, int total) {
        protocol = which;
        l4End = Math.min(length, l3 + total);
        int needed =
                switch (which) {
                    case Ipv4.TCP -> Tcp.LENGTH;
                    case Ipv4.UDP -> Udp.LENGTH;
                    case Ipv4.ICMP -> v4 ? Icmp.LENGTH : Integer.MAX_VALUE;
                    case Ipv6.ICMPV6 -> v6 ? Icmpv6.LENGTH : Integer.MAX_VALUE;
                    default -> Integer.MAX_VALUE;
                };
        l4 = l4End - l3 - headersLength >= needed ? l3 + headersLength : 0;
    }

    /** The copy has room for a tag before it: a frame is tagged once at most. */
    private void own() {
        if (segment == scratch) {
            return;
        }
        int needed = length + Vlan.LENGTH;
        if (scratch.byteSize() < needed) {
            scratch = MemorySegment.ofArray(new byte[Math.max(needed, SoftDatapath.MAX_FRAME)]);
        }
        MemorySegment.copy(segment, offset, scratch, Vlan.LENGTH, length);
        segment = scratch;
        offset = Vlan.LENGTH;
    }
}
