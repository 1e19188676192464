package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.ActionList;

/**
 * The action words of many flows, in chunks of 8: a routed unicast fits in one, a flood takes a chain. Not thread safe:
 * part of a {@link FlowBook}.
 */
@HotPath
final class ActionSlab {
    private static final int CHUNK = 8;

    /** Chunks the longest list takes. */
    static final int MAX_CHUNKS = (ActionList.MAX_WORDS + CHUNK - 1) / CHUNK;

    private final long[] words;
    private final int[] next;
    private final long[] whole = new long[ActionList.MAX_WORDS];
    private int free;
    private int available;

    ActionSlab(int chunks) {
        words = new long[Math.multiplyExact(chunks, CHUNK)];
        next = Slabs.chained(chunks);
        available = chunks;
    }

    static int chunksOf(int words) {
        return (words + CHUNK - 1) / CHUNK;
    }

    int available() {
        return available;
    }

    /** The caller has made sure of room. Returns the first chunk; {@link Slabs#NONE} for an empty list. */
    int store(ActionList actions) {
        int length = actions.length();
        int first = NONE;
        int last = NONE;
        for (int at = 0; at < length; at += CHUNK) {
            int chunk = free;
            free = next[chunk];
            available--;
            next[chunk] = NONE;
            for (int i = at; i < Math.min(length, at + CHUNK); i++) {
                words[chunk * CHUNK + i - at] = actions.word(i);
            }
            if (last == NONE) {
                first = chunk;
            } else {
                next[last] = chunk;
            }
            last = chunk;
        }
        return first;
    }

    void read(int first, int length, ActionList into) {
        int chunk = first;
        for (int at = 0; at < length; at += CHUNK) {
            System.arraycopy(words, chunk * CHUNK, whole, at, Math.min(CHUNK, length - at));
            chunk = next[chunk];
        }
        into.copyFrom(whole, 0, length);
    }

    void release(int first) {
        int chunk = first;
        while (chunk != NONE) {
            int following = next[chunk];
            next[chunk] = free;
            free = chunk;
            available++;
            chunk = following;
        }
    }
}
