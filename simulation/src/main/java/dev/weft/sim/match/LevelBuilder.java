package dev.weft.sim.match;

import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Classifier.Level;
import dev.weft.sim.match.Classifier.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Sorts rules by one field. Used once. */
final class LevelBuilder {
    /** So many rules of nested prefixes are repeated in each interval, to be met in one list. */
    private static final int REPEATED = 12;

    private static final int V4_BITS = 96;

    private final ClassifierBuilder builder;
    private final int field;
    private final int index;
    private final int used;
    private final List<Part[]> parts = new ArrayList<>();
    private final Map<List<Part>, Integer> numbers = new HashMap<>();

    /** @param index of the field in {@link AskedPrefixes#FIELDS}; @param usedBefore set of these */
    LevelBuilder(ClassifierBuilder builder, int index, int usedBefore) {
        this.builder = builder;
        this.index = index;
        field = AskedPrefixes.FIELDS[index];
        used = usedBefore | 1 << index;
    }

    Level build(int[] rules) {
        int width = Fields.isAddress(field) ? 32 : Fields.width(field);
        var narrow = new PrefixTree();
        var wide = new PrefixTree();
        int[] others = new int[rules.length];
        int otherCount = 0;
        int firstAsked = Classifier.NONE;
        for (int rule : rules) {
            AskedPrefixes asked = builder.asked(rule);
            if (!asked.asks(index)) {
                others[otherCount++] = rule;
                continue;
            }
            firstAsked = Math.min(firstAsked, rule);
            for (IpPrefix prefix : asked.prefixes(index)) {
                if (Fields.isAddress(field) && prefix.isV4()) {
                    narrow.insert(prefix.low() << 32, 0, prefix.bits() - V4_BITS, rule);
                } else {
                    (Fields.isAddress(field) || width > 32 ? wide : narrow)
                            .insert(prefix.high(), prefix.low(), prefix.bits(), rule);
                }
            }
        }
        Part rest = otherCount == 0 ? null : builder.part(Arrays.copyOf(others, otherCount), used);
        var narrowCut = narrow(narrow, width);
        var wideCut = wide(wide);
        return new Level(field, rest, firstAsked, narrowCut, wideCut, parts.toArray(new Part[0][]));
    }

    /** Where in {@link #parts} these are. */
    private int numberOf(List<Part> around) {
        return numbers.computeIfAbsent(List.copyOf(around), key -> {
            parts.add(key.toArray(new Part[0]));
            return parts.size() - 1;
        });
    }

    private Classifier.Cut<int[]> narrow(PrefixTree tree, int width) {
        var cutter = new Cutter(tree);
        long[] starts = new long[cutter.lists.size()];
        for (int i = 0; i < starts.length; i++) {
            starts[i] = cutter.starts.get(i)[0] >>> 64 - width;
        }
        return new Classifier.Cut<>(Intervals.of(starts), cutter.lists());
    }

    private Classifier.Cut<long[]> wide(PrefixTree tree) {
        var cutter = new Cutter(tree);
        long[] starts = new long[2 * cutter.lists.size()];
        for (int i = 0; i < cutter.lists.size(); i++) {
            starts[2 * i] = cutter.starts.get(i)[0];
            starts[2 * i + 1] = cutter.starts.get(i)[1];
        }
        return new Classifier.Cut<>(starts, cutter.lists());
    }

    /** A tree of prefixes, cut into the intervals between their edges. */
    private final class Cutter {
        private final List<long[]> starts = new ArrayList<>();
        private final List<Integer> lists = new ArrayList<>();
        private final ArrayList<PrefixTree.Node> path = new ArrayList<>();
        private long nextHigh;
        private long nextLow;
        private boolean finished;

        Cutter(PrefixTree tree) {
            walk(tree.root());
        }

