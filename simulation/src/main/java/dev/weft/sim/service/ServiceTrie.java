package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import java.util.Arrays;

/**
 * Longest-prefix match over 256 bits: a trie that takes six bits at a time, with the levels between branchings left out.
 * A prefix that is alone below a branching is a leaf there, so that a million random ids are four levels deep.
 *
 * <p>In place and not thread safe. Lookups touch one cache line per level and one for the prefix found; a change moves one
 * block of at most 64 numbers.
 *
 * <pre>
 * node, eight words, at a depth d that is a multiple of six:
 *   0..3  the first d bits of all below
 *   4     prefixes that end here: bit (1 << n) - 1 + b for the n bits b behind d, n = 0..5; so the longest is highest
 *   5     children, a bit for each of the 64 values of the six bits behind d
 *   6     block of the values of word 4 (63..32) | block of the children of word 5 (31..0), in the order of their bits
 *   7     d
 * child  a node's number, or ~value of a leaf
 * leaf, eight words:  0..3 the prefix | 4 its length
 * </pre>
 */
@HotPath
final class ServiceTrie {
    static final int NONE = -1;

    private static final int STRIDE = 6;
    private static final int WORDS = 8;
    /** Behind the array's header of 16 octets, so that a record fills one cache line where the array begins on one. */
    private static final int ALIGN = 6;

    private static final int ENDING = 4;
    private static final int CHILDREN = 5;
    private static final int BLOCKS = 6;
    private static final int DEPTH = 7;
    private static final int BITS = 4;

    /** By six bits: the prefixes of those bits, as in word 4. */
    private static final long[] ENDING_BEFORE = endingBefore();

    private static final int ROOT = ALIGN;

    private final Blocks blocks = new Blocks();
    private long[] nodes = new long[ALIGN + 64 * WORDS];
    private int nodeCount = 1;
    /** Linked through their first words. */
    private int freeNode = NONE;

    private long[] leaves = new long[ALIGN + 64 * WORDS];

    // Of the last lookup, for proven().
    private int lastNode;
    private int lastIndex;
    private int lastProven;

    private static long[] endingBefore() {
        var masks = new long[1 << STRIDE];
        for (int index = 0; index < masks.length; index++) {
            for (int length = 0; length < STRIDE; length++) {
                masks[index] |= 1L << ending(index, length);
            }
        }
        return masks;
    }

    private static int ending(int index, int length) {
        return (1 << length) - 1 + (index >>> (STRIDE - length));
    }

    /** The value of the longest prefix of these bits, or {@link #NONE}. */
    int lookup(long w0, long w1, long w2, long w3) {
        int node = ROOT;
        int depth = 0;
        int best = NONE;
        while (true) {
            int index = index(depth, w0, w1, w2, w3);
            long ending = nodes[node + ENDING];
            long before = ending & ENDING_BEFORE[index];
            if (before != 0) {
                int bit = 63 - Long.numberOfLeadingZeros(before);
                best = (int) (nodes[node + BLOCKS] >>> 32) + Long.bitCount(ending & (1L << bit) - 1);
            }
            long children = nodes[node + CHILDREN];
            if ((children >>> index & 1) == 0) {
                lastNode = node;
                lastIndex = index;
                return best == NONE ? NONE : blocks.get(best);
            }
            int child = blocks.get((int) nodes[node + BLOCKS] + Long.bitCount(children & (1L << index) - 1));
            lastNode = NONE;
            if (child < 0) {
                int leaf = leaf(~child);
                int bits = (int) leaves[leaf + BITS];
                int common = common(leaves, leaf, w0, w1, w2, w3);
                lastProven = Math.min(bits, common + 1);
                return common >= bits ? ~child : best == NONE ? NONE : blocks.get(best);
            }
            node = node(child);
            int below = (int) nodes[node + DEPTH];
            if (below > depth + STRIDE) {
                int common = common(nodes, node, w0, w1, w2, w3);
                if (common < below) {
                    lastProven = common + 1;
                    return best == NONE ? NONE : blocks.get(best);
                }
            }
            depth = below;
        }
    }

    /** How many leading bits of what was looked up last prove its answer, 0..256: equal on them, equal in the answer. */
    int proven() {
        if (lastNode == NONE) {
            return lastProven;
        }
        long ending = nodes[lastNode + ENDING];
        long before = ending & ENDING_BEFORE[lastIndex];
        int matched = before == 0 ? NONE : 31 - Integer.numberOfLeadingZeros(64 - Long.numberOfLeadingZeros(before));
        int bits = Math.max(matched, 0);
        while (hasLonger(lastNode, lastIndex, bits, matched)) {
            bits++;
        }
        return Math.min((int) nodes[lastNode + DEPTH] + bits, ServiceId.BITS);
    }

