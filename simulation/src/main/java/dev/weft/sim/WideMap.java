package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * Three words to three words: open addressing with linear probing, all memory taken at construction. Keys come from
 * strangers, so the hash is seeded. Not thread safe.
 */
@HotPath
final class WideMap {
    /** No slot. */
    static final int NONE = -1;

    private static final int KEY = 3;
    private static final int WORDS = 6;

    // Immutable after construction.
    private final int capacity;
    private final int mask;
    private final long seed;
    // Owned by the worker thread.
    private final long[] words;
    private final boolean[] used;
    private int size;

    WideMap(int capacity, long seed) {
        this.capacity = capacity;
        this.seed = seed;
        int slots = Integer.highestOneBit(Math.max(4, capacity) * 2 - 1) * 2;
        mask = slots - 1;
        words = new long[Math.multiplyExact(slots, WORDS)];
        used = new boolean[slots];
    }

    int size() {
        return size;
    }

    boolean isFull() {
        return size == capacity;
    }

    int find(long a, long b, long c) {
        int slot = home(a, b, c);
        while (used[slot]) {
            if (isAt(slot, a, b, c)) {
                return slot;
            }
            slot = slot + 1 & mask;
        }
        return NONE;
    }

    /** @param index 0..2 */
    long value(int slot, int index) {
        return words[slot * WORDS + KEY + index];
    }

    void setValues(int slot, long x, long y, long z) {
        int at = slot * WORDS + KEY;
        words[at] = x;
        words[at + 1] = y;
        words[at + 2] = z;
    }

    /** Adds a key that is not there; the map must not be full. */
    int add(long a, long b, long c) {
        int slot = home(a, b, c);
        while (used[slot]) {
            slot = slot + 1 & mask;
        }
        used[slot] = true;
        int at = slot * WORDS;
        words[at] = a;
        words[at + 1] = b;
        words[at + 2] = c;
        size++;
        return slot;
    }

    void remove(int slot) {
        int hole = slot;
        int next = hole;
        while (true) {
            next = next + 1 & mask;
            if (!used[next]) {
                break;
            }
            int at = next * WORDS;
            int home = home(words[at], words[at + 1], words[at + 2]);
            // The entry may fill the hole unless its home lies behind the hole on its way here.
            if ((next - home & mask) >= (next - hole & mask)) {
                System.arraycopy(words, at, words, hole * WORDS, WORDS);
                hole = next;
            }
        }
        used[hole] = false;
        size--;
    }

    /** Slots there are, used or not. */
    int slots() {
        return used.length;
    }

    boolean isUsed(int slot) {
        return used[slot];
    }

    /** @param index 0..2 */
    long key(int slot, int index) {
        return words[slot * WORDS + index];
    }

    void clear() {
        Arrays.fill(used, false);
        size = 0;
    }

    private int home(long a, long b, long c) {
        return (int) Hashing.combine(Hashing.combine(seed ^ a, b), c) & mask;
    }

    private boolean isAt(int slot, long a, long b, long c) {
        int at = slot * WORDS;
        return words[at] == a && words[at + 1] == b && words[at + 2] == c;
    }
}