        private void walk(PrefixTree.Node node) {
            path.add(node);
            int own = around();
            for (PrefixTree.Node child : Arrays.asList(node.zero, node.one)) {
                if (child != null) {
                    if (child.high != nextHigh || child.low != nextLow) {
                        emit(own);
                        nextHigh = child.high;
                        nextLow = child.low;
                    }
                    walk(child);
                }
            }
            long endHigh = node.high | ~IpPrefix.highMask(node.length);
            long endLow = node.low | ~IpPrefix.lowMask(node.length);
            if (!finished && !isBehind(endHigh, endLow)) {
                emit(own);
                nextLow = endLow + 1;
                nextHigh = endHigh + (nextLow == 0 ? 1 : 0);
                finished = nextLow == 0 && nextHigh == 0;
            }
            path.removeLast();
        }

        private boolean isBehind(long high, long low) {
            int order = Long.compareUnsigned(nextHigh, high);
            return order > 0 || order == 0 && Long.compareUnsigned(nextLow, low) > 0;
        }

        private void emit(int own) {
            if (lists.isEmpty() || lists.getLast() != own) {
                starts.add(new long[] {nextHigh, nextLow});
                lists.add(own);
            }
        }

        int[] lists() {
            return lists.stream().mapToInt(Integer::intValue).toArray();
        }

        /** Of the rules that ask for the prefixes on the path. */
        private int around() {
            var few = new ArrayList<Integer>();
            var all = new ArrayList<Part>();
            for (int i = path.size() - 1; i >= 0; i--) {
                PrefixTree.Node node = path.get(i);
                if (node.count == 0) {
                    continue;
                }
                if (node.count <= ClassifierBuilder.SHORT_LIST && few.size() + node.count <= REPEATED) {
                    for (int rule : node.rules()) {
                        few.add(rule);
                    }
                } else {
                    all.add(node.part(builder, used));
                }
            }
            int[] rules =
                    few.stream().mapToInt(Integer::intValue).sorted().distinct().toArray();
            all.sort(Comparator.comparingInt(part -> part.first));
            return builder.list(rules, used, numberOf(all));
        }
    }

    /** Prefixes with the rules that ask for them: a binary trie with its unbranching runs compressed. */
    private static final class PrefixTree {
        private final Node root = new Node(0, 0, 0);

        Node root() {
            return root;
        }

        void insert(long high, long low, int bits, int rule) {
            Node at = root;
            while (at.length < bits) {
                boolean side = isSet(high, low, at.length);
                Node below = side ? at.one : at.zero;
                if (below == null) {
                    below = new Node(high, low, bits);
                    at.set(side, below);
                }
                int common = Math.min(Lpm.commonBits(below.high ^ high, below.low ^ low), Math.min(below.length, bits));
                if (common < below.length) {
                    var fork = new Node(
                            below.high & IpPrefix.highMask(common), below.low & IpPrefix.lowMask(common), common);
                    fork.set(isSet(below.high, below.low, common), below);
                    at.set(side, fork);
                    below = fork;
                }
                at = below;
            }
            at.add(rule);
        }

        private static boolean isSet(long high, long low, int bit) {
            return bit < 64 ? high << bit < 0 : low << bit < 0;
        }

        /** A prefix, asked for or a mere fork. */
        private static final class Node {
            private static final int[] NO_RULES = {};

            private final long high;
            private final long low;
            private final int length;
            private int[] rules = NO_RULES;
            private int count;
            private @Nullable Node zero;
            private @Nullable Node one;
            private @Nullable Part part;

            Node(long high, long low, int length) {
                this.high = high;
                this.low = low;
                this.length = length;
            }

            private void set(boolean side, Node below) {
                if (side) {
                    one = below;
                } else {
                    zero = below;
                }
            }

            private void add(int rule) {
                if (count > 0 && rules[count - 1] == rule) {
                    return;
                }
                if (count == rules.length) {
                    rules = Arrays.copyOf(rules, Math.max(2, 2 * count));
                }
                rules[count++] = rule;
            }

            int[] rules() {
                return Arrays.copyOf(rules, count);
            }

            Part part(ClassifierBuilder builder, int used) {
                Part made = part;
                if (made == null) {
                    made = builder.part(rules(), used);
                    part = made;
                }
                return made;
            }
        }
    }
}