    /** Whether a prefix longer than {@code matched}, or a child, shares the first {@code bits} of the index. */
    private boolean hasLonger(int node, int index, int bits, int matched) {
        int rest = STRIDE - bits;
        long span = rest == STRIDE ? -1L : (1L << (1 << rest)) - 1;
        if ((nodes[node + CHILDREN] & span << (index >>> rest << rest)) != 0) {
            return true;
        }
        for (int length = Math.max(bits, matched + 1); length < STRIDE; length++) {
            int more = length - bits;
            long under = (1L << (1 << more)) - 1 << ending(index >>> rest << rest, length);
            if ((nodes[node + ENDING] & under) != 0) {
                return true;
            }
        }
        return false;
    }

    /** The value of exactly this prefix, or {@link #NONE}. */
    int exact(ServicePrefix prefix) {
        ServiceId id = prefix.id();
        int node = ROOT;
        while (true) {
            int depth = (int) nodes[node + DEPTH];
            int index = index(depth, id);
            int item = item(node, prefix.bits(), index);
            if (item < 0) {
                return item != NONE_ITEM && isLeaf(~item, prefix) ? ~item : NONE;
            }
            node = node(item);
            if (prefix.bits() < nodes[node + DEPTH] || common(nodes, node, id) < nodes[node + DEPTH]) {
                return NONE;
            }
        }
    }

    private static final int NONE_ITEM = Integer.MIN_VALUE;

    /** What a prefix of this length finds in the node: ~value, a child node, or {@link #NONE_ITEM}. */
    private int item(int node, int bits, int index) {
        int length = bits - (int) nodes[node + DEPTH];
        boolean ends = length < STRIDE;
        int bit = ends ? ending(index, length) : index;
        long map = nodes[node + (ends ? ENDING : CHILDREN)];
        if ((map >>> bit & 1) == 0) {
            return NONE_ITEM;
        }
        int item = blocks.get(block(node, ends) + Long.bitCount(map & (1L << bit) - 1));
        return ends ? ~item : item;
    }

    /** Adds a prefix that is not there. */
    void insert(ServicePrefix prefix, int value) {
        setLeaf(prefix, value);
        int node = ROOT;
        while (true) {
            int depth = (int) nodes[node + DEPTH];
            int index = index(depth, prefix.id());
            if (prefix.bits() < depth + STRIDE || (nodes[node + CHILDREN] >>> index & 1) == 0) {
                place(node, prefix, value);
                return;
            }
            int child = item(node, depth + STRIDE, index);
            int split =
                    child < 0 ? split(leaves, leaf(~child), BITS, prefix) : split(nodes, node(child), DEPTH, prefix);
            if (child < 0 || split < nodes[node(child) + DEPTH]) {
                int between = addNode(prefix, split / STRIDE * STRIDE);
                put(node, false, index, between);
                hang(node(between), child);
                place(node(between), prefix, value);
                return;
            }
            node = node(child);
        }
    }

    /** Where the prefix leaves what a record, as long as its word at {@code length} says, stands for. */
    private static int split(long[] records, int at, int length, ServicePrefix prefix) {
        return Math.min(common(records, at, prefix.id()), Math.min(prefix.bits(), (int) records[at + length]));
    }

    /** Puts a leaf or node below a node that is new. */
    private void hang(int node, int item) {
        if (item < 0) {
            int leaf = leaf(~item);
            placeAt(node, leaves, leaf, (int) leaves[leaf + BITS], ~item, item);
        } else {
            placeAt(node, nodes, node(item), Integer.MAX_VALUE, NONE, item);
        }
    }

    private void place(int node, ServicePrefix prefix, int value) {
        placeAt(node, leaves, leaf(value), prefix.bits(), value, ~value);
    }

    private void placeAt(int node, long[] records, int at, int bits, int value, int child) {
        int depth = (int) nodes[node + DEPTH];
        int index = index(depth, records[at], records[at + 1], records[at + 2], records[at + 3]);
        if (bits < depth + STRIDE) {
            put(node, true, ending(index, bits - depth), value);
        } else {
            put(node, false, index, child);
        }
    }

    /** Takes a prefix away that is there. */
    void remove(ServicePrefix prefix) {
        int above = NONE;
        int aboveIndex = 0;
        int node = ROOT;
        while (true) {
            int depth = (int) nodes[node + DEPTH];
            int index = index(depth, prefix.id());
            if (prefix.bits() < depth + STRIDE) {
                take(node, true, ending(index, prefix.bits() - depth));
                break;
            }
            int child = item(node, prefix.bits(), index);
            if (child < 0) {
                take(node, false, index);
                break;
            }
            above = node;
            aboveIndex = index;
            node = node(child);
        }
        if (above != NONE && Long.bitCount(nodes[node + ENDING]) + Long.bitCount(nodes[node + CHILDREN]) == 1) {
            dissolve(above, aboveIndex, node);
        }
    }

