package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * The SERVICE extension: type 2(4) 0(4) | length 36(8) | 0(16) | service id(256). In unconnected datagrams the first is
 * the destination, the second the source.
 */
@HotPath
public final class SalService {
    public static final int LENGTH = 36;

    static final int ID_OFFSET = 4;

    private SalService() {}

    /** @param index 0..3: 64 bits of the id, the first bit highest */
    public static long word(MemorySegment segment, long at, int index) {
        return Wire.i64(segment, at + ID_OFFSET + (long) Long.BYTES * index);
    }

    public static void write(MemorySegment segment, long at, long word0, long word1, long word2, long word3) {
        SalExtension.writeHead(segment, at, SalExtension.SERVICE, LENGTH);
        Wire.put64(segment, at + ID_OFFSET, word0);
        Wire.put64(segment, at + ID_OFFSET + 8, word1);
        Wire.put64(segment, at + ID_OFFSET + 16, word2);
        Wire.put64(segment, at + ID_OFFSET + 24, word3);
    }
}
