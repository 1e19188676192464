package dev.weft.state;

import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * Chained hashing over numbers that stand for keys kept elsewhere. Fixed arrays; 32 bits of each key's hash are kept so
 * that a chain is walked without looking at the keys. Not thread safe.
 */
@HotPath
final class EntryIndex {
    static final int NONE = -1;

    private final int mask;
    private final int[] buckets;
    private final int[] next;
    private final int[] hashes;

    /** @param expected entries at one time; {@code entries} is how many numbers there are */
    EntryIndex(int entries, int expected) {
        int size = Integer.highestOneBit(Math.max(2, expected) * 2 - 1);
        mask = size - 1;
        buckets = new int[size];
        next = new int[entries];
        hashes = new int[entries];
        Arrays.fill(buckets, NONE);
    }

    void add(int entry, long hash) {
        hashes[entry] = (int) (hash >>> 32);
        int bucket = bucket(hashes[entry]);
        next[entry] = buckets[bucket];
        buckets[bucket] = entry;
    }

    void remove(int entry) {
        int bucket = bucket(hashes[entry]);
        if (buckets[bucket] == entry) {
            buckets[bucket] = next[entry];
            return;
        }
        int before = buckets[bucket];
        while (next[before] != entry) {
            before = next[before];
        }
        next[before] = next[entry];
    }

    /** The first with this hash; then {@link #following}. */
    int first(long hash) {
        return sameHash(buckets[bucket((int) (hash >>> 32))], (int) (hash >>> 32));
    }

    int following(int entry) {
        return sameHash(next[entry], hashes[entry]);
    }

    private int sameHash(int from, int hash) {
        int entry = from;
        while (entry != NONE && hashes[entry] != hash) {
            entry = next[entry];
        }
        return entry;
    }

    private int bucket(int hash) {
        return hash & mask;
    }
}
