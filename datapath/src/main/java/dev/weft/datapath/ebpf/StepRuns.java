package dev.weft.datapath.ebpf;

import dev.weft.datapath.ebpf.Layout.Step;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.BitSet;

/**
 * Steps of flows that have several, each flow's in a row of the kernel's {@code steps}. Only floods have them, so a lock
 * and a search for room will do. Any thread.
 */
final class StepRuns {
    /** No row of free places is long enough. */
    static final int FULL = -1;

    /** Values of a mapped array lie at multiples of 8 bytes. */
    private static final long STRIDE = (Step.SIZE + 7) & ~7;

    private final MemorySegment steps;
    private final BitSet used = new BitSet(Layout.MAX_STEPS);
    /** Where to look first: places just given up come last, since a frame may still be on its way through them. */
    private int next;

    StepRuns(MemorySegment steps) {
        this.steps = steps;
    }

    /** Writes them where there is room. Returns the first one's place, or {@link #FULL}. */
    synchronized int store(MemorySegment source, int count) {
        int begin = find(next, count);
        if (begin == FULL) {
            begin = find(0, count);
        }
        if (begin == FULL) {
            return FULL;
        }
        used.set(begin, begin + count);
        next = begin + count;
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(source, (long) i * Step.SIZE, steps, (begin + i) * STRIDE, Step.SIZE);
        }
        VarHandle.releaseFence();
        return begin;
    }

    private int find(int from, int count) {
        int at = from;
        while (true) {
            int begin = used.nextClearBit(at);
            if (begin + count > Layout.MAX_STEPS) {
                return FULL;
            }
            int end = used.nextSetBit(begin);
            if (end < 0 || end - begin >= count) {
                return begin;
            }
            at = end;
        }
    }

    synchronized void release(int first, int count) {
        used.clear(first, first + count);
    }

    /** A surviving flow's steps are where they are. */
    synchronized void keep(int first, int count) {
        used.set(first, first + count);
    }

    /** One step, in place. */
    MemorySegment step(int index) {
        return steps.asSlice(index * STRIDE, Step.SIZE);
    }
}
