package dev.weft.sim.match;

import dev.weft.base.HotPath;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The first of many rules that a packet meets, without looking at each. Immutable, shared by all workers.
 *
 * <p>Tries inside tries: a {@link Level} sorts its rules by one field into a binary trie of prefixes, each rule at the
 * prefix (or the few prefixes) it asks for, at the root when it asks for none; the rules at one prefix are sorted
 * further, by another field; few rules, or such as no field tells apart, are a list and held against the packet one by
 * one. A search goes down the packet's path in each trie and takes along what lies on it. Every part knows its least
 * position, so that what comes after the best match so far is left out.
 *
 * <p>How a range, an inverted condition or a large set is met does not fit a few prefixes: such a rule stands higher up
 * and is told apart by its other fields. Memory is in proportion to the conditions of the rules, whatever overlaps.
 */
@HotPath
public final class Classifier {
    public static final int NONE = Integer.MAX_VALUE;

    private final Program program;
    private final @Nullable Part root;
    private final int size;

    private Classifier(Program program, @Nullable Part root, int size) {
        this.program = program;
        this.root = root;
        this.size = size;
    }

    /** @param rules the tests of each rule; its position is its number */
    public static Classifier of(List<List<Test>> rules) {
        return new Classifier(Program.of(rules), ClassifierBuilder.build(rules), rules.size());
    }

    /** How many rules. */
    public int size() {
        return size;
    }

    /** The first rule at or after {@code from} that the packet meets, or {@link #NONE}. */
    public int first(int from, Fields fields) {
        return root == null ? NONE : first(root, from, NONE, fields);
    }

    /** Whether the packet meets the rule: what {@link #first} tells of all of them. */
    boolean matches(int rule, Fields fields) {
        return program.matches(rule, fields);
    }

    private int first(Part part, int from, int best, Fields fields) {
        return part instanceof Level level
                ? first(level, from, best, fields)
                : first((Listed) part, from, best, fields);
    }

    private int first(Listed list, int from, int best, Fields fields) {
        for (int rule : list.rules) {
            if (rule >= best) {
                return best;
            }
            if (rule >= from && program.matches(rule, fields)) {
                return rule;
            }
        }
        return best;
    }

    private int first(Level level, int from, int before, Fields fields) {
        int best = before;
        Branch branch = level.root;
        if (!hasField(level.field, fields)) {
            return branch.here == null || branch.here.first >= best ? best : first(branch.here, from, best, fields);
        }
        int field = level.field;
        long high = high(field, fields);
        long low = Fields.isAddress(field) ? fields.low(field) : 0;
        int read = 0;
        while (branch.first < best) {
            int common = Lpm.commonBits(branch.high ^ high, branch.low ^ low);
            if (common < branch.length) {
                read = common + 1;
                break;
            }
            Part here = branch.here;
            if (here != null && here.first < best) {
                best = first(here, from, best, fields);
            }
            if (branch.isLast) {
                break;
            }
            read = branch.length + 1;
            Branch next = isSet(high, low, branch.length) ? branch.one : branch.zero;
            if (next == null) {
                break;
            }
            branch = next;
        }
        fields.use(field, read);
        return best;
    }

    /** Whether there is the field at all: rules that ask for it stand below the root, and none of them is met. */
    private static boolean hasField(int field, Fields fields) {
        return switch (field) {
            case Fields.L4_SRC, Fields.L4_DST -> fields.hasPorts();
            case Fields.PROTOCOL -> (fields.kind() & Fields.IP) != 0;
            case Fields.SRC, Fields.DST -> fields.kind() != Fields.OTHER;
            default -> true;
        };
    }

    /** As 128 bits, the field's first bit first. */
    private static long high(int field, Fields fields) {
        return switch (field) {
            case Fields.SRC, Fields.DST -> fields.high(field);
            case Fields.SRC_MAC, Fields.DST_MAC -> fields.mac(field) << 16;
            default -> (long) fields.value(field) << 64 - Fields.width(field);
        };
    }

    static boolean isSet(long high, long low, int bit) {
        return bit < 64 ? high << bit < 0 : low << bit < 0;
    }

    /** Some of the rules. */
    abstract static sealed class Part permits Listed, Level {
        /** Least position. */
        final int first;

        Part(int first) {
            this.first = first;
        }
    }

    /** To be held against the packet one by one, in order. */
    static final class Listed extends Part {
        private final int[] rules;

        Listed(int[] rules) {
            super(rules[0]);
            this.rules = rules;
        }
    }

    /** Sorted by a field. */
    static final class Level extends Part {
        private final int field;
        private final Branch root;

        Level(int field, Branch root) {
            super(root.first);
            this.field = field;
            this.root = root;
        }
    }

    /** A node of a level's trie: one prefix, the rules that ask for it, and longer prefixes inside it. */
    static final class Branch {
        private final long high;
        private final long low;
        private final int length;
        /** Least position here and below. */
        private final int first;

        private final boolean isLast;
        private final @Nullable Part here;
        private final @Nullable Branch zero;
        private final @Nullable Branch one;

        Branch(long high, long low, int length, @Nullable Part here, @Nullable Branch zero, @Nullable Branch one) {
            this.high = high;
            this.low = low;
            this.length = length;
            this.here = here;
            this.zero = zero;
            this.one = one;
            isLast = zero == null && one == null;
            first = Math.min(
                    here == null ? NONE : here.first,
                    Math.min(zero == null ? NONE : zero.first, one == null ? NONE : one.first));
        }
    }
}
