package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts that one worker writes and anyone may read, by small index. A reader sees each count as it was at some recent
 * moment, not all of them at one moment.
 */
@HotPath
public final class Counters {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

    // Cells of different workers on one cache line would make them wait for each other: a line of 128 bytes (two of 64,
    // which are fetched in pairs) stays empty at both ends.
    private static final int PADDING = 128 / Long.BYTES;

    private final long[] cells;
    private final int size;

    public Counters(int size) {
        Slabs.require("counters", size, 1, 1 << 16);
        this.size = size;
        cells = new long[PADDING + size + PADDING];
    }

    /** By the worker only. */
    public void increment(int index) {
        add(index, 1);
    }

    /** By the worker only. */
    public void add(int index, long count) {
        int cell = PADDING + index;
        CELL.setOpaque(cells, cell, cells[cell] + count);
    }

    /** By the worker only: for a count that a structure keeps itself. */
    public void set(int index, long count) {
        CELL.setOpaque(cells, PADDING + index, count);
    }

    /** By anyone. */
    public long get(int index) {
        return (long) CELL.getOpaque(cells, PADDING + index);
    }

    public int size() {
        return size;
    }
}
