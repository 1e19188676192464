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
            return program.first(((Listed) part).list, from, before, fields);
        }
        int best = before;
        Part others = level.others;
        if (others != null && others.first < level.firstAsked && others.first < best) {
            best = first(others, from, best, fields);
            others = null;
        }
        if (level.firstAsked < best && hasField(level.field, fields)) {
            best = firstAsked(level, from, best, fields);
        }
        return others != null && others.first < best ? first(others, from, best, fields) : best;
    }

    /** Of the rules that ask for a prefix around the packet's value. */
    private int firstAsked(Level level, int from, int before, Fields fields) {
        int[] lists = level.narrowLists;
        int interval;
        switch (level.field) {
            case Fields.SRC, Fields.DST -> {
                if (fields.kind() == Fields.IPV6) {
                    lists = level.wideLists;
                    interval = useWide(level, fields.high(level.field), fields.low(level.field), fields);
                } else {
                    interval = useNarrow(level, (int) fields.low(level.field), 32, V4_BITS, fields);
                }
            }
            case Fields.SRC_MAC, Fields.DST_MAC -> {
                lists = level.wideLists;
                interval = useWide(level, fields.mac(level.field) << 16, 0, fields);
            }
            default -> interval = useNarrow(level, fields.value(level.field), Fields.width(level.field), 0, fields);
        }
        int list = lists[interval];
        int best = program.first(list, from, before, fields);
        for (Part part : level.parts[program.number(list)]) {
            if (part.first >= best) {
                break;
            }
            best = first(part, from, best, fields);
        }
        return best;
    }

    private static int useNarrow(Level level, int value, int width, int bitsBefore, Fields fields) {
        int interval = Intervals.find(level.narrowSample, level.narrowStarts, value);
        fields.use(level.field, bitsBefore + Intervals.proof(level.narrowStarts, width, interval, value));
        return interval;
    }

    private static int useWide(Level level, long high, long low, Fields fields) {
        int interval = WideIntervals.find(level.wideStarts, high, low);
        fields.use(level.field, WideIntervals.proof(level.wideStarts, interval, high, low));
        return interval;
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
        private final int list;

        /** @param list of the {@link Program} */
        Listed(int first, int list) {
            super(first);
            this.list = list;
        }
    }

    /** Sorted by a field. */
    static final class Level extends Part {
        private final int field;
        /** Rules that do not ask for the field. */
        private final @Nullable Part others;
        /** Least position of those that do. */
        private final int firstAsked;
        // Which ones count depends on the field, and of addresses on the packet's family.
        private final int[] narrowSample;
        private final int[] narrowStarts;
        private final int[] narrowLists;
        private final long[] wideStarts;
        private final int[] wideLists;
        /** By a list's number: what is around the interval besides the list, ascending by least position. */
        private final Part[][] parts;

        Level(int field, @Nullable Part others, int firstAsked, Cut<int[]> narrow, Cut<long[]> wide, Part[][] parts) {
            super(others == null ? firstAsked : Math.min(firstAsked, others.first));
            this.field = field;
            this.others = others;
            this.firstAsked = firstAsked;
            this.parts = parts;
            narrowStarts = narrow.starts;
            narrowSample = Intervals.sample(narrow.starts);
            narrowLists = narrow.lists;
            wideStarts = wide.starts;
            wideLists = wide.lists;
        }
    }

    /** The intervals of a field, and the list of rules around each. */
    record Cut<S>(S starts, int[] lists) {}
}
