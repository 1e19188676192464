package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.ActionList;

/**
 * Room for the actions of all flows: blocks of eight words, chained, so that a flood to eighty hosts and a plain output
 * share one array. Guarded by the flow cache's lock.
 */
@HotPath
final class ActionSlab {
    static final int NONE = -1;

    private static final int BLOCK = 8;

    private final long[] words;
    private final int[] next;
    private final long[] copy = new long[ActionList.MAX_WORDS];
    private int free;
    private int freeCount;

    ActionSlab(int blocks) {
        words = new long[blocks * BLOCK];
        next = new int[blocks];
        for (int i = 0; i < blocks; i++) {
            next[i] = i + 1 < blocks ? i + 1 : NONE;
        }
        free = 0;
        freeCount = blocks;
    }

    boolean hasRoom(ActionList actions) {
        return blocksOf(actions.length()) <= freeCount;
    }

    private static int blocksOf(int length) {
        return (length + BLOCK - 1) / BLOCK;
    }

    /** The first block, {@link #NONE} for an empty list. There must be room. */
    int store(ActionList actions) {
        int length = actions.length();
        actions.copyTo(copy, 0);
        int first = NONE;
        // From the last block to the first, so that each one's successor is known.
        for (int block = blocksOf(length) - 1; block >= 0; block--) {
            int at = free;
            free = next[at];
            freeCount--;
            System.arraycopy(copy, block * BLOCK, words, at * BLOCK, BLOCK);
            next[at] = first;
            first = at;
        }
        return first;
    }

    void load(int first, int length, ActionList target) {
        int at = first;
        for (int done = 0; done < length; done += BLOCK) {
            System.arraycopy(words, at * BLOCK, copy, done, BLOCK);
            at = next[at];
        }
        target.copyFrom(copy, 0, length);
    }

    void release(int first) {
        int at = first;
        while (at != NONE) {
            int after = next[at];
            next[at] = free;
            free = at;
            freeCount++;
            at = after;
        }
    }
}
