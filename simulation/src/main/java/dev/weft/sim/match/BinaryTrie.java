package dev.weft.sim.match;

import dev.weft.base.IpPrefix;
import java.util.Arrays;

/**
 * Prefixes as a binary trie with its unbranching runs compressed: what an {@link Lpm} is made from. Not thread safe.
 *
 * <pre>
 * node, four words:  prefix high | prefix low | length (63..32), value + 1 (31..0; 0 = a mere fork) | child 0, child 1
 * </pre>
 */
final class BinaryTrie {
    static final int NONE = Lpm.NONE;

    private static final int WORDS = 4;

    private final long[] nodes;
    private int count;
    private int root = NONE;

    BinaryTrie(int prefixes) {
        nodes = new long[Math.multiplyExact(2 * WORDS, prefixes)];
    }

    int root() {
        return root;
    }

    long high(int node) {
        return nodes[node * WORDS];
    }

    long low(int node) {
        return nodes[node * WORDS + 1];
    }

    int length(int node) {
        return (int) (nodes[node * WORDS + 2] >>> 32);
    }

    /** {@link #NONE} of a mere fork. */
    int value(int node) {
        return (int) nodes[node * WORDS + 2] - 1;
    }

    int child(int node, boolean side) {
        long children = nodes[node * WORDS + 3];
        return side ? (int) children : (int) (children >>> 32);
    }

    boolean isLeaf(int node) {
        return nodes[node * WORDS + 3] == -1L;
    }

    /** The side of the branch at the given bit on which the node lies. */
    boolean side(int node, int bit) {
        return bit(high(node), low(node), bit);
    }

    void insert(IpPrefix prefix, int value) {
        long high = prefix.high();
        long low = prefix.low();
        int length = prefix.bits();
        int above = NONE;
        boolean side = false;
        int node = root;
        while (node != NONE) {
            int nodeLength = length(node);
            int common = Math.min(Lpm.commonBits(high(node) ^ high, low(node) ^ low), Math.min(nodeLength, length));
            if (common < nodeLength) {
                link(above, side, split(node, common, high, low, length, value));
                return;
            }
            if (nodeLength == length) {
                if (value(node) != NONE) {
                    throw new IllegalArgumentException("prefix " + prefix + " twice (expected once)");
                }
                nodes[node * WORDS + 2] = head(length, value);
                return;
            }
            above = node;
            side = bit(high, low, nodeLength);
            node = child(node, side);
        }
        link(above, side, add(high, low, length, value));
    }

    /** The node that takes the place of one that the new prefix leaves after {@code common} bits. */
    private int split(int node, int common, long high, long low, int length, int value) {
        boolean oldSide = side(node, common);
        if (common == length) {
            int shorter = add(high, low, length, value);
            setChild(shorter, oldSide, node);
            return shorter;
        }
        int fork = add(high & IpPrefix.highMask(common), low & IpPrefix.lowMask(common), common, NONE);
        setChild(fork, oldSide, node);
        setChild(fork, !oldSide, add(high, low, length, value));
        return fork;
    }

    private int add(long high, long low, int length, int value) {
        int at = count * WORDS;
        nodes[at] = high;
        nodes[at + 1] = low;
        nodes[at + 2] = head(length, value);
        nodes[at + 3] = -1L;
        return count++;
    }

    private static long head(int length, int value) {
        return (long) length << 32 | value + 1;
    }

    private void link(int above, boolean side, int node) {
        if (above == NONE) {
            root = node;
        } else {
            setChild(above, side, node);
        }
    }

    private void setChild(int node, boolean side, int child) {
        int at = node * WORDS + 3;
        nodes[at] =
                side ? nodes[at] & ~0xffff_ffffL | child & 0xffff_ffffL : nodes[at] & 0xffff_ffffL | (long) child << 32;
    }

    private static boolean bit(long high, long low, int index) {
        return index < 64 ? high << index < 0 : low << index < 0;
    }

    /** By value, where these are 0 to {@code values} - 1: the value of the next shorter prefix around it. */
    int[] outer(int values) {
        int[] outer = new int[values];
        Arrays.fill(outer, NONE);
        findOuter(root, NONE, outer);
        return outer;
    }

    private void findOuter(int node, int around, int[] outer) {
        if (node == NONE) {
            return;
        }
        int value = value(node);
        if (value != NONE) {
            outer[value] = around;
        }
        findOuter(child(node, false), value == NONE ? around : value, outer);
        findOuter(child(node, true), value == NONE ? around : value, outer);
    }
}
