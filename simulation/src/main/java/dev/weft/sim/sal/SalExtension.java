package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/** How each SAL extension begins: type(4) reserved(4) | length in octets with these two(8). PAD is its first octet only. */
@HotPath
public final class SalExtension {
    public static final int PAD = 0;
    public static final int CONTROL = 1;
    public static final int SERVICE = 2;
    public static final int ADDRESS = 3;
    public static final int SOURCE = 4;

    /** In one packet, each PAD octet counted. */
    public static final int MAX_COUNT = 10;

    static final int HEAD_LENGTH = 2;
    private static final int LENGTH_OFFSET = 1;

    private SalExtension() {}

    public static int type(MemorySegment segment, long at) {
        return Wire.u8(segment, at) >>> 4;
    }

    /** In octets; not of a PAD. */
    public static int length(MemorySegment segment, long at) {
        return Wire.u8(segment, at + LENGTH_OFFSET);
    }

    static void writeHead(MemorySegment segment, long at, int type, int length) {
        Wire.put8(segment, at, type << 4);
        setLength(segment, at, length);
        Wire.put16(segment, at + HEAD_LENGTH, 0);
    }

    static void writePad(MemorySegment segment, long at) {
        Wire.put8(segment, at, PAD);
    }

    static void setLength(MemorySegment segment, long at, int length) {
        Wire.put8(segment, at + LENGTH_OFFSET, length);
    }
}
