package dev.weft.sim.match;

import dev.weft.base.HotPath;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The first of many rules that a packet meets, without looking at each. Immutable, shared by all workers.
 *
 * <p>Sorted by one field after the other: a {@link Level} cuts the values of its field into the intervals between the
 * edges of all prefixes that rules ask for; the rules around an interval are sorted further, by another field; those
 * that do not ask for the field are sorted on by themselves; few rules, or such as no field tells apart, are a list and
 * held against the packet one by one. Every part knows its least position: what can come earlier is looked at first, and
 * what comes after the best match so far is left out.
 *
 * <p>A rule whose conditions do not fit few prefixes, inverted or arbitrary ones, does not ask for the field and is told
 * apart by its others. Prefixes nest: the rules of a short one are not repeated in each interval inside of it unless
 * they are few.
 */
@HotPath
public final class Classifier {
    public static final int NONE = Integer.MAX_VALUE;

    private static final int V4_BITS = 96;

    private final Program program;
    private final @Nullable Part root;
    private final int size;

    Classifier(Program program, @Nullable Part root, int size) {
        this.program = program;
        this.root = root;
        this.size = size;
    }

    /** @param rules the tests of each rule; its position is its number */
    public static Classifier of(List<List<Test>> rules) {
        return ClassifierBuilder.build(rules);
    }

    /** How many rules. */
    public int size() {
        return size;
    }

    /** The first rule at or after {@code from} that the packet meets, or {@link #NONE}. */
    public int first(int from, Fields fields) {
        return root == null ? NONE : first(root, from, NONE, fields);
    }

    private int first(Part part, int from, int before, Fields fields) {
        if (!(part instanceof Level level)) {
            return program.first(((Listed) part).rules, from, before, fields);
        }
        int best = before;
        Part others = level.others;
        if (others != null && others.first < level.firstAsked && others.first < best) {
            best = first(others, from, best, fields);
            others = null;
        }
        if (level.firstAsked < best && hasField(level.field, fields)) {
            for (Part asked : asked(level, fields)) {
                if (asked.first >= best) {
                    break;
                }
                best = first(asked, from, best, fields);
            }
        }
        return others != null && others.first < best ? first(others, from, best, fields) : best;
    }

    /** What is asked around the packet's value, ascending by least position. */
    private static Part[] asked(Level level, Fields fields) {
        int field = level.field;
        return switch (field) {
            case Fields.SRC, Fields.DST -> {
                if (fields.kind() == Fields.IPV6) {
                    yield asked(level, fields.high(field), fields.low(field), fields);
                }
                int value = (int) fields.low(field);
                int interval = level.narrow.find(value);
                fields.use(field, V4_BITS + level.narrow.proof(interval, value));
                yield level.narrow.parts(interval);
            }
            case Fields.SRC_MAC, Fields.DST_MAC -> asked(level, fields.mac(field) << 16, 0, fields);
            default -> {
                int value = fields.value(field);
                int interval = level.narrow.find(value);
                fields.use(field, level.narrow.proof(interval, value));
                yield level.narrow.parts(interval);
            }
        };
    }

    private static Part[] asked(Level level, long high, long low, Fields fields) {
        int interval = level.wide.find(high, low);
        fields.use(level.field, level.wide.proof(interval, high, low));
        return level.wide.parts(interval);
    }

    /** Whether there is the field at all: else no rule that asks for it is met. */
    private static boolean hasField(int field, Fields fields) {
        return switch (field) {
            case Fields.L4_SRC, Fields.L4_DST -> fields.hasPorts();
            case Fields.PROTOCOL -> (fields.kind() & Fields.IP) != 0;
            case Fields.SRC, Fields.DST -> fields.kind() != Fields.OTHER;
            default -> true;
        };
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
        private final long[] rules;

        /** @param rules as {@link Program} has them */
        Listed(int first, long[] rules) {
            super(first);
            this.rules = rules;
        }
    }

    /** Sorted by a field. */
    static final class Level extends Part {
        private final int field;
        /** Rules that do not ask for the field. */
        private final @Nullable Part others;
        /** Least position of those that do. */
        private final int firstAsked;
        // Which one depends on the field, and of addresses on the packet's family.
        private final Intervals narrow;
        private final WideIntervals wide;

        Level(int field, @Nullable Part others, int firstAsked, Intervals narrow, WideIntervals wide) {
            super(others == null ? firstAsked : Math.min(firstAsked, others.first));
            this.field = field;
            this.others = others;
            this.firstAsked = firstAsked;
            this.narrow = narrow;
            this.wide = wide;
        }
    }
}
