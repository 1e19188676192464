package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * The CONTROL extension.
 *
 * <pre>
 * type 1(4) 0(4) | length 20(8) | SYN RSYN ACK NACK RST FIN 0 0 | 0(8)
 * verno(32): sequence number of control packets
 * ackno(32): the next verno expected
 * nonce(64): the sender's, the same in all its packets of a connection
 * </pre>
 */
@HotPath
public final class SalControl {
    public static final int LENGTH = 20;

    public static final int SYN = 0x80;
    /** Of a migration: from the new address. */
    public static final int RSYN = 0x40;

    public static final int ACK = 0x20;
    /** Never sent. */
    public static final int NACK = 0x10;

    public static final int RST = 0x08;
    public static final int FIN = 0x04;
    public static final int FLAGS = SYN | RSYN | ACK | NACK | RST | FIN;

    static final int FLAGS_OFFSET = 2;
    private static final int VERNO_OFFSET = 4;
    private static final int ACKNO_OFFSET = 8;
    private static final int NONCE_OFFSET = 12;

    private SalControl() {}

    /** Without the reserved bits, in which real packets have garbage. */
    public static int flags(MemorySegment segment, long at) {
        return Wire.u8(segment, at + FLAGS_OFFSET) & FLAGS;
    }

    /** It opens a connection, and so must name a service. */
    public static boolean opens(int flags) {
        return (flags & (SYN | ACK)) == SYN;
    }

    public static int verno(MemorySegment segment, long at) {
        return Wire.i32(segment, at + VERNO_OFFSET);
    }

    public static int ackno(MemorySegment segment, long at) {
        return Wire.i32(segment, at + ACKNO_OFFSET);
    }

    public static long nonce(MemorySegment segment, long at) {
        return Wire.i64(segment, at + NONCE_OFFSET);
    }

    public static void write(MemorySegment segment, long at, int flags, int verno, int ackno, long nonce) {
        SalExtension.writeHead(segment, at, SalExtension.CONTROL, LENGTH);
        Wire.put8(segment, at + FLAGS_OFFSET, flags & FLAGS);
        Wire.put32(segment, at + VERNO_OFFSET, verno);
        Wire.put32(segment, at + ACKNO_OFFSET, ackno);
        Wire.put64(segment, at + NONCE_OFFSET, nonce);
    }
}