    /** Puts the only thing left below a node in its place. */
    private void dissolve(int above, int index, int node) {
        boolean ends = nodes[node + ENDING] != 0;
        int item = blocks.get(block(node, ends));
        blocks.free(block(node, ends), 1);
        put(above, false, index, ends ? ~item : item);
        nodes[node] = freeNode;
        freeNode = (node - ALIGN) / WORDS;
    }

    private int addNode(ServicePrefix prefix, int depth) {
        int number = freeNode;
        if (number == NONE) {
            number = nodeCount++;
            if (node(number) + WORDS > nodes.length) {
                nodes = Arrays.copyOf(nodes, ALIGN + 2 * (nodes.length - ALIGN));
            }
        } else {
            freeNode = (int) nodes[node(number)];
        }
        int at = node(number);
        for (int i = 0; i < 4; i++) {
            nodes[at + i] = prefix.id().word(i) & ServicePrefix.mask(depth, i);
        }
        nodes[at + ENDING] = 0;
        nodes[at + CHILDREN] = 0;
        nodes[at + BLOCKS] = 0;
        nodes[at + DEPTH] = depth;
        return number;
    }

    private void setLeaf(ServicePrefix prefix, int value) {
        int at = leaf(value);
        while (at + WORDS > leaves.length) {
            leaves = Arrays.copyOf(leaves, ALIGN + 2 * (leaves.length - ALIGN));
        }
        for (int i = 0; i < 4; i++) {
            leaves[at + i] = prefix.id().word(i);
        }
        leaves[at + BITS] = prefix.bits();
    }

    private boolean isLeaf(int value, ServicePrefix prefix) {
        int leaf = leaf(value);
        return leaves[leaf + BITS] == prefix.bits() && common(leaves, leaf, prefix.id()) >= prefix.bits();
    }

    private void put(int node, boolean ends, int bit, int item) {
        int word = node + (ends ? ENDING : CHILDREN);
        long map = nodes[word];
        int rank = Long.bitCount(map & (1L << bit) - 1);
        if ((map >>> bit & 1) != 0) {
            blocks.set(block(node, ends) + rank, item);
            return;
        }
        setBlock(node, ends, blocks.insert(block(node, ends), Long.bitCount(map), rank, item));
        nodes[word] = map | 1L << bit;
    }

    private void take(int node, boolean ends, int bit) {
        int word = node + (ends ? ENDING : CHILDREN);
        long map = nodes[word];
        int rank = Long.bitCount(map & (1L << bit) - 1);
        setBlock(node, ends, blocks.remove(block(node, ends), Long.bitCount(map), rank));
        nodes[word] = map & ~(1L << bit);
    }

    private int block(int node, boolean ends) {
        return (int) (ends ? nodes[node + BLOCKS] >>> 32 : nodes[node + BLOCKS]);
    }

    private void setBlock(int node, boolean ends, int block) {
        long both = nodes[node + BLOCKS];
        nodes[node + BLOCKS] =
                ends ? both & 0xffff_ffffL | (long) block << 32 : both & ~0xffff_ffffL | block & 0xffff_ffffL;
    }

    private static int node(int number) {
        return ALIGN + number * WORDS;
    }

    private static int leaf(int value) {
        return ALIGN + value * WORDS;
    }

    private static int index(int depth, ServiceId id) {
        return index(depth, id.word0(), id.word1(), id.word2(), id.word3());
    }

    /** Six bits from a depth on, those behind the last being 0. */
    private static int index(int depth, long w0, long w1, long w2, long w3) {
        int word = depth >>> 6;
        int offset = depth & 63;
        long here = word == 0 ? w0 : word == 1 ? w1 : word == 2 ? w2 : w3;
        int index = (int) (here << offset >>> 64 - STRIDE);
        if (offset > 64 - STRIDE && word < 3) {
            long next = word == 0 ? w1 : word == 1 ? w2 : w3;
            index |= (int) (next >>> 128 - STRIDE - offset);
        }
        return index;
    }

    private static int common(long[] records, int at, ServiceId id) {
        return common(records, at, id.word0(), id.word1(), id.word2(), id.word3());
    }

    /** Leading bits in which a record and an id agree. */
    private static int common(long[] records, int at, long w0, long w1, long w2, long w3) {
        long difference = records[at] ^ w0;
        if (difference != 0) {
            return Long.numberOfLeadingZeros(difference);
        }
        difference = records[at + 1] ^ w1;
        if (difference != 0) {
            return 64 + Long.numberOfLeadingZeros(difference);
        }
        difference = records[at + 2] ^ w2;
        if (difference != 0) {
            return 128 + Long.numberOfLeadingZeros(difference);
        }
        return 192 + Long.numberOfLeadingZeros(records[at + 3] ^ w3);
    }
}
