package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * Writes whole frames: what bridges and routers send of their own accord. Each method writes at {@code at}, leaves all
 * checksums right, and returns the frame's length, or {@link #NO_ROOM} (and writes nothing) when the segment is too
 * small. Frames are untagged; {@link #tag} adds a tag. No padding to 60 octets: links that need it add it.
 */
@HotPath
public final class PacketWriter {
    /** The frame does not fit the segment. */
    public static final int NO_ROOM = 0;

    /** Longest IP packet an ICMP error makes: RFC 1812 §4.3.2.3. */
    public static final int MAX_ICMP_ERROR = 576;

    /** Longest IP packet an ICMPv6 error makes, the least MTU of any link: RFC 4443 §2.4 c. */
    public static final int MAX_ICMPV6_ERROR = 1280;

    private static final int TTL = 64;
    private static final int DISCOVERY_HOP_LIMIT = 255;
    /** Precedence 6, "internetwork control", as RFC 1812 §4.3.2.5 has it for errors. */
    private static final int CONTROL_TOS = 0xc0;

    private PacketWriter() {}

    /** Who has {@code target}? To all. */
    public static int arpRequest(MemorySegment out, long at, long srcMac, int sender, int target) {
        return arp(out, at, Arp.REQUEST, 0xffff_ffff_ffffL, srcMac, sender, 0, target);
    }

    /** {@code sender} is at {@code srcMac}: to the one who asked. */
    public static int arpReply(MemorySegment out, long at, long srcMac, int sender, long dstMac, int target) {
        return arp(out, at, Arp.REPLY, dstMac, srcMac, sender, dstMac, target);
    }

    private static int arp(
            MemorySegment out,
            long at,
            int operation,
            long dstMac,
            long srcMac,
            int sender,
            long targetMac,
            int target) {
        int length = Ethernet.LENGTH + Arp.LENGTH;
        if (out.byteSize() - at < length) {
            return NO_ROOM;
        }
        Ethernet.write(out, at, dstMac, srcMac, Ethernet.ARP);
        Arp.write(out, at + Ethernet.LENGTH, operation, srcMac, sender, targetMac, target);
        return length;
    }

    /** Who has the target? To its solicited-node group (RFC 4861 §7.2.2), with our MAC in it. */
    public static int neighbourSolicitation(
            MemorySegment out, long at, long srcMac, long srcHigh, long srcLow, long targetHigh, long targetLow) {
        long dstHigh = Ndp.solicitedNodeHigh();
        long dstLow = Ndp.solicitedNodeLow(targetLow);
        int body = Ndp.LENGTH + Ndp.LINK_ADDRESS_LENGTH;
        int length = Ethernet.LENGTH + Ipv6.LENGTH + body;
        if (out.byteSize() - at < length) {
            return NO_ROOM;
        }
        Ethernet.write(out, at, Ethernet.groupMac(dstHigh, dstLow), srcMac, Ethernet.IPV6);
        long l3 = at + Ethernet.LENGTH;
        Ipv6.write(out, l3, 0, 0, body, Ipv6.ICMPV6, DISCOVERY_HOP_LIMIT, srcHigh, srcLow, dstHigh, dstLow);
        Ndp.write(
                out,
                l3 + Ipv6.LENGTH,
                Ndp.NEIGHBOUR_SOLICITATION,
                0,
                targetHigh,
                targetLow,
                Ndp.SOURCE_LINK_ADDRESS,
                srcMac);
        Checksum.fillTransport(out, l3, l3 + Ipv6.LENGTH, at + length, Ipv6.ICMPV6);
        return length;
    }

    /**
     * The target is at {@code targetMac}: to the one who asked (or to ff02::1 when a duplicate address check asked,
     * RFC 4861 §7.2.4; then without {@link Ndp#SOLICITED}).
     *
     * @param flags of {@link Ndp#ROUTER}, {@link Ndp#SOLICITED}, {@link Ndp#OVERRIDE}
     */
    public static int neighbourAdvertisement(
            MemorySegment out,
            long at,
            long targetMac,
            long targetHigh,
            long targetLow,
            long dstMac,
            long dstHigh,
            long dstLow,
            int flags) {
        int body = Ndp.LENGTH + Ndp.LINK_ADDRESS_LENGTH;
        int length = Ethernet.LENGTH + Ipv6.LENGTH + body;
        if (out.byteSize() - at < length) {
            return NO_ROOM;
        }
        Ethernet.write(out, at, dstMac, targetMac, Ethernet.IPV6);
        long l3 = at + Ethernet.LENGTH;
        Ipv6.write(out, l3, 0, 0, body, Ipv6.ICMPV6, DISCOVERY_HOP_LIMIT, targetHigh, targetLow, dstHigh, dstLow);
        Ndp.write(
                out,
                l3 + Ipv6.LENGTH,
                Ndp.NEIGHBOUR_ADVERTISEMENT,
                flags,
                targetHigh,
                targetLow,
                Ndp.TARGET_LINK_ADDRESS,
                targetMac);
        Checksum.fillTransport(out, l3, l3 + Ipv6.LENGTH, at + length, Ipv6.ICMPV6);
        return length;
    }

    /**
     * The answer to a parsed, unfragmented echo request of either family, from the address it was sent to: same id,
     * sequence and data. IPv4 options and IPv6 extension headers are not carried over.
     */
    public static int echoReply(MemorySegment out, long at, Packet request, long srcMac, long dstMac) {
        boolean v4 = request.key.etherType() == Ethernet.IPV4;
        int ipLength = v4 ? Ipv4.LENGTH : Ipv6.LENGTH;
        int body = request.l3End - request.l4Offset;
        int length = Ethernet.LENGTH + ipLength + body;
        if (out.byteSize() - at < length) {
            return NO_ROOM;
        }
        MemorySegment from = request.segment;
        long asked = request.offset + request.l3Offset;
        Ethernet.write(out, at, dstMac, srcMac, request.key.etherType());
        long l3 = at + Ethernet.LENGTH;
        if (v4) {
            // The request's id and DF: a reply cut on the way is then put together as the request was.
            int field = Ipv4.fragmentField(from, asked) & Ipv4.DONT_FRAGMENT;
            int tos = Ipv4.dscp(from, asked) << 2;
            int src = Ipv4.dst(from, asked);
            int dst = Ipv4.src(from, asked);
            Ipv4.write(out, l3, tos, ipLength + body, Ipv4.id(from, asked), field, TTL, Ipv4.ICMP, src, dst);
        } else {
            int trafficClass = Ipv6.dscp(from, asked) << 2;
            Ipv6.write(
                    out,
                    l3,
                    trafficClass,
                    0,
                    body,
                    Ipv6.ICMPV6,
                    TTL,
                    Ipv6.dstHigh(from, asked),
                    Ipv6.dstLow(from, asked),
                    Ipv6.srcHigh(from, asked),
                    Ipv6.srcLow(from, asked));
        }
        long l4 = l3 + ipLength;
        MemorySegment.copy(from, request.offset + request.l4Offset, out, l4, body);
        Wire.put8(out, l4, v4 ? Icmp.ECHO_REPLY : Icmpv6.ECHO_REPLY);
        Checksum.fillTransport(out, l3, l4, at + length, v4 ? Ipv4.ICMP : Ipv6.ICMPV6);
        return length;
    }

    /**
     * An error about a parsed packet, to its source, quoting as much of it as fits. {@link IcmpErrors#mayAnswer} says
     * whether it may be sent at all.
     *
     * @param mtu of the next hop, for {@link IcmpError#TOO_BIG}; 0 for the others
     * @param srcHigh the sender's address, high word: of the cause's family
     */
    public static int icmpError(
            MemorySegment out,
            long at,
            Packet cause,
            IcmpError error,
            int mtu,
            long srcMac,
            long dstMac,
            long srcHigh,
            long srcLow) {
        boolean v4 = cause.key.etherType() == Ethernet.IPV4;
        int before = (v4 ? Ipv4.LENGTH : Ipv6.LENGTH) + Icmp.LENGTH;
        int room = (v4 ? MAX_ICMP_ERROR : MAX_ICMPV6_ERROR) - before;
        int quoted = Math.min(cause.l3End - cause.l3Offset, room);
        int length = Ethernet.LENGTH + before + quoted;
        if (out.byteSize() - at < length) {
            return NO_ROOM;
        }
        Ethernet.write(out, at, dstMac, srcMac, cause.key.etherType());
        long l3 = at + Ethernet.LENGTH;
        long l4 = l3 + before - Icmp.LENGTH;
        if (v4) {
            int dst = (int) cause.key.srcLow();
            int total = before + quoted;
            Ipv4.write(out, l3, CONTROL_TOS, total, 0, Ipv4.DONT_FRAGMENT, TTL, Ipv4.ICMP, (int) srcLow, dst);
            Icmp.write(out, l4, error.v4Type, error.v4Code, mtu & 0xffff);
        } else {
            long dstHigh = cause.key.srcHigh();
            long dstLow = cause.key.srcLow();
            int body = Icmp.LENGTH + quoted;
            Ipv6.write(out, l3, 0, 0, body, Ipv6.ICMPV6, TTL, srcHigh, srcLow, dstHigh, dstLow);
            // The pointer of "unknown next header": the field in the fixed header, all that is known here.
            int rest = error == IcmpError.PROTOCOL_UNREACHABLE ? Ipv6.NEXT_HEADER_OFFSET : mtu;
            Icmpv6.write(out, l4, error.v6Type, error.v6Code, rest);
        }
        MemorySegment.copy(cause.segment, cause.offset + cause.l3Offset, out, l4 + Icmp.LENGTH, quoted);
        Checksum.fillTransport(out, l3, l4, at + length, v4 ? Ipv4.ICMP : Ipv6.ICMPV6);
        return length;
    }

    /** Puts an 802.1Q tag into an untagged frame of this length; the new length, or {@link #NO_ROOM}. */
    public static int tag(MemorySegment frame, long at, int length, int tci) {
        if (frame.byteSize() - at < length + Vlan.LENGTH) {
            return NO_ROOM;
        }
        MemorySegment.copy(
                frame,
                at + Ethernet.TYPE_OFFSET,
                frame,
                at + Ethernet.TYPE_OFFSET + Vlan.LENGTH,
                length - Ethernet.TYPE_OFFSET);
        Wire.put16(frame, at + Ethernet.TYPE_OFFSET, Ethernet.VLAN);
        Wire.put16(frame, at + Ethernet.LENGTH, tci);
        return length + Vlan.LENGTH;
    }
}
