package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import java.lang.foreign.MemorySegment;

/**
 * IPv4 header (RFC 791 §3.1).
 *
 * <pre>
 * version(4) words(4) | DSCP(6) ECN(2) | total length(16)
 * identification(16) | 0 DF MF(3) fragment offset in 8 octets(13)
 * TTL(8) | protocol(8) | header checksum(16)
 * source(32)
 * destination(32)
 * options, up to 40 octets
 * </pre>
 */
@HotPath
public final class Ipv4 {
    public static final int LENGTH = 20;
    public static final int MAX_HEADER_LENGTH = 60;

    public static final int ICMP = 1;
    public static final int TCP = 6;
    public static final int UDP = 17;

    public static final int DONT_FRAGMENT = 0x4000;
    public static final int MORE_FRAGMENTS = 0x2000;
    public static final int FRAGMENT_OFFSET = 0x1fff;

    private static final int DSCP_SHIFT = 2;
    private static final int DSCP_MASK = 0x3f << DSCP_SHIFT;

    static final int VERSION_OFFSET = 0;
    static final int TOS_OFFSET = 1;
    static final int TOTAL_LENGTH_OFFSET = 2;
    static final int ID_OFFSET = 4;
    static final int FRAGMENT_FIELD_OFFSET = 6;
    static final int TTL_OFFSET = 8;
    static final int PROTOCOL_OFFSET = 9;
    static final int CHECKSUM_OFFSET = 10;
    static final int SRC_OFFSET = 12;
    static final int DST_OFFSET = 16;

    private Ipv4() {}

    public static int version(MemorySegment segment, long at) {
        return Wire.u8(segment, at + VERSION_OFFSET) >>> 4;
    }

    /** In octets. */
    public static int headerLength(MemorySegment segment, long at) {
        return (Wire.u8(segment, at + VERSION_OFFSET) & 0xf) << 2;
    }

    public static int dscp(MemorySegment segment, long at) {
        return Wire.u8(segment, at + TOS_OFFSET) >>> 2;
    }

    public static int totalLength(MemorySegment segment, long at) {
        return Wire.u16(segment, at + TOTAL_LENGTH_OFFSET);
    }

    public static int id(MemorySegment segment, long at) {
        return Wire.u16(segment, at + ID_OFFSET);
    }

    /** Flags and fragment offset as they stand. */
    public static int fragmentField(MemorySegment segment, long at) {
        return Wire.u16(segment, at + FRAGMENT_FIELD_OFFSET);
    }

    public static boolean dontFragment(MemorySegment segment, long at) {
        return (fragmentField(segment, at) & DONT_FRAGMENT) != 0;
    }

    public static int ttl(MemorySegment segment, long at) {
        return Wire.u8(segment, at + TTL_OFFSET);
    }

    public static int protocol(MemorySegment segment, long at) {
        return Wire.u8(segment, at + PROTOCOL_OFFSET);
    }

    public static int checksum(MemorySegment segment, long at) {
        return Wire.u16(segment, at + CHECKSUM_OFFSET);
    }

    public static int src(MemorySegment segment, long at) {
        return Wire.i32(segment, at + SRC_OFFSET);
    }

    public static int dst(MemorySegment segment, long at) {
        return Wire.i32(segment, at + DST_OFFSET);
    }

    /** Low word of the mapped form; the high word is 0. */
    public static long srcLow(MemorySegment segment, long at) {
        return IpAddress.V4_MARK | Wire.u32(segment, at + SRC_OFFSET);
    }

    /** Low word of the mapped form; the high word is 0. */
    public static long dstLow(MemorySegment segment, long at) {
        return IpAddress.V4_MARK | Wire.u32(segment, at + DST_OFFSET);
    }

    /** Sets the TTL and mends the header checksum (RFC 1624). */
    public static void setTtl(MemorySegment segment, long at, int ttl) {
        int before = Wire.u16(segment, at + TTL_OFFSET);
        int after = ttl << 8 | before & 0xff;
        int mended = Checksum.update16(checksum(segment, at), before, after);
        Wire.put16(segment, at + TTL_OFFSET, after);
        Wire.put16(segment, at + CHECKSUM_OFFSET, mended);
    }

    /** Sets what is new when a packet goes on to another destination, options kept, and computes the checksum anew. */
    public static void redirect(MemorySegment segment, long at, int totalLength, int ttl, int dst) {
        Wire.put16(segment, at + TOTAL_LENGTH_OFFSET, totalLength);
        Wire.put8(segment, at + TTL_OFFSET, ttl);
        Wire.put32(segment, at + DST_OFFSET, dst);
        fillChecksum(segment, at, headerLength(segment, at));
    }

    /** Sets the DSCP, keeps ECN and mends the header checksum. */
    public static void setDscp(MemorySegment segment, long at, int dscp) {
        int before = Wire.u16(segment, at + VERSION_OFFSET);
        int after = before & ~DSCP_MASK | dscp << DSCP_SHIFT;
        int mended = Checksum.update16(checksum(segment, at), before, after);
        Wire.put16(segment, at + VERSION_OFFSET, after);
        Wire.put16(segment, at + CHECKSUM_OFFSET, mended);
    }

    /** Sets the source and mends the header checksum, not that of the transport. */
    public static void setSrc(MemorySegment segment, long at, int address) {
        setAddress(segment, at, SRC_OFFSET, address);
    }

    /** Sets the destination and mends the header checksum, not that of the transport. */
    public static void setDst(MemorySegment segment, long at, int address) {
        setAddress(segment, at, DST_OFFSET, address);
    }

    private static void setAddress(MemorySegment segment, long at, int offset, int address) {
        int mended = Checksum.update32(checksum(segment, at), Wire.i32(segment, at + offset), address);
        Wire.put32(segment, at + offset, address);
        Wire.put16(segment, at + CHECKSUM_OFFSET, mended);
    }

    /** A header without options, its checksum right. */
    public static void write(
            MemorySegment segment,
            long at,
            int tos,
            int totalLength,
            int id,
            int fragmentField,
            int ttl,
            int protocol,
            int src,
            int dst) {
        Wire.put8(segment, at + VERSION_OFFSET, 0x45);
        Wire.put8(segment, at + TOS_OFFSET, tos);
        Wire.put16(segment, at + TOTAL_LENGTH_OFFSET, totalLength);
        Wire.put16(segment, at + ID_OFFSET, id);
        Wire.put16(segment, at + FRAGMENT_FIELD_OFFSET, fragmentField);
        Wire.put8(segment, at + TTL_OFFSET, ttl);
        Wire.put8(segment, at + PROTOCOL_OFFSET, protocol);
        Wire.put32(segment, at + SRC_OFFSET, src);
        Wire.put32(segment, at + DST_OFFSET, dst);
        fillChecksum(segment, at, LENGTH);
    }

    /** Computes the header checksum anew. */
    public static void fillChecksum(MemorySegment segment, long at, int headerLength) {
        Wire.put16(segment, at + CHECKSUM_OFFSET, 0);
        Wire.put16(segment, at + CHECKSUM_OFFSET, Checksum.of(segment, at, headerLength));
    }
}
