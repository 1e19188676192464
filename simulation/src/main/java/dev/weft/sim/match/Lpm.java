package dev.weft.sim.match;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import java.util.Arrays;
import java.util.List;

/**
 * Longest-prefix match over 128 bits for both families (IPv4 is mapped): a binary trie with its unbranching runs
 * compressed, as one flat array. Immutable.
 *
 * <p>A lookup also says how many bits of the address prove its answer: up to the first bit in which every longer prefix
 * differs, so that any address equal on those bits gets the same answer.
 *
 * <pre>
 * node, four words:  prefix high | prefix low | length (63..32), value + 1 (31..0; 0 = a mere fork) | child 0, child 1
 * </pre>
 */
@HotPath
public final class Lpm {
    public static final int NONE = -1;
    public static final Lpm EMPTY = new Lpm(new long[0], NONE, new int[0]);

    private static final int WORDS = 4;

    private final long[] nodes;
    private final int root;
    /** By value: the value of the next shorter prefix around it. */
    private final int[] outer;

    private Lpm(long[] nodes, int root, int[] outer) {
        this.nodes = nodes;
        this.root = root;
        this.outer = outer;
    }

    /** The values are the positions in the list; no prefix may occur twice. */
    public static Lpm of(List<IpPrefix> prefixes) {
        if (prefixes.isEmpty()) {
            return EMPTY;
        }
        var builder = new Builder(prefixes.size());
        for (int i = 0; i < prefixes.size(); i++) {
            var prefix = prefixes.get(i);
            builder.insert(prefix.high(), prefix.low(), prefix.bits(), i);
        }
        return builder.build(prefixes.size());
    }

    /** Packed: take it apart with {@link #value} and {@link #proven}. */
    public long lookup(long high, long low) {
        int node = root;
        int best = NONE;
        int proven = 0;
        while (node != NONE) {
            int at = node * WORDS;
            long head = nodes[at + 2];
            int length = (int) (head >>> 32);
            int common = commonBits(nodes[at] ^ high, nodes[at + 1] ^ low);
            if (common < length) {
                proven = common + 1;
                break;
            }
            if ((int) head != 0) {
                best = (int) head - 1;
            }
            proven = length;
            if (length == 128) {
                break;
            }
            long children = nodes[at + 3];
            int next = bit(high, low, length) ? (int) children : (int) (children >>> 32);
            if (next == NONE && children != -1L) {
                proven = length + 1;
            }
            node = next;
        }
        return (long) best << 32 | proven;
    }

    /** The value of the longest prefix, {@link #NONE} when none matches. */
    public static int value(long found) {
        return (int) (found >> 32);
    }

    /** How many leading bits prove it, 0..128. */
    public static int proven(long found) {
        return (int) found;
    }

    /** The value of the longest prefix around this value's, {@link #NONE} when there is none. */
    public int outer(int value) {
        return outer[value];
    }

    /** Leading zeros of the 128 bits. */
    public static int commonBits(long highDifference, long lowDifference) {
        return highDifference != 0
                ? Long.numberOfLeadingZeros(highDifference)
                : 64 + Long.numberOfLeadingZeros(lowDifference);
    }

    private static boolean bit(long high, long low, int index) {
        return index < 64 ? high << index < 0 : low << index < 0;
    }

    /** Grows the trie prefix by prefix. */
    private static final class Builder {
        private long[] nodes;
        private int count;
        private int root = NONE;

        Builder(int prefixes) {
            nodes = new long[2 * prefixes * WORDS];
        }

        void insert(long high, long low, int length, int value) {
            int above = NONE;
            boolean side = false;
            int node = root;
            while (node != NONE) {
                int at = node * WORDS;
                int nodeLength = (int) (nodes[at + 2] >>> 32);
                int common = Math.min(commonBits(nodes[at] ^ high, nodes[at + 1] ^ low), Math.min(nodeLength, length));
                if (common < nodeLength) {
                    link(above, side, split(node, common, high, low, length, value));
                    return;
                }
                if (nodeLength == length) {
                    if ((int) nodes[at + 2] != 0) {
                        throw new IllegalArgumentException(
                                "prefix " + new IpPrefix(high, low, length) + " twice (expected once)");
                    }
                    nodes[at + 2] = head(length, value);
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
            boolean oldSide = bit(nodes[node * WORDS], nodes[node * WORDS + 1], common);
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

        private int child(int node, boolean side) {
            long children = nodes[node * WORDS + 3];
            return side ? (int) children : (int) (children >>> 32);
        }

        private void setChild(int node, boolean side, int child) {
            int at = node * WORDS + 3;
            nodes[at] = side
                    ? nodes[at] & ~0xffff_ffffL | child & 0xffff_ffffL
                    : nodes[at] & 0xffff_ffffL | (long) child << 32;
        }

        Lpm build(int values) {
            int[] outer = new int[values];
            Arrays.fill(outer, NONE);
            findOuter(root, NONE, outer);
            return new Lpm(Arrays.copyOf(nodes, count * WORDS), root, outer);
        }

        private void findOuter(int node, int around, int[] outer) {
            if (node == NONE) {
                return;
            }
            int value = (int) nodes[node * WORDS + 2] - 1;
            if (value != NONE) {
                outer[value] = around;
            }
            findOuter(child(node, false), value == NONE ? around : value, outer);
            findOuter(child(node, true), value == NONE ? around : value, outer);
        }
    }
}
