package dev.weft.sim.match;

import dev.weft.base.IpPrefix;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes the array of an {@link Lpm} from a binary trie, from the leaves up. Used once. */
final class LpmBuilder {
    private static final int NONE = Lpm.NONE;
    /** The most bits that a node looks at. */
    private static final int LONGEST_STRIDE = 24;
    /** Words of a cache line, and of an array's header before its first. */
    private static final int LINE_WORDS = 8;

    private static final int ARRAY_HEADER_WORDS = 2;

    private final int prefixes;
    /** By position, null where the positions are the values. */
    private final int @Nullable [] values;

    private final BinaryTrie trie;
    /** How many trie nodes lie so many bits below the one whose stride is being chosen. */
    private final int[] below = new int[LONGEST_STRIDE + 1];

    private long[] nodes = new long[64];
    private int end;

    // The runs of equal slots of the nodes that are being made, the outermost first.
    private int[] runSlots = new int[64];
    private long[] runEntries = new long[64];
    private int runs;
    /** Where those of the innermost begin. */
    private int firstRun;

    LpmBuilder(List<IpPrefix> prefixes, int @Nullable [] values) {
        this.prefixes = prefixes.size();
        this.values = values;
        trie = new BinaryTrie(this.prefixes);
        for (int i = 0; i < this.prefixes; i++) {
            trie.insert(prefixes.get(i), i);
        }
    }

    Lpm build() {
        long root = entry(trie.root(), NONE, 0, 0);
        return new Lpm(root, Arrays.copyOf(nodes, end), trie.outer(prefixes));
    }

    /**
     * What stands for all addresses that are equal to the trie node's on {@code depth} bits.
     *
     * @param best position of the longest prefix above the node, of {@code bestBits}
     */
    private long entry(int node, int best, int bestBits, int depth) {
        int length = trie.length(node);
        int value = trie.value(node);
        int inside = value == NONE ? best : value;
        int insideBits = value == NONE ? bestBits : length;
        boolean compares = length > depth;
        if (trie.isLeaf(node)) {
            long answer = answer(inside, insideBits, length);
            if (!compares) {
                return answer;
            }
            fitLine(Lpm.COMPARED + 1);
            int at = room(Lpm.COMPARED + 1);
            compare(at, node, best, bestBits);
            nodes[at + Lpm.COMPARED] = answer;
            return Lpm.NODE | Lpm.COMPARES | (long) length << Lpm.DEPTH_SHIFT | at;
        }
        int stride = stride(node);
        int outerFirst = firstRun;
        firstRun = runs;
        fill(node, inside, insideBits, length, 0, length + stride);
        int chunks = 1 << Math.max(0, stride - Lpm.CHUNK_SHIFT);
        int header = compares ? Lpm.COMPARED : 0;
        fitLine(header + chunks * (Lpm.CHUNK_WORDS + 1) + runs - firstRun - 1);
        int at = room(header + chunks * Lpm.CHUNK_WORDS);
        if (compares) {
            compare(at, node, best, bestBits);
        }
        writeRuns(at + header, chunks);
        runs = firstRun;
        firstRun = outerFirst;
        return Lpm.NODE
                | (compares ? Lpm.COMPARES : 0)
                | (long) stride << Lpm.STRIDE_SHIFT
                | (long) length << Lpm.DEPTH_SHIFT
                | at;
    }

    private long answer(int position, int bits, int proven) {
        return Lpm.answer(position == NONE || values == null ? position : values[position], bits, proven);
    }

    private void compare(int at, int node, int best, int bestBits) {
        nodes[at] = trie.high(node);
        nodes[at + 1] = trie.low(node);
        nodes[at + 2] = answer(best, bestBits, 0);
    }

    /**
     * Adds the runs of the slots that are equal on {@code depth} bits.
     *
     * @param node the trie node at or below that depth; {@link #NONE} when there is none
     * @param slot the first of them
     * @param until the depth of a single slot
     */
    private void fill(int node, int best, int bestBits, int depth, int slot, int until) {
        if (node == NONE) {
            addRun(slot, answer(best, bestBits, depth));
            return;
        }
        if (depth == until) {
            addRun(slot, entry(node, best, bestBits, depth));
            return;
        }
        int value = trie.value(node);
        boolean here = trie.length(node) == depth;
        int inside = here && value != NONE ? value : best;
        int insideBits = here && value != NONE ? depth : bestBits;
        if (here && trie.isLeaf(node)) {
            addRun(slot, answer(inside, insideBits, depth));
            return;
        }
        for (int side = 0; side < 2; side++) {
            int next = here ? trie.child(node, side == 1) : trie.side(node, depth) == (side == 1) ? node : NONE;
            fill(next, inside, insideBits, depth + 1, slot | side << until - depth - 1, until);
        }
    }

    private void addRun(int slot, long entry) {
        if (runs > firstRun && runEntries[runs - 1] == entry) {
            return;
        }
        if (runs == runSlots.length) {
            runSlots = Arrays.copyOf(runSlots, 2 * runs);
            runEntries = Arrays.copyOf(runEntries, 2 * runs);
        }
        runSlots[runs] = slot;
        runEntries[runs++] = entry;
    }

    /** A run that goes on in the next chunk has an entry there too. */
    private void writeRuns(int at, int chunks) {
        int run = firstRun;
        for (int chunk = 0; chunk < chunks; chunk++) {
            int begin = chunk << Lpm.CHUNK_SHIFT;
            int next = begin + (1 << Lpm.CHUNK_SHIFT);
            long starts = 1;
            int first = end;
            if (run == runs || runSlots[run] > begin) {
                append(runEntries[run - 1]);
            }
            for (; run < runs && runSlots[run] < next; run++) {
                starts |= 1L << runSlots[run];
                append(runEntries[run]);
            }
            nodes[at + chunk * Lpm.CHUNK_WORDS] = starts;
            nodes[at + chunk * Lpm.CHUNK_WORDS + 1] = first;
        }
    }

    /**
     * The most bits for which there are as many trie nodes as chunks, so that the array grows with the prefixes only,
     * and no more than reach the deepest of these.
     */
    private int stride(int node) {
        int depth = trie.length(node);
        int longest = Math.min(LONGEST_STRIDE, (depth < 64 ? 64 : 128) - depth);
        Arrays.fill(below, 0);
        count(node, depth, longest);
        int stride = 1;
        int covered = 0;
        int within = below[0];
        for (int bits = 1; bits <= longest; bits++) {
            within += below[bits];
            boolean isSmall = bits <= Lpm.CHUNK_SHIFT || within >= 1 << bits - Lpm.CHUNK_SHIFT;
            if (isSmall && within > covered) {
                stride = bits;
                covered = within;
            }
        }
        return stride;
    }

    private void count(int node, int depth, int most) {
        if (node == NONE || trie.length(node) - depth > most) {
            return;
        }
        below[trie.length(node) - depth]++;
        count(trie.child(node, false), depth, most);
        count(trie.child(node, true), depth, most);
    }

    private void append(long entry) {
        int at = room(1);
        nodes[at] = entry;
    }

    /** Large arrays begin on a line: what fits into one does not begin where it would need two. */
    private void fitLine(int words) {
        int used = end + ARRAY_HEADER_WORDS & LINE_WORDS - 1;
        if (words <= LINE_WORDS && used + words > LINE_WORDS) {
            room(LINE_WORDS - used);
        }
    }

    private int room(int words) {
        int at = end;
        end = Math.addExact(end, words);
        if (end > nodes.length) {
            nodes = Arrays.copyOf(nodes, Math.max(end, nodes.length + (nodes.length >> 1)));
        }
        return at;
    }
}
