package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import java.util.Arrays;

/**
 * Longest-prefix match over 256 bits: a trie that takes six bits at a time, with the levels between branchings left out.
 * A prefix that is alone below a branching is a leaf there, so that a million random ids are four levels deep.
 *
 * <p>In place and not thread safe. A lookup touches one cache line per level and one for the leaf, which is what it costs
 * when the table is larger than the caches; so the leaves of a node lie together, in the order of their bits, and need no
 * pointers. A change moves 64 of them at most.
 *
 * <pre>
 * node, eight words, at a depth d that is a multiple of six:
 *   0..3  the first d bits of all below
 *   4     prefixes that end here: bit (1 << n) - 1 + b for the n bits b behind d, n = 0..5; so the longest is highest
 *   5     nodes below, a bit for each of the 64 values of the six bits behind d
 *   6     leaves below, likewise
 *   7     list (63..32) of the values of word 4 and then the numbers of the nodes of word 5, in the order of their bits
 *         | place of the leaves (31..6), in leaves | d / 6 (5..0)
 * leaf, eight words:  0..3 the prefix | 4 its length (63..32), its value (31..0)
 * </pre>
 */
@HotPath
final class ServiceTrie {
    static final int NONE = -1;

    private static final int STRIDE = 6;
    private static final int WORDS = ServiceLeaves.WORDS;
    private static final int ALIGN = ServiceLeaves.ALIGN;

    private static final int ENDING = 4;
    private static final int BELOW = 5;
    private static final int LEAVES = 6;
    private static final int PLACES = 7;
    private static final int DEPTH_BITS = 6;
    private static final int LEAF_BITS = 26;

    /** By six bits: the prefixes of those bits, as in word 4. */
    private static final long[] ENDING_BEFORE = endingBefore();

    private static final int ROOT = ALIGN;

