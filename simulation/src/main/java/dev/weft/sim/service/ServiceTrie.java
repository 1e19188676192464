package dev.weft.sim.service;

import static dev.weft.sim.service.ServiceBits.STRIDE;
import static dev.weft.sim.service.ServiceBits.common;
import static dev.weft.sim.service.ServiceBits.index;
import static dev.weft.sim.service.ServiceBits.rank;

import dev.weft.base.HotPath;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Longest-prefix match over 256 bits: a trie that takes six bits at a time, with the levels between branchings left out.
 * A prefix that is alone below a branching is a leaf there, and a few that are alone with each other are a bucket, so that
 * a million random ids are four levels deep.
 *
 * <p>In place and not thread safe. When the table is larger than the caches, a lookup costs what it has to read one after
 * the other from memory: nodes and lists are small enough for a cache, and a leaf and its entry are read at once. The
 * leaves of a node lie together, in the order of their bits, and need no pointers. A change moves 64 of them at most.
 *
 * <pre>
 * node, eight words, at a depth d that is a multiple of six:
 *   0..3  the first d bits of all below
 *   4     prefixes that end here: bit (1 << n) - 1 + b for the n bits b behind d, n = 0..5; so the longest is highest
 *   5     nodes and buckets below, a bit for each of the 64 values of the six bits behind d
 *   6     leaves below, likewise
 *   7     list (63..32) of the places of the entries of word 4, then the numbers of the nodes and the buckets of word 5, in
 *         the order of their bits | place of the leaves (31..6), in leaves | d / 6 (5..0)
 * leaf, eight words:  0..3 the prefix | 4 its length
 * </pre>
 */
@HotPath
final class ServiceTrie {
    private static final int NONE = -1;
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
    private final ServiceBuckets buckets = new ServiceBuckets(leaves);
    private final ServiceEntries entries;
    private long[] nodes = new long[ALIGN + 64 * WORDS];
    private int nodeCount = 1;
    /** Linked through their first words. */
    private int freeNode = NONE;

    // Of the last lookup, for proven().
    private int lastNode;
    private int lastIndex;
    private int lastProven;

    ServiceTrie(ServiceEntries entries) {
        this.entries = entries;
    }

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

    /** The entry of the longest prefix of these bits. */
    @Nullable
    ServiceEntry lookup(long w0, long w1, long w2, long w3) {
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
                return atLeaf(leaves.at(leafPlace(places), rank(leafMap, index)), best, w0, w1, w2, w3);
            }
            long below = nodes[node + BELOW];
            if ((below & bit) == 0) {
                lastNode = node;
                lastIndex = index;
                return best(best);
            }
            int number = lists.get((int) (places >>> 32) + Long.bitCount(ending) + rank(below, index));
            if (ServiceBuckets.isBucket(number)) {
                return atLeaf(buckets.leaf(number, depth, w0, w1, w2, w3), best, w0, w1, w2, w3);
            }
            node = node(number);
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

    private @Nullable ServiceEntry atLeaf(int leaf, int best, long w0, long w1, long w2, long w3) {
        lastNode = NONE;
        if (leaves.matches(leaf, w0, w1, w2, w3)) {
            lastProven = leaves.bits(leaf);
            return leaves.entry(leaf);
        }
        lastProven = common(leaves.words(), leaf, w0, w1, w2, w3) + 1;
        return best(best);
    }

