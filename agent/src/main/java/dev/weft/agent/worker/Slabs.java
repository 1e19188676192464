package dev.weft.agent.worker;

import java.util.Arrays;

/** Small helps for structures of parallel arrays linked by slot numbers. */
final class Slabs {
    /** No slot: the end of every chain. */
    static final int NONE = -1;

    private Slabs() {}

    static int[] none(int length) {
        int[] array = new int[length];
        Arrays.fill(array, NONE);
        return array;
    }

    /** A chain through all slots, 0 first: the free list at the start. */
    static int[] chained(int length) {
        int[] next = new int[length];
        for (int slot = 0; slot < length; slot++) {
            next[slot] = slot + 1 < length ? slot + 1 : NONE;
        }
        return next;
    }

    /** Buckets for so many entries: a power of two, at least as many. */
    static int[] buckets(int entries) {
        return none(Integer.highestOneBit(Math.max(2, entries) * 2 - 1));
    }

    static void require(String what, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(what + " " + value + " (expected " + least + ".." + most + ")");
        }
    }
}
