package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * TCP header (RFC 9293 §3.1).
 *
 * <pre>
 * source port(16) | destination port(16)
 * sequence number(32)
 * acknowledgment number(32)
 * words(4) 0(4) | CWR ECE URG ACK PSH RST SYN FIN | window(16)
 * checksum(16) | urgent pointer(16)
 * options, up to 40 octets
 * </pre>
 */
@HotPath
public final class Tcp {
    public static final int LENGTH = 20;

    public static final int FIN = 0x01;
    public static final int SYN = 0x02;
    public static final int RST = 0x04;
    public static final int PSH = 0x08;
    public static final int ACK = 0x10;
    public static final int URG = 0x20;
    public static final int ECE = 0x40;
    public static final int CWR = 0x80;

    /** Kinds of options, and the length of the one that is read. */
    private static final int END_OF_OPTIONS = 0;

    private static final int NO_OPERATION = 1;
    private static final int MSS = 2;
    private static final int MSS_LENGTH = 4;

    static final int SRC_PORT_OFFSET = 0;
    static final int DST_PORT_OFFSET = 2;
    static final int SEQUENCE_OFFSET = 4;
    static final int ACKNOWLEDGMENT_OFFSET = 8;
    static final int DATA_OFFSET = 12;
    static final int FLAGS_OFFSET = 13;
    static final int WINDOW_OFFSET = 14;
    static final int CHECKSUM_OFFSET = 16;
    static final int URGENT_OFFSET = 18;

    private Tcp() {}

    public static int srcPort(MemorySegment segment, long at) {
        return Wire.u16(segment, at + SRC_PORT_OFFSET);
    }

    public static int dstPort(MemorySegment segment, long at) {
        return Wire.u16(segment, at + DST_PORT_OFFSET);
    }

    /** Sets the port and mends the checksum. */
    public static void setSrcPort(MemorySegment segment, long at, int port) {
        Checksum.replace16(segment, at, SRC_PORT_OFFSET, Ipv4.TCP, port);
    }

    /** Sets the port and mends the checksum. */
    public static void setDstPort(MemorySegment segment, long at, int port) {
        Checksum.replace16(segment, at, DST_PORT_OFFSET, Ipv4.TCP, port);
    }

    public static long sequence(MemorySegment segment, long at) {
        return Wire.u32(segment, at + SEQUENCE_OFFSET);
    }

    public static long acknowledgment(MemorySegment segment, long at) {
        return Wire.u32(segment, at + ACKNOWLEDGMENT_OFFSET);
    }

    /** In octets. */
    public static int headerLength(MemorySegment segment, long at) {
        return Wire.u8(segment, at + DATA_OFFSET) >>> 4 << 2;
    }

    public static int flags(MemorySegment segment, long at) {
        return Wire.u8(segment, at + FLAGS_OFFSET);
    }

    public static int window(MemorySegment segment, long at) {
        return Wire.u16(segment, at + WINDOW_OFFSET);
    }

    public static int checksum(MemorySegment segment, long at) {
        return Wire.u16(segment, at + CHECKSUM_OFFSET);
    }

    /**
     * Where the value of the MSS option (RFC 9293 §3.7.1) stands, from the start of the header, whose whole length must
     * be readable; 0 when there is none. Options that make no sense end the search.
     */
    public static int mssOffset(MemorySegment segment, long at) {
        int end = headerLength(segment, at);
        int here = LENGTH;
        while (end - here >= MSS_LENGTH) {
            int kind = Wire.u8(segment, at + here);
            if (kind == NO_OPERATION) {
                here++;
                continue;
            }
            int size = Wire.u8(segment, at + here + 1);
            if (kind == END_OF_OPTIONS || size < 2) {
                return 0;
            }
            if (kind == MSS) {
                return size == MSS_LENGTH ? here + 2 : 0;
            }
            here += size;
        }
        return 0;
    }

    /** @param offset as {@link #mssOffset} gave it */
    public static int mss(MemorySegment segment, long at, int offset) {
        return Wire.u16(segment, at + offset);
    }

    /** Sets the MSS and mends the checksum. */
    public static void setMss(MemorySegment segment, long at, int offset, int mss) {
        Checksum.replace16(segment, at, offset, Ipv4.TCP, mss);
    }

    /** A header without options, checksum 0. */
    public static void write(
            MemorySegment segment,
            long at,
            int srcPort,
            int dstPort,
            long sequence,
            long acknowledgment,
            int flags,
            int window) {
        Wire.put16(segment, at + SRC_PORT_OFFSET, srcPort);
        Wire.put16(segment, at + DST_PORT_OFFSET, dstPort);
        Wire.put32(segment, at + SEQUENCE_OFFSET, (int) sequence);
        Wire.put32(segment, at + ACKNOWLEDGMENT_OFFSET, (int) acknowledgment);
        Wire.put8(segment, at + DATA_OFFSET, LENGTH / 4 << 4);
        Wire.put8(segment, at + FLAGS_OFFSET, flags);
        Wire.put16(segment, at + WINDOW_OFFSET, window);
        Wire.put16(segment, at + CHECKSUM_OFFSET, 0);
        Wire.put16(segment, at + URGENT_OFFSET, 0);
    }
}