    private final Blocks lists = new Blocks();
    private final ServiceLeaves leaves = new ServiceLeaves();
    private long[] nodes = new long[ALIGN + 64 * WORDS];
    private int nodeCount = 1;
    /** Linked through their first words. */
    private int freeNode = NONE;

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
            long places = nodes[node + PLACES];
            long before = ending & ENDING_BEFORE[index];
            if (before != 0) {
                int bit = 63 - Long.numberOfLeadingZeros(before);
                best = (int) (places >>> 32) + rank(ending, bit);
            }
            long bit = 1L << index;
            long leafMap = nodes[node + LEAVES];
            if ((leafMap & bit) != 0) {
                int leaf = leaves.at(leafPlace(places), rank(leafMap, index));
                lastNode = NONE;
                if (leaves.matches(leaf, w0, w1, w2, w3)) {
                    lastProven = leaves.bits(leaf);
                    return leaves.value(leaf);
                }
                lastProven = common(leaves.words(), leaf, w0, w1, w2, w3) + 1;
                return best(best);
            }
            long below = nodes[node + BELOW];
            if ((below & bit) == 0) {
                lastNode = node;
                lastIndex = index;
                return best(best);
            }
            node = node(lists.get((int) (places >>> 32) + Long.bitCount(ending) + rank(below, index)));
            int next = depth(node);
            if (next > depth + STRIDE) {
                int common = common(nodes, node, w0, w1, w2, w3);
                if (common < next) {
                    lastNode = NONE;
                    lastProven = common + 1;
                    return best(best);
                }
            }
            depth = next;
        }
    }

    private int best(int place) {
        return place == NONE ? NONE : lists.get(place);
    }

    /** How many leading bits of what was looked up last prove its answer, 0..256: equal on them, equal in the answer. */
    int proven() {
        if (lastNode == NONE) {
            return lastProven;
        }
        long before = nodes[lastNode + ENDING] & ENDING_BEFORE[lastIndex];
        int matched = before == 0 ? NONE : 31 - Integer.numberOfLeadingZeros(64 - Long.numberOfLeadingZeros(before));
        int bits = Math.max(matched, 0);
        while (hasLonger(lastNode, lastIndex, bits, matched)) {
            bits++;
        }
        return Math.min(depth(lastNode) + bits, ServiceId.BITS);
    }

    /** Whether a prefix longer than {@code matched}, or anything below, shares the first {@code bits} of the index. */
    private boolean hasLonger(int node, int index, int bits, int matched) {
        int rest = STRIDE - bits;
        int first = index >>> rest << rest;
        long span = rest == STRIDE ? -1L : (1L << (1 << rest)) - 1;
        if (((nodes[node + BELOW] | nodes[node + LEAVES]) & span << first) != 0) {
            return true;
        }
        for (int length = Math.max(bits, matched + 1); length < STRIDE; length++) {
            long under = (1L << (1 << length - bits)) - 1 << ending(first, length);
            if ((nodes[node + ENDING] & under) != 0) {
                return true;
            }
        }
        return false;
    }

    /** The value of exactly this prefix, or {@link #NONE}. */
    int exact(ServicePrefix prefix) {
        int node = ROOT;
        while (true) {
            int depth = depth(node);
            int index = index(depth, prefix.id());
            if (prefix.bits() < depth + STRIDE) {
                int bit = ending(index, prefix.bits() - depth);
                return isSet(node, ENDING, bit) ? lists.get(list(node) + rank(nodes[node + ENDING], bit)) : NONE;
            }
            if (isSet(node, LEAVES, index)) {
                int leaf = leaf(node, index);
                boolean same = leaves.bits(leaf) == prefix.bits()
                        && common(leaves.words(), leaf, prefix.id()) >= prefix.bits();
                return same ? leaves.value(leaf) : NONE;
            }
            if (!isSet(node, BELOW, index)) {
                return NONE;
            }
            node = node(lists.get(list(node) + rankBelow(node, index)));
            if (prefix.bits() < depth(node) || common(nodes, node, prefix.id()) < depth(node)) {
                return NONE;
            }
        }
    }

    /** Adds a prefix that is not there. */
    void insert(ServicePrefix prefix, int value) {
        int node = ROOT;
        while (true) {
            int index = index(depth(node), prefix.id());
            if (prefix.bits() >= depth(node) + STRIDE && isSet(node, LEAVES, index)) {
                int leaf = leaf(node, index);
                var other = leaves.prefix(leaf);
                int otherValue = leaves.value(leaf);
                int split = Math.min(common(leaves.words(), leaf, prefix.id()), Math.min(prefix.bits(), other.bits()));
                int between = addNode(prefix, split);
                takeLeaf(node, index);
                putNode(node, index, between);
                place(node(between), other, otherValue);
                place(node(between), prefix, value);
                return;
            }
            if (prefix.bits() < depth(node) + STRIDE || !isSet(node, BELOW, index)) {
                place(node, prefix, value);
                return;
            }
            int child = lists.get(list(node) + rankBelow(node, index));
            int split = Math.min(common(nodes, node(child), prefix.id()), prefix.bits());
            if (split < depth(node(child))) {
                int between = addNode(prefix, split);
                putNode(node, index, between);
                putNode(node(between), indexOfNode(depth(node(between)), node(child)), child);
                place(node(between), prefix, value);
                return;
            }
            node = node(child);
        }
    }

    private int indexOfNode(int depth, int node) {
        return index(depth, nodes[node], nodes[node + 1], nodes[node + 2], nodes[node + 3]);
    }

    private void place(int node, ServicePrefix prefix, int value) {
        int depth = depth(node);
        int index = index(depth, prefix.id());
        if (prefix.bits() < depth + STRIDE) {
            putEnding(node, ending(index, prefix.bits() - depth), value);
        } else {
            long map = nodes[node + LEAVES];
            int rank = rank(map, index);
            setLeafPlace(node, leaves.insert(leafPlace(nodes[node + PLACES]), Long.bitCount(map), rank, prefix, value));
            nodes[node + LEAVES] = map | 1L << index;
        }
    }

    /** Takes a prefix away that is there. */
    void remove(ServicePrefix prefix) {
        int above = NONE;
        int aboveIndex = 0;
        int node = ROOT;
        while (true) {
            int depth = depth(node);
            int index = index(depth, prefix.id());
            if (prefix.bits() < depth + STRIDE) {
                takeEnding(node, ending(index, prefix.bits() - depth));
                break;
            }
            if (isSet(node, LEAVES, index)) {
                takeLeaf(node, index);
                break;
            }
            above = node;
            aboveIndex = index;
            node = node(lists.get(list(node) + rankBelow(node, index)));
        }
        if (above != NONE) {
            dissolve(above, aboveIndex, node);
        }
    }

    /** Puts the only thing left below a node in its place, if it is the only one. */
    private void dissolve(int above, int index, int node) {
        int endings = Long.bitCount(nodes[node + ENDING]);
        int nodesBelow = Long.bitCount(nodes[node + BELOW]);
        int leavesBelow = Long.bitCount(nodes[node + LEAVES]);
        if (endings + nodesBelow + leavesBelow != 1) {
            return;
        }
        if (nodesBelow == 1) {
            putNode(above, index, lists.get(list(node)));
            lists.free(list(node), 1);
        } else if (leavesBelow == 1) {
            int leaf = leaves.at(leafPlace(nodes[node + PLACES]), 0);
            var prefix = leaves.prefix(leaf);
            int value = leaves.value(leaf);
            leaves.free(leafPlace(nodes[node + PLACES]), 1);
            takeNode(above, index);
            place(above, prefix, value);
        } else {
            int bit = Long.numberOfTrailingZeros(nodes[node + ENDING]);
            var prefix = endingPrefix(node, bit);
            int value = lists.get(list(node));
            lists.free(list(node), 1);
            takeNode(above, index);
            place(above, prefix, value);
        }
        nodes[node] = freeNode;
        freeNode = (node - ALIGN) / WORDS;
    }

    private ServicePrefix endingPrefix(int node, int bit) {
        int length = 31 - Integer.numberOfLeadingZeros(bit + 1);
        int depth = depth(node);
        var words = Arrays.copyOfRange(nodes, node, node + 4);
        long behind = (long) (bit + 1 - (1 << length)) << 64 - length;
        if (length > 0) {
            words[depth >>> 6] |= behind >>> (depth & 63);
            if ((depth & 63) + length > 64) {
                words[(depth >>> 6) + 1] |= behind << 64 - (depth & 63);
            }
        }
        return new ServicePrefix(new ServiceId(words[0], words[1], words[2], words[3]), depth + length);
    }

    /** At the last depth that is not behind the bit where the prefix leaves others. */
    private int addNode(ServicePrefix prefix, int split) {
        int level = split / STRIDE;
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
            nodes[at + i] = prefix.id().word(i) & ServicePrefix.mask(level * STRIDE, i);
        }
        nodes[at + ENDING] = 0;
        nodes[at + BELOW] = 0;
        nodes[at + LEAVES] = 0;
        nodes[at + PLACES] = level;
        return number;
    }

    private void putEnding(int node, int bit, int value) {
        insertListed(node, rank(nodes[node + ENDING], bit), value);
        nodes[node + ENDING] |= 1L << bit;
    }

    private void takeEnding(int node, int bit) {
        removeListed(node, rank(nodes[node + ENDING], bit));
        nodes[node + ENDING] &= ~(1L << bit);
    }

    private void putNode(int node, int index, int number) {
        if (isSet(node, BELOW, index)) {
            lists.set(list(node) + rankBelow(node, index), number);
            return;
        }
        insertListed(node, rankBelow(node, index), number);
        nodes[node + BELOW] |= 1L << index;
    }

    private void takeNode(int node, int index) {
        removeListed(node, rankBelow(node, index));
        nodes[node + BELOW] &= ~(1L << index);
    }

    private void takeLeaf(int node, int index) {
        long map = nodes[node + LEAVES];
        setLeafPlace(node, leaves.remove(leafPlace(nodes[node + PLACES]), Long.bitCount(map), rank(map, index)));
        nodes[node + LEAVES] = map & ~(1L << index);
    }

    private void insertListed(int node, int rank, int number) {
        setList(node, lists.insert(list(node), listed(node), rank, number));
    }

    private void removeListed(int node, int rank) {
        setList(node, lists.remove(list(node), listed(node), rank));
    }

    private int listed(int node) {
        return Long.bitCount(nodes[node + ENDING]) + Long.bitCount(nodes[node + BELOW]);
    }

    private int rankBelow(int node, int index) {
        return Long.bitCount(nodes[node + ENDING]) + rank(nodes[node + BELOW], index);
    }

    private static int rank(long map, int bit) {
        return Long.bitCount(map & (1L << bit) - 1);
    }

    private boolean isSet(int node, int word, int bit) {
        return (nodes[node + word] >>> bit & 1) != 0;
    }

    private int leaf(int node, int index) {
        return leaves.at(leafPlace(nodes[node + PLACES]), rank(nodes[node + LEAVES], index));
    }

    private int depth(int node) {
        return ((int) nodes[node + PLACES] & (1 << DEPTH_BITS) - 1) * STRIDE;
    }

    private int list(int node) {
        return (int) (nodes[node + PLACES] >>> 32);
    }

    private void setList(int node, int list) {
        nodes[node + PLACES] = nodes[node + PLACES] & 0xffff_ffffL | (long) list << 32;
    }

    private static int leafPlace(long places) {
        return (int) (places >>> DEPTH_BITS) & (1 << LEAF_BITS) - 1;
    }

    private void setLeafPlace(int node, int place) {
        long field = (1L << LEAF_BITS) - 1 << DEPTH_BITS;
        nodes[node + PLACES] = nodes[node + PLACES] & ~field | (long) place << DEPTH_BITS;
    }

    private static int node(int number) {
        return ALIGN + number * WORDS;
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
