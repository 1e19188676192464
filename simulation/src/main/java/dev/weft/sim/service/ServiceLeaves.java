package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The leaves of a {@link ServiceTrie}: prefixes with their entries, those of one node or bucket together, each with a cache
 * line of its own. Each list has room for the next power of two, two at least. The entries lie in an array of their own at
 * the same places, so that a processor reads a prefix and its entry at the same time. Not thread safe.
 */
@HotPath
final class ServiceLeaves {
    static final int WORDS = 8;
    /** Behind the array's header of 16 octets, so that a record fills one cache line where the array begins on one. */
    static final int ALIGN = 6;

    private static final int CLASSES = 7;
    private static final int HEAD = 4;
    private static final int NONE = -1;

    /** By length of a prefix: four words of its bits. */
    private static final long[] MASKS = masks();

    private long[] words = new long[ALIGN + 64 * WORDS];
    private @Nullable ServiceEntry[] entries = new ServiceEntry[64];
    private int used;
    /** By size, as a power of two: the first free list, each of which holds the place of the next. */
    private final int[] free = new int[CLASSES];

    ServiceLeaves() {
        Arrays.fill(free, NONE);
    }

    private static long[] masks() {
        var masks = new long[4 * (ServiceId.BITS + 1)];
        for (int i = 0; i < masks.length; i++) {
            masks[i] = ServicePrefix.mask(i >>> 2, i & 3);
        }
        return masks;
    }

    /**
     * Whether these bits begin with the leaf's prefix. One branch that is easy to guess, so that a processor that waits
     * for the leaf goes on meanwhile.
     */
    boolean matches(int leaf, long w0, long w1, long w2, long w3) {
        int mask = bits(leaf) << 2;
        long difference = (words[leaf] ^ w0) & MASKS[mask]
                | (words[leaf + 1] ^ w1) & MASKS[mask + 1]
                | (words[leaf + 2] ^ w2) & MASKS[mask + 2]
                | (words[leaf + 3] ^ w3) & MASKS[mask + 3];
        return difference == 0;
    }

    /** Where in {@link #words} a leaf is. */
    int at(int place, int rank) {
        return ALIGN + (place + rank) * WORDS;
    }

    /** The prefix is the first four words of each leaf. */
    long[] words() {
        return words;
    }

    int bits(int leaf) {
        return (int) words[leaf + HEAD];
    }

    ServiceEntry entry(int leaf) {
        if (entries[(leaf - ALIGN) / WORDS] instanceof ServiceEntry entry) {
            return entry;
        }
        throw new IllegalStateException("leaf " + leaf + " without an entry");
    }

    void set(int leaf, ServiceEntry entry) {
        for (int i = 0; i < HEAD; i++) {
            words[leaf + i] = entry.prefix().id().word(i);
        }
        words[leaf + HEAD] = entry.prefix().bits();
        entries[(leaf - ALIGN) / WORDS] = entry;
    }

    /** The place of the list with one leaf more. */
    int insert(int place, int size, int rank, ServiceEntry entry) {
        int to = place;
        if (size == 0 || sizeClass(size + 1) != sizeClass(size)) {
            to = allocate(size + 1);
            move(place, to, rank);
            move(place + rank, to + rank + 1, size - rank);
            if (size > 0) {
                free(place, size);
            }
        } else {
            move(place + rank, place + rank + 1, size - rank);
        }
        set(at(to, rank), entry);
        return to;
    }

    /** The place of the list with one leaf less; 0 when it was the last. */
    int remove(int place, int size, int rank) {
        if (size == 1) {
            free(place, 1);
            return 0;
        }
        if (sizeClass(size - 1) == sizeClass(size)) {
            move(place + rank + 1, place + rank, size - 1 - rank);
            entries[place + size - 1] = null;
            return place;
        }
        int to = allocate(size - 1);
        move(place, to, rank);
        move(place + rank + 1, to + rank, size - 1 - rank);
        free(place, size);
        return to;
    }

    /** Gives back a list of this size. */
    void free(int place, int size) {
        words[at(place, 0)] = free[sizeClass(size)];
        free[sizeClass(size)] = place;
        Arrays.fill(entries, place, place + size, null);
    }

    private void move(int from, int to, int count) {
        System.arraycopy(words, at(from, 0), words, at(to, 0), count * WORDS);
        System.arraycopy(entries, from, entries, to, count);
    }

    /** Room for a list of this size; its place is even. */
    int allocate(int size) {
        int sizeClass = sizeClass(size);
        int place = free[sizeClass];
        if (place != NONE) {
            free[sizeClass] = (int) words[at(place, 0)];
            return place;
        }
        place = used;
        used += 1 << sizeClass;
        while (used > entries.length) {
            words = Arrays.copyOf(words, ALIGN + 2 * (words.length - ALIGN));
            entries = Arrays.copyOf(entries, 2 * entries.length);
        }
        return place;
    }

    private static int sizeClass(int size) {
        return Math.max(1, Blocks.sizeClass(size));
    }
}
