package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.ServiceId;
import java.util.Arrays;

/**
 * Buckets of a {@link ServiceTrie}: a few leaves that share the six bits of a node and differ in one to three adjacent
 * bits behind them. Those bits say which leaf an id may have, so that no node has to be read on the way to it. A value of
 * the bits that no leaf has holds the leaf whose bits agree longest with it, which the id then does not match. Not thread
 * safe.
 *
 * <pre>
 * bucket, an int below 0:
 *   1 (31) | how many bits, 1..3 (30..29) | where they begin, behind the depth of the node (28..23)
 *          | half the place of the leaves (22..0)
 * </pre>
 */
@HotPath
final class ServiceBuckets {
    /** Leaves of one bucket. */
    static final int MOST = 8;

    private static final int WIDEST = 3;
    private static final int WIDTH_SHIFT = 29;
    private static final int OFFSET_SHIFT = 23;
    private static final int OFFSETS = 64;

    private final ServiceLeaves leaves;

    ServiceBuckets(ServiceLeaves leaves) {
        this.leaves = leaves;
    }

    static boolean isBucket(int number) {
        return number < 0;
    }

    private static int width(int bucket) {
        return bucket >>> WIDTH_SHIFT & WIDEST;
    }

    private static int offset(int bucket) {
        return bucket >>> OFFSET_SHIFT & OFFSETS - 1;
    }

    private static int place(int bucket) {
        return (bucket & (1 << OFFSET_SHIFT) - 1) << 1;
    }

    /** The one leaf that an id may have, in a bucket below a node of this depth. */
    int leaf(int bucket, int depth, long w0, long w1, long w2, long w3) {
        int six = ServiceBits.index(depth + offset(bucket), w0, w1, w2, w3);
        return leaves.at(place(bucket), six >>> ServiceBits.STRIDE - width(bucket));
    }

    int leaf(int bucket, int depth, ServiceId id) {
        return leaf(bucket, depth, id.word0(), id.word1(), id.word2(), id.word3());
    }

    /** Its leaves' entries, in the order of their bits. */
    ServiceEntry[] entries(int bucket, int depth) {
        var found = new ServiceEntry[MOST];
        int count = 0;
        for (int value = 0; value < 1 << width(bucket); value++) {
            int leaf = leaves.at(place(bucket), value);
            long[] words = leaves.words();
            if (leaf(bucket, depth, words[leaf], words[leaf + 1], words[leaf + 2], words[leaf + 3]) == leaf) {
                found[count++] = leaves.entry(leaf);
            }
        }
        return Arrays.copyOf(found, count);
    }

    void free(int bucket) {
        leaves.free(place(bucket), 1 << width(bucket));
    }

    /** A bucket of these, two or more; 0 when no few bits tell them apart. */
    int make(ServiceEntry[] entries, int depth) {
        int shared = ServiceId.BITS;
        int shortest = ServiceId.BITS;
        for (var entry : entries) {
            shared = Math.min(
                    shared,
                    ServiceBits.common(entries[0].prefix().id(), entry.prefix().id()));
            shortest = Math.min(shortest, entry.prefix().bits());
        }
        for (int width = 1; width <= WIDEST; width++) {
            int from = Math.min(shared, shortest - width);
            if (from >= depth && from - depth < OFFSETS && areApart(entries, from, width)) {
                int place = leaves.allocate(1 << width);
                if (place >>> 1 >= 1 << OFFSET_SHIFT) {
                    leaves.free(place, 1 << width);
                    return 0;
                }
                for (int value = 0; value < 1 << width; value++) {
                    leaves.set(leaves.at(place, value), nearest(entries, from, width, value));
                }
                return 1 << 31 | width << WIDTH_SHIFT | from - depth << OFFSET_SHIFT | place >>> 1;
            }
        }
        return 0;
    }

    private static boolean areApart(ServiceEntry[] entries, int from, int width) {
        int seen = 0;
        for (var entry : entries) {
            int bit = 1 << bits(entry, from, width);
            if ((seen & bit) != 0) {
                return false;
            }
            seen |= bit;
        }
        return true;
    }

    /** What agrees longest with the value, which an id that has it then proves not to be there. */
    private static ServiceEntry nearest(ServiceEntry[] entries, int from, int width, int value) {
        var nearest = entries[0];
        for (var entry : entries) {
            if ((bits(entry, from, width) ^ value) < (bits(nearest, from, width) ^ value)) {
                nearest = entry;
            }
        }
        return nearest;
    }

    private static int bits(ServiceEntry entry, int from, int width) {
        return ServiceBits.index(from, entry.prefix().id()) >>> ServiceBits.STRIDE - width;
    }
}
