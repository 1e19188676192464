package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * The ADDRESS extension: type 3(4) 0(4) | length(8) | 0(16) | verno(32) | ackno(32) | IPv4 addresses. The sender's other
 * interfaces; declared, never sent by the original, and understood by nobody.
 */
@HotPath
public final class SalAddress {
    /** Without an address. */
    public static final int MIN_LENGTH = 12;

    private static final int VERNO_OFFSET = 4;
    private static final int ACKNO_OFFSET = 8;

    private SalAddress() {}

    public static int verno(MemorySegment segment, long at) {
        return Wire.i32(segment, at + VERNO_OFFSET);
    }

    public static int ackno(MemorySegment segment, long at) {
        return Wire.i32(segment, at + ACKNO_OFFSET);
    }

    /** Whole addresses. */
    public static int count(MemorySegment segment, long at) {
        return (SalExtension.length(segment, at) - MIN_LENGTH) >>> 2;
    }

    /** @param index 0..count - 1 */
    public static int address(MemorySegment segment, long at, int index) {
        return Wire.i32(segment, at + MIN_LENGTH + 4L * index);
    }

    /** The addresses are still to be written. */
    public static void write(MemorySegment segment, long at, int verno, int ackno, int addresses) {
        SalExtension.writeHead(segment, at, SalExtension.ADDRESS, MIN_LENGTH + 4 * addresses);
        Wire.put32(segment, at + VERNO_OFFSET, verno);
        Wire.put32(segment, at + ACKNO_OFFSET, ackno);
    }

    public static void setAddress(MemorySegment segment, long at, int index, int address) {
        Wire.put32(segment, at + MIN_LENGTH + 4L * index, address);
    }
}
