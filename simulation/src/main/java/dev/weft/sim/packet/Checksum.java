package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * The Internet checksum: computed (RFC 1071) and mended (RFC 1624, equation 3: {@code HC' = ~(~HC + ~m + m')}, which
 * never makes the wrong zero). Sums are kept unfolded in a long; checksums are 16 bits as they stand in a header.
 */
@HotPath
public final class Checksum {
    private Checksum() {}

    /** The checksum of octets, as it goes into a header whose checksum field is 0 among them. */
    public static int of(MemorySegment segment, long at, long length) {
        return finish(add(0, segment, at, length));
    }

    /** Adds octets to a sum. An odd last octet counts as the high half of its word, so only the last part may be odd. */
    public static long add(long sum, MemorySegment segment, long at, long length) {
        long total = sum;
        long here = at;
        long end = at + length;
        for (; end - here >= 4; here += 4) {
            total += Wire.u32(segment, here);
        }
        if (end - here >= 2) {
            total += Wire.u16(segment, here);
            here += 2;
        }
        if (end > here) {
            total += Wire.u8(segment, here) << 8;
        }
        return total;
    }

    /** The complement of the sum, folded to 16 bits. */
    public static int finish(long sum) {
        long folded = (sum >>> 32) + (sum & 0xffff_ffffL);
        folded = (folded >>> 32) + (folded & 0xffff_ffffL);
        folded = (folded >>> 16) + (folded & 0xffff);
        folded = (folded >>> 16) + (folded & 0xffff);
        folded = (folded >>> 16) + (folded & 0xffff);
        return (int) ~folded & 0xffff;
    }

    /** The checksum after one 16-bit word it covers changed. */
    public static int update16(int checksum, int before, int after) {
        long sum = (~checksum & 0xffffL) + (~before & 0xffffL) + (after & 0xffffL);
        return finish(sum);
    }

    /** The checksum after one 32-bit word it covers, at an even offset, changed. */
    public static int update32(int checksum, int before, int after) {
        return update16(update16(checksum, before >>> 16, after >>> 16), before & 0xffff, after & 0xffff);
    }

    /** The checksum after words it covers changed; {@code before} and {@code after} are the sums of those words. */
    public static int update(int checksum, long before, long after) {
        return finish((~checksum & 0xffffL) + finish(before) + after);
    }

    /** The sum of an address in its 128-bit form. The mark of a mapped IPv4 address adds the ones' complement's 0. */
    public static long sum(long high, long low) {
        return (high >>> 32) + (high & 0xffff_ffffL) + (low >>> 32) + (low & 0xffff_ffffL);
    }

    /** The sum of the pseudo-header of the IP packet at {@code l3}, either family (RFC 9293 §3.1, RFC 8200 §8.1). */
    public static long pseudoHeader(MemorySegment segment, long l3, int protocol, long length) {
        long sum = protocol + length;
        return Ipv4.version(segment, l3) == 4
                ? add(sum, segment, l3 + Ipv4.SRC_OFFSET, 8)
                : add(sum, segment, l3 + Ipv6.SRC_OFFSET, 32);
    }

    /** The checksum of the whole TCP, UDP, ICMP or ICMPv6 message from {@code l4} to {@code end}, its field as it is. */
    public static int ofTransport(MemorySegment segment, long l3, long l4, long end, int protocol) {
        long length = end - l4;
        long sum = protocol == Ipv4.ICMP ? 0 : pseudoHeader(segment, l3, protocol, length);
        return finish(add(sum, segment, l4, length));
    }

    public static boolean isTransportValid(MemorySegment segment, long l3, long l4, long end, int protocol) {
        return ofTransport(segment, l3, l4, end, protocol) == 0;
    }

    /**
     * Computes and writes the checksum of the message from {@code l4} to {@code end}. Protocols without a known place
     * for one are left alone. A UDP checksum of 0 goes out as 0xffff (RFC 768).
     *
     * @return whether the protocol has one
     */
    public static boolean fillTransport(MemorySegment segment, long l3, long l4, long end, int protocol) {
        int field = fieldOffset(protocol);
        if (field < 0) {
            return false;
        }
        Wire.put16(segment, l4 + field, 0);
        int checksum = ofTransport(segment, l3, l4, end, protocol);
        Wire.put16(segment, l4 + field, checksum == 0 && protocol == Ipv4.UDP ? 0xffff : checksum);
        return true;
    }

    /**
     * Mends the checksum of the TCP, UDP, ICMP or ICMPv6 message at {@code l4} after words it covers changed, those of
     * the pseudo-header included; {@code before} and {@code after} are their sums. A UDP checksum of 0 says that there
     * is none and stays, in IPv6 too (RFC 768, RFC 6935); one that becomes 0 goes out as 0xffff.
     */
    public static void mendTransport(MemorySegment segment, long l4, int protocol, long before, long after) {
        long at = l4 + fieldOffset(protocol);
        int checksum = Wire.u16(segment, at);
        boolean udp = protocol == Ipv4.UDP;
        if (udp && checksum == 0) {
            return;
        }
        int mended = update(checksum, before, after);
        Wire.put16(segment, at, udp && mended == 0 ? 0xffff : mended);
    }

    /** Changes a 16-bit word of the message at {@code l4} and mends its checksum as {@link #mendTransport} does. */
    static void replace16(MemorySegment segment, long l4, int offset, int protocol, int value) {
        int before = Wire.u16(segment, l4 + offset);
        Wire.put16(segment, l4 + offset, value);
        // At an odd offset the octets of the value are halves of two words of the sum, in the other order.
        boolean odd = (offset & 1) != 0;
        mendTransport(segment, l4, protocol, odd ? swapped(before) : before, odd ? swapped(value) : value);
    }

    private static int swapped(int word) {
        return (word & 0xff) << 8 | word >>> 8 & 0xff;
    }

    /** Where the checksum stands in a message of this protocol, -1 when it has none we know. */
    public static int fieldOffset(int protocol) {
        return switch (protocol) {
            case Ipv4.TCP -> Tcp.CHECKSUM_OFFSET;
            case Ipv4.UDP -> Udp.CHECKSUM_OFFSET;
            case Ipv4.ICMP -> Icmp.CHECKSUM_OFFSET;
            case Ipv6.ICMPV6 -> Icmpv6.CHECKSUM_OFFSET;
            default -> -1;
        };
    }
}
