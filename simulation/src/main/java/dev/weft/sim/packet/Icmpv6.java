package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * ICMPv6 (RFC 4443 §2.1): type(8) | code(8) | checksum over the pseudo-header too(16) | rest(32). Rest is id(16)
 * sequence(16) for echo, the MTU(32) for "packet too big". Types below 128 are errors and quote their cause.
 */
@HotPath
public final class Icmpv6 {
    public static final int LENGTH = 8;

    public static final int UNREACHABLE = 1;
    public static final int PACKET_TOO_BIG = 2;
    public static final int TIME_EXCEEDED = 3;
    public static final int PARAMETER_PROBLEM = 4;
    public static final int ECHO_REQUEST = 128;
    public static final int ECHO_REPLY = 129;
    /** Multicast listeners, versions 1 and 2 (RFC 2710, RFC 3810). */
    public static final int LISTENER_REPORT = 131;

    public static final int REDIRECT = 137;
    public static final int LISTENER_REPORT_2 = 143;

    /** Codes of {@link #UNREACHABLE}. */
    public static final int NO_ROUTE = 0;

    public static final int ADMIN_PROHIBITED = 1;
    public static final int ADDRESS_UNREACHABLE = 3;
    public static final int PORT_UNREACHABLE = 4;
    public static final int REJECT_ROUTE = 6;
    /** Code of {@link #PARAMETER_PROBLEM}. */
    public static final int UNKNOWN_NEXT_HEADER = 1;

    static final int TYPE_OFFSET = 0;
    static final int CODE_OFFSET = 1;
    static final int CHECKSUM_OFFSET = 2;
    static final int ID_OFFSET = 4;
    static final int SEQUENCE_OFFSET = 6;

    private Icmpv6() {}

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
        Checksum.replace16(segment, at, ID_OFFSET, Ipv6.ICMPV6, id);
    }

    public static int sequence(MemorySegment segment, long at) {
        return Wire.u16(segment, at + SEQUENCE_OFFSET);
    }

    /** The MTU in a "packet too big". */
    public static long mtu(MemorySegment segment, long at) {
        return Wire.u32(segment, at + ID_OFFSET);
    }

    public static boolean isEcho(int type) {
        return type == ECHO_REQUEST || type == ECHO_REPLY;
    }

    public static boolean isError(int type) {
        return type < 128;
    }

    /** Router or neighbour discovery (RFC 4861): types 133..137. */
    public static boolean isDiscovery(int type) {
        return type >= Ndp.ROUTER_SOLICITATION && type <= REDIRECT;
    }

    /** Checksum 0. */
    public static void write(MemorySegment segment, long at, int type, int code, int rest) {
        Wire.put8(segment, at + TYPE_OFFSET, type);
        Wire.put8(segment, at + CODE_OFFSET, code);
        Wire.put16(segment, at + CHECKSUM_OFFSET, 0);
        Wire.put32(segment, at + ID_OFFSET, rest);
    }
}
