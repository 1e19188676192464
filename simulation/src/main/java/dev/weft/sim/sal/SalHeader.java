package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * The SAL header.
 *
 * <pre>
 * source flow id(32): the sender's
 * destination flow id(32): the receiver's; 0 in a SYN and in unconnected datagrams
 * length with extensions, in 32-bit words(8) | transport protocol(8) | checksum(16)
 * </pre>
 *
 * The checksum is the Internet checksum of header and extensions alone: no pseudo-header, no payload.
 */
@HotPath
public final class SalHeader {
    public static final int LENGTH = 12;
    /** Header and extensions: 255 words. */
    public static final int MAX_LENGTH = 1020;

    /** In the IPv4 header. */
    public static final int IP_PROTOCOL = 144;
    /** UDP port of the side that opens, when encapsulated. */
    public static final int UDP_CLIENT_PORT = 54324;
    /** UDP port of the side that answers, when encapsulated. */
    public static final int UDP_SERVER_PORT = 54325;

    static final int SRC_FLOW_OFFSET = 0;
    static final int DST_FLOW_OFFSET = 4;
    static final int WORDS_OFFSET = 8;
    static final int PROTOCOL_OFFSET = 9;
    static final int CHECKSUM_OFFSET = 10;

    private SalHeader() {}

    public static int srcFlow(MemorySegment segment, long at) {
        return Wire.i32(segment, at + SRC_FLOW_OFFSET);
    }

    public static int dstFlow(MemorySegment segment, long at) {
        return Wire.i32(segment, at + DST_FLOW_OFFSET);
    }

    /** With extensions, in octets. */
    public static int length(MemorySegment segment, long at) {
        return Wire.u8(segment, at + WORDS_OFFSET) << 2;
    }

    /** Of what follows the extensions. */
    public static int protocol(MemorySegment segment, long at) {
        return Wire.u8(segment, at + PROTOCOL_OFFSET);
    }

    public static int checksum(MemorySegment segment, long at) {
        return Wire.u16(segment, at + CHECKSUM_OFFSET);
    }

    /** The length must have been checked against the memory. */
    public static boolean isChecksumValid(MemorySegment segment, long at) {
        return Checksum.of(segment, at, length(segment, at)) == 0;
    }

    /**
     * Checksum 0.
     *
     * @param length with extensions, in octets: a multiple of 4, 12..1020
     */
    public static void write(MemorySegment segment, long at, int srcFlow, int dstFlow, int length, int protocol) {
        Wire.put32(segment, at + SRC_FLOW_OFFSET, srcFlow);
        Wire.put32(segment, at + DST_FLOW_OFFSET, dstFlow);
        Wire.put8(segment, at + WORDS_OFFSET, length >>> 2);
        Wire.put8(segment, at + PROTOCOL_OFFSET, protocol);
        Wire.put16(segment, at + CHECKSUM_OFFSET, 0);
    }

    static void setLength(MemorySegment segment, long at, int length) {
        Wire.put8(segment, at + WORDS_OFFSET, length >>> 2);
    }

    /** Computes the checksum anew; the extensions must be written. */
    public static void fillChecksum(MemorySegment segment, long at) {
        Wire.put16(segment, at + CHECKSUM_OFFSET, 0);
        Wire.put16(segment, at + CHECKSUM_OFFSET, Checksum.of(segment, at, length(segment, at)));
    }
}
