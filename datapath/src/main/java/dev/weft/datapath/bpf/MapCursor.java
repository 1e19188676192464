package dev.weft.datapath.bpf;

import dev.weft.base.HotPath;
import dev.weft.datapath.kernel.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads all entries of a map in batches (BPF_MAP_LOOKUP_BATCH). Belongs to one thread. Entries that come and go
 * meanwhile may be told or not; one that stays is told once.
 */
public final class MapCursor implements AutoCloseable {
    static final int END = 1 << 30;
    private static final int MIN_TOKEN_SIZE = 8;

    private final BpfMap map;
    private final Arena arena = Arena.ofShared();
    // Where the next batch begins, as the kernel put it: a bucket number or a key. It may not read and write one place.
    private final MemorySegment tokens;
    private final long tokenSize;
    private long from;
    private boolean end;

    MapCursor(BpfMap map) {
        this.map = map;
        this.tokenSize = Math.max(MIN_TOKEN_SIZE, map.keySize() + 7 & ~7);
        this.tokens = arena.allocate(2 * tokenSize, 8);
    }

    /**
     * Reads on, into packed keys and packed values ({@link BpfMap#valueBytes} each).
     *
     * @param count room for so many entries, at least as many as fall into one bucket of the hash
     * @return entries read; 0 when there are no more; {@code -ENOSPC} when one bucket holds more than {@code count}:
     *     come back with more room; or another {@code -errno}
     */
    @HotPath
    public int next(long keysAddress, long valuesAddress, int count) {
        while (!end) {
            long to = from == tokens.address() ? tokens.address() + tokenSize : tokens.address();
            int result = map.lookupBatch(from, to, keysAddress, valuesAddress, count);
            if (Errno.EINTR.is(result)) {
                continue;
            }
            if (result < 0) {
                return result;
            }
            from = to;
            end = (result & END) != 0;
            int read = result & ~END;
            if (read > 0) {
                return read;
            }
        }
        return 0;
    }

    /** Begins again at the first entry. */
    public void rewind() {
        from = 0;
        end = false;
    }

    @Override
    public void close() {
        arena.close();
    }
}
