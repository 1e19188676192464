package dev.weft.sim.match;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import java.util.List;

/**
 * Longest-prefix match over 128 bits for both families (IPv4 is mapped): a trie whose nodes look at up to 24 bits at
 * once, as one flat array. Immutable.
 *
 * <p>A lookup also says how many bits of the address prove its answer: up to the first bit in which every longer prefix
 * differs, so that any address equal on those bits gets the same answer.
 *
 * <p>Of a node's slots, equal neighbours share one entry: a bit is set where an entry begins, and counting the bits up to
 * a slot finds the entry. A chunk of 64 slots brings its own bits and the place of its entries, so that a node costs two
 * reads however many bits it looks at. What lies between a node and the entry that leads to it, since all prefixes below
 * are equal there, is compared at once.
 *
 * <pre>
 * entry, an answer:  0 (63) | value + 1 (62..32; 0 = none) | bits of its prefix (15..8) | proven bits (7..0)
 * entry, a node:     1 (63) | compares (45) | bits it looks at (44..40) | bits above it (39..32) | its place (31..0)
 * node:              [prefix high | prefix low | answer of what differs from it] where it compares
 *                    then, by 64 slots: bits where entries begin | place of the first entry
 *                    or one answer alone, where it looks at no bits
 * </pre>
 */
@HotPath
public final class Lpm {
    public static final int NONE = -1;
    public static final Lpm EMPTY = new Lpm(0, new long[0], new int[0]);

    static final int STRIDE_SHIFT = 40;
    static final int DEPTH_SHIFT = 32;
    static final long NODE = 1L << 63;
    static final long COMPARES = 1L << 45;
    /** Words of what a node compares. */
    static final int COMPARED = 3;

    static final int CHUNK_SHIFT = 6;
    static final int CHUNK_WORDS = 2;

    private static final int STRIDE_MASK = 0x1f;
    private static final int BITS_SHIFT = 8;
    private static final int BYTE = 0xff;

    private final long root;
    private final long[] nodes;
    /** By position: that of the next shorter prefix around it. */
    private final int[] outer;

    Lpm(long root, long[] nodes, int[] outer) {
        this.root = root;
        this.nodes = nodes;
        this.outer = outer;
    }

    /** The values are the positions in the list; no prefix may occur twice. */
    public static Lpm of(List<IpPrefix> prefixes) {
        return prefixes.isEmpty() ? EMPTY : new LpmBuilder(prefixes, null).build();
    }

    /** @param values 0 or more each, by position; what is {@link #outer} stays by position */
    public static Lpm of(List<IpPrefix> prefixes, int[] values) {
        return prefixes.isEmpty() ? EMPTY : new LpmBuilder(prefixes, values).build();
    }

    /** Packed: take it apart with {@link #value}, {@link #bits} and {@link #proven}. */
    public long lookup(long high, long low) {
        long entry = root;
        while (entry < 0) {
            int at = (int) entry;
            int depth = (int) (entry >>> DEPTH_SHIFT) & BYTE;
            int stride = (int) (entry >>> STRIDE_SHIFT) & STRIDE_MASK;
            if ((entry & COMPARES) != 0) {
                int common = commonBits(nodes[at] ^ high, nodes[at + 1] ^ low);
                if (common < depth) {
                    return nodes[at + 2] | common + 1;
                }
                at += COMPARED;
                if (stride == 0) {
                    return nodes[at];
                }
            }
            // Shifts count modulo 64: no node looks at bits of both halves.
            int slot = (int) ((depth < 64 ? high : low) << depth >>> -stride);
            at += (slot >>> CHUNK_SHIFT) * CHUNK_WORDS;
            int rank = Long.bitCount(nodes[at] & -1L >>> ~slot) - 1;
            entry = nodes[(int) nodes[at + 1] + rank];
        }
        return entry;
    }

    /** The value of the longest prefix, {@link #NONE} when none matches. */
    public static int value(long found) {
        return (int) (found >>> 32) - 1;
    }

    /** The length of the longest prefix in bits, 0..128; 0 when none matches. */
    public static int bits(long found) {
        return (int) found >>> BITS_SHIFT;
    }

    /** How many leading bits prove it, 0..128. */
    public static int proven(long found) {
        return (int) found & BYTE;
    }

    /** As a lookup gives it. */
    public static long answer(int value, int bits, int proven) {
        return (long) (value + 1) << 32 | bits << BITS_SHIFT | proven;
    }

    /** The position of the longest prefix around the one at this position, {@link #NONE} when there is none. */
    public int outer(int position) {
        return outer[position];
    }

    /** Of the array that lookups read, in 64-bit words. */
    int words() {
        return nodes.length;
    }

    /** Leading zeros of the 128 bits. */
    public static int commonBits(long highDifference, long lowDifference) {
        return highDifference != 0
                ? Long.numberOfLeadingZeros(highDifference)
                : 64 + Long.numberOfLeadingZeros(lowDifference);
    }
}
