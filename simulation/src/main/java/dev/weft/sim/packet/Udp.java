package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/** UDP header (RFC 768): source port(16) | destination port(16) | length with header(16) | checksum(16). */
@HotPath
public final class Udp {
    public static final int LENGTH = 8;

    static final int SRC_PORT_OFFSET = 0;
    static final int DST_PORT_OFFSET = 2;
    static final int LENGTH_OFFSET = 4;
    static final int CHECKSUM_OFFSET = 6;

    private Udp() {}

    public static int srcPort(MemorySegment segment, long at) {
        return Wire.u16(segment, at + SRC_PORT_OFFSET);
    }

    public static int dstPort(MemorySegment segment, long at) {
        return Wire.u16(segment, at + DST_PORT_OFFSET);
    }

    /** Sets the port and mends the checksum, which may be none. */
    public static void setSrcPort(MemorySegment segment, long at, int port) {
        Checksum.replace16(segment, at, SRC_PORT_OFFSET, Ipv4.UDP, port);
    }

    /** Sets the port and mends the checksum, which may be none. */
    public static void setDstPort(MemorySegment segment, long at, int port) {
        Checksum.replace16(segment, at, DST_PORT_OFFSET, Ipv4.UDP, port);
    }

    public static int length(MemorySegment segment, long at) {
        return Wire.u16(segment, at + LENGTH_OFFSET);
    }

    public static int checksum(MemorySegment segment, long at) {
        return Wire.u16(segment, at + CHECKSUM_OFFSET);
    }

    public static void setLength(MemorySegment segment, long at, int length) {
        Wire.put16(segment, at + LENGTH_OFFSET, length);
    }

    public static void setChecksum(MemorySegment segment, long at, int checksum) {
        Wire.put16(segment, at + CHECKSUM_OFFSET, checksum);
    }

    /** Checksum 0. */
    public static void write(MemorySegment segment, long at, int srcPort, int dstPort, int length) {
        Wire.put16(segment, at + SRC_PORT_OFFSET, srcPort);
        Wire.put16(segment, at + DST_PORT_OFFSET, dstPort);
        Wire.put16(segment, at + LENGTH_OFFSET, length);
        Wire.put16(segment, at + CHECKSUM_OFFSET, 0);
    }
}
