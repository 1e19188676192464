package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * ICMP for IPv4 (RFC 792): type(8) | code(8) | checksum(16) | rest(32). Rest is id(16) sequence(16) for echo, 0(16)
 * next-hop MTU(16) for "fragmentation needed" (RFC 1191). Errors quote the packet that caused them behind it.
 */
@HotPath
public final class Icmp {
    public static final int LENGTH = 8;

    public static final int ECHO_REPLY = 0;
    public static final int UNREACHABLE = 3;
    public static final int SOURCE_QUENCH = 4;
    public static final int REDIRECT = 5;
    public static final int ECHO_REQUEST = 8;
    public static final int TIME_EXCEEDED = 11;
    public static final int PARAMETER_PROBLEM = 12;

    /** Codes of {@link #UNREACHABLE}. */
    public static final int NET_UNREACHABLE = 0;

    public static final int HOST_UNREACHABLE = 1;
    public static final int PROTOCOL_UNREACHABLE = 2;
    public static final int PORT_UNREACHABLE = 3;
    public static final int FRAGMENTATION_NEEDED = 4;
    public static final int ADMIN_PROHIBITED = 13;

    static final int TYPE_OFFSET = 0;
    static final int CODE_OFFSET = 1;
    static final int CHECKSUM_OFFSET = 2;
    static final int ID_OFFSET = 4;
    static final int SEQUENCE_OFFSET = 6;

    private Icmp() {}

    public static int type(MemorySegment segment, long at) {
        return Wire.u8(segment, at + TYPE_OFFSET);
    }

    public static int code(MemorySegment segment, long at) {
        return Wire.u8(segment, at + CODE_OFFSET);
    }

    public static int checksum(MemorySegment segment, long at) {
        return Wire.u16(segment, at + CHECKSUM_OFFSET);
    }

    public static int id(MemorySegment segment, long at) {
        return Wire.u16(segment, at + ID_OFFSET);
    }

    /** Sets the id and mends the checksum. */
    public static void setId(MemorySegment segment, long at, int id) {
        Checksum.replace16(segment, at, ID_OFFSET, Ipv4.ICMP, id);
    }

    public static int sequence(MemorySegment segment, long at) {
        return Wire.u16(segment, at + SEQUENCE_OFFSET);
    }

    /** The MTU in a "fragmentation needed". */
    public static int nextHopMtu(MemorySegment segment, long at) {
        return Wire.u16(segment, at + SEQUENCE_OFFSET);
    }

    public static boolean isEcho(int type) {
        return type == ECHO_REQUEST || type == ECHO_REPLY;
    }

    /** Carries a quoted packet (RFC 1122 §3.2.2). */
    public static boolean isError(int type) {
        return type == UNREACHABLE
                || type == SOURCE_QUENCH
                || type == REDIRECT
                || type == TIME_EXCEEDED
                || type == PARAMETER_PROBLEM;
    }

    /** Checksum 0. */
    public static void write(MemorySegment segment, long at, int type, int code, int rest) {
        Wire.put8(segment, at + TYPE_OFFSET, type);
        Wire.put8(segment, at + CODE_OFFSET, code);
        Wire.put16(segment, at + CHECKSUM_OFFSET, 0);
        Wire.put32(segment, at + ID_OFFSET, rest);
    }
}