    private @Nullable ServiceEntry best(int place) {
        return place == NONE ? null : entries.get(lists.get(place));
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

    /** The entry of exactly this prefix. */
    @Nullable
    ServiceEntry exact(ServicePrefix prefix) {
        int node = ROOT;
        while (true) {
            int depth = depth(node);
            int index = index(depth, prefix.id());
            if (prefix.bits() < depth + STRIDE) {
                int bit = ending(index, prefix.bits() - depth);
                return isSet(node, ENDING, bit)
                        ? entries.get(lists.get(list(node) + rank(nodes[node + ENDING], bit)))
                        : null;
            }
            if (isSet(node, LEAVES, index)) {
                return ifSame(leaf(node, index), prefix);
            }
            if (!isSet(node, BELOW, index)) {
                return null;
            }
            int number = below(node, index);
            if (ServiceBuckets.isBucket(number)) {
                return ifSame(buckets.leaf(number, depth, prefix.id()), prefix);
            }
            node = node(number);
            if (prefix.bits() < depth(node) || common(nodes, node, prefix.id()) < depth(node)) {
                return null;
            }
        }
    }

    private @Nullable ServiceEntry ifSame(int leaf, ServicePrefix prefix) {
        var entry = leaves.entry(leaf);
        return entry.prefix().equals(prefix) ? entry : null;
    }

    /** Adds an entry whose prefix is not there. */
    void insert(ServiceEntry entry) {
        insert(ROOT, entry);
    }

    private void insert(int from, ServiceEntry entry) {
        var prefix = entry.prefix();
        int node = from;
        while (true) {
            int depth = depth(node);
            int index = index(depth, prefix.id());
            if (prefix.bits() < depth + STRIDE) {
                place(node, entry);
                return;
            }
            if (isSet(node, LEAVES, index)) {
                var other = leaves.entry(leaf(node, index));
                takeLeaf(node, index);
                settle(node, index, other, entry);
                return;
            }
            if (!isSet(node, BELOW, index)) {
                place(node, entry);
                return;
            }
            int child = below(node, index);
            if (ServiceBuckets.isBucket(child)) {
                var others = takeBucket(node, index, child);
                var all = Arrays.copyOf(others, others.length + 1);
                all[others.length] = entry;
                settle(node, index, all);
                return;
            }
            int split = Math.min(common(nodes, node(child), prefix.id()), prefix.bits());
            if (split < depth(node(child))) {
                int between = addNode(prefix, split);
                putNode(node, index, between);
                putNode(node(between), indexOfNode(depth(node(between)), node(child)), child);
                place(node(between), entry);
                return;
            }
            node = node(child);
        }
    }

    /** Puts one or several entries where a node has nothing: as a leaf, a bucket, or below a node of their own. */
    private void settle(int node, int index, ServiceEntry... settling) {
        if (settling.length == 1) {
            place(node, settling[0]);
            return;
        }
        int bucket = settling.length <= ServiceBuckets.MOST ? buckets.make(settling, depth(node)) : 0;
        if (bucket != 0) {
            putNode(node, index, bucket);
            return;
        }
        var first = settling[0].prefix();
        int split = ServiceId.BITS;
        for (var entry : settling) {
            split = Math.min(
                    split,
                    Math.min(
                            common(first.id(), entry.prefix().id()),
                            entry.prefix().bits()));
        }
        int between = addNode(first, split);
        putNode(node, index, between);
        for (var entry : settling) {
            insert(node(between), entry);
        }
    }

    private int indexOfNode(int depth, int node) {
        return index(depth, nodes[node], nodes[node + 1], nodes[node + 2], nodes[node + 3]);
    }

    private void place(int node, ServiceEntry entry) {
        int depth = depth(node);
        int bits = entry.prefix().bits();
        int index = index(depth, entry.prefix().id());
        if (bits < depth + STRIDE) {
            putEnding(node, ending(index, bits - depth), entry.place());
        } else {
            long map = nodes[node + LEAVES];
            setLeafPlace(
                    node, leaves.insert(leafPlace(nodes[node + PLACES]), Long.bitCount(map), rank(map, index), entry));
            nodes[node + LEAVES] = map | 1L << index;
        }
    }

    /** Takes an entry away that is there. */
    void remove(ServiceEntry entry) {
        var prefix = entry.prefix();
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
            int number = below(node, index);
            if (ServiceBuckets.isBucket(number)) {
                settle(node, index, without(takeBucket(node, index, number), entry));
                break;
            }
            above = node;
            aboveIndex = index;
            node = node(number);
        }
        if (above != NONE) {
            dissolve(above, aboveIndex, node);
        }
    }

    private static ServiceEntry[] without(ServiceEntry[] entries, ServiceEntry gone) {
        var rest = new ServiceEntry[entries.length - 1];
        int count = 0;
        for (var entry : entries) {
            if (entry != gone) {
                rest[count++] = entry;
            }
        }
        return rest;
    }

    /** Puts what is left below a node in its place, if it is one thing or leaves that make a bucket. */
    private void dissolve(int above, int index, int node) {
        int endings = Long.bitCount(nodes[node + ENDING]);
        int nodesBelow = Long.bitCount(nodes[node + BELOW]);
        int leavesBelow = Long.bitCount(nodes[node + LEAVES]);
        if (endings + nodesBelow == 0 && leavesBelow <= ServiceBuckets.MOST) {
            dissolveLeaves(above, index, node, leavesBelow);
        } else if (endings + nodesBelow + leavesBelow == 1) {
            int listed = lists.get(list(node));
            if (endings == 1) {
                var entry = entries.get(listed);
                lists.free(list(node), 1);
                takeNode(above, index);
                release(node);
                if (entry != null) {
                    place(above, entry);
                }
            } else if (ServiceBuckets.isBucket(listed)) {
                var rest = takeBucket(node, Long.numberOfTrailingZeros(nodes[node + BELOW]), listed);
                takeNode(above, index);
                release(node);
                settle(above, index, rest);
            } else {
                putNode(above, index, listed);
                lists.free(list(node), 1);
                release(node);
            }
        }
    }

    private void dissolveLeaves(int above, int index, int node, int count) {
        int place = leafPlace(nodes[node + PLACES]);
        var rest = new ServiceEntry[count];
        for (int i = 0; i < count; i++) {
            rest[i] = leaves.entry(leaves.at(place, i));
        }
        int bucket = count > 1 ? buckets.make(rest, depth(above)) : 0;
        if (bucket != 0) {
            putNode(above, index, bucket);
        } else if (count == 1) {
            takeNode(above, index);
            place(above, rest[0]);
        } else {
            return;
        }
        leaves.free(place, count);
        release(node);
    }

    private ServiceEntry[] takeBucket(int node, int index, int bucket) {
        var entries = buckets.entries(bucket, depth(node));
        buckets.free(bucket);
        takeNode(node, index);
        return entries;
    }

    private void release(int node) {
        nodes[node] = freeNode;
        freeNode = (node - ALIGN) / WORDS;
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

    /** The number of a node, or a bucket. */
    private int below(int node, int index) {
        return lists.get(list(node) + rankBelow(node, index));
    }

    private int rankBelow(int node, int index) {
        return Long.bitCount(nodes[node + ENDING]) + rank(nodes[node + BELOW], index);
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
}
