package dev.weft.sim.match;

import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Classifier.Branch;
import dev.weft.sim.match.Classifier.Level;
import dev.weft.sim.match.Classifier.Listed;
import dev.weft.sim.match.Classifier.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Sorts rules into a {@link Classifier}. Used once. */
final class ClassifierBuilder {
    /** So few are quicker held against the packet one by one. */
    private static final int SHORT_LIST = 4;

    /** A rule stands at no more places than this, over all levels. */
    private static final int MAX_PLACES = 64;

    private static final int[] FIELDS = {
        Fields.DST,
        Fields.SRC,
        Fields.L4_DST,
        Fields.PROTOCOL,
        Fields.L4_SRC,
        Fields.DST_MAC,
        Fields.SRC_MAC,
        Fields.IN_PORT,
        Fields.OUT_PORT
    };
    private static final IpPrefix[] ANYWHERE = {new IpPrefix(0, 0, 0)};

    /** By rule and field (as in {@link #FIELDS}): the prefixes it asks for. */
    private final IpPrefix[][][] asked;

    private ClassifierBuilder(List<List<Test>> rules) {
        asked = new IpPrefix[rules.size()][][];
        for (int i = 0; i < asked.length; i++) {
            asked[i] = askedBy(rules.get(i));
        }
    }

    static @Nullable Part build(List<List<Test>> rules) {
        if (rules.isEmpty()) {
            return null;
        }
        int[] all = new int[rules.size()];
        Arrays.setAll(all, i -> i);
        return new ClassifierBuilder(rules).part(all, 0);
    }

    private static IpPrefix[][] askedBy(List<Test> tests) {
        var asked = new IpPrefix[FIELDS.length][];
        Arrays.fill(asked, ANYWHERE);
        for (int i = 0; i < FIELDS.length; i++) {
            for (Test test : tests) {
                IpPrefix[] prefixes = Prefixes.of(test, FIELDS[i]);
                if (prefixes.length > 0 && (asked[i] == ANYWHERE || prefixes.length < asked[i].length)) {
                    asked[i] = prefixes;
                }
            }
        }
        limitPlaces(asked);
        return asked;
    }

    /** The field with the most prefixes sorts no more, until the product is small enough. */
    private static void limitPlaces(IpPrefix[][] asked) {
        while (true) {
            long places = 1;
            int most = 0;
            for (int i = 0; i < asked.length; i++) {
                places *= asked[i].length;
                most = asked[i].length > asked[most].length ? i : most;
            }
            if (places <= MAX_PLACES) {
                return;
            }
            asked[most] = ANYWHERE;
        }
    }

    /** @param used set of the fields sorted by already */
    private Part part(int[] rules, int used) {
        int field = rules.length <= SHORT_LIST ? -1 : choose(rules, used);
        if (field < 0) {
            return new Listed(rules);
        }
        var root = new Growing(0, 0, 0);
        for (int rule : rules) {
            for (IpPrefix prefix : asked[rule][field]) {
                root.insert(prefix, rule);
            }
        }
        return new Level(FIELDS[field], root.finish(this, used | 1 << field));
    }

    /** The field that leaves the fewest rules on one path; -1 when none tells enough of them apart. */
    private int choose(int[] rules, int used) {
        int best = -1;
        long bestLeft = rules.length;
        for (int i = 0; i < FIELDS.length; i++) {
            if ((used & 1 << i) == 0) {
                long left = leftBy(rules, i);
                if (left < bestLeft) {
                    best = i;
                    bestLeft = left;
                }
            }
        }
        return best;
    }

    /** Rules that do not ask for the field, and the most that ask for one same prefix first. */
    private long leftBy(int[] rules, int field) {
        int anywhere = 0;
        var first = new IpPrefix[rules.length];
        int count = 0;
        for (int rule : rules) {
            IpPrefix[] prefixes = asked[rule][field];
            if (prefixes == ANYWHERE) {
                anywhere++;
            } else {
                first[count++] = prefixes[0];
            }
        }
        Arrays.sort(first, 0, count, ClassifierBuilder::compare);
        int most = 0;
        int run = 0;
        for (int i = 0; i < count; i++) {
            run = i > 0 && compare(first[i - 1], first[i]) == 0 ? run + 1 : 1;
            most = Math.max(most, run);
        }
        return anywhere + most;
    }

    private static int compare(IpPrefix a, IpPrefix b) {
        int byHigh = Long.compareUnsigned(a.high(), b.high());
        int byAddress = byHigh != 0 ? byHigh : Long.compareUnsigned(a.low(), b.low());
        return byAddress != 0 ? byAddress : Integer.compare(a.bits(), b.bits());
    }

    /** A branch while rules are still added. */
    private static final class Growing {
        private final long high;
        private final long low;
        private final int length;
        private int[] rules = new int[2];
        private int count;
        private @Nullable Growing zero;
        private @Nullable Growing one;

        Growing(long high, long low, int length) {
            this.high = high;
            this.low = low;
            this.length = length;
        }

        /** The prefix is inside this branch's. */
        void insert(IpPrefix prefix, int rule) {
            Growing at = this;
            while (at.length < prefix.bits()) {
                boolean side = Classifier.isSet(prefix.high(), prefix.low(), at.length);
                Growing below = side ? at.one : at.zero;
                if (below == null) {
                    below = new Growing(prefix.high(), prefix.low(), prefix.bits());
                    at.set(side, below);
                }
                int common = Math.min(
                        Lpm.commonBits(below.high ^ prefix.high(), below.low ^ prefix.low()),
                        Math.min(below.length, prefix.bits()));
                if (common < below.length) {
                    var fork = new Growing(
                            below.high & IpPrefix.highMask(common), below.low & IpPrefix.lowMask(common), common);
                    fork.set(Classifier.isSet(below.high, below.low, common), below);
                    at.set(side, fork);
                    below = fork;
                }
                at = below;
            }
            at.add(rule);
        }

        private void set(boolean side, Growing below) {
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
                rules = Arrays.copyOf(rules, 2 * count);
            }
            rules[count++] = rule;
        }

        Branch finish(ClassifierBuilder builder, int used) {
            return new Branch(
                    high,
                    low,
                    length,
                    count == 0 ? null : builder.part(Arrays.copyOf(rules, count), used),
                    zero == null ? null : zero.finish(builder, used),
                    one == null ? null : one.finish(builder, used));
        }
    }

    /** The prefixes that a test asks a field for. */
    private static final class Prefixes {
        private static final IpPrefix[] NONE = {};

        private Prefixes() {}

        /** Empty when the test does not narrow the field down, or not to a few prefixes. */
        static IpPrefix[] of(Test test, int field) {
            List<IpPrefix> prefixes =
                    switch (test) {
                        case Test.Networks networks
                        when networks.field() == field && !networks.inverted() ->
                            networks.set().networks();
                        case Test.Values values
                        when values.field() == field && !values.inverted() ->
                            ofRanges(values.ranges(), Fields.width(field));
                        case Test.Macs macs when macs.field() == field && !macs.inverted() -> ofMacs(macs);
                        case Test.Place place when place.field() == field && !place.inverted() -> ofPlaces(place);
                        default -> List.of();
                    };
            return prefixes.size() > MAX_PLACES ? NONE : prefixes.toArray(NONE);
        }

        private static List<IpPrefix> ofRanges(List<Test.Range> ranges, int width) {
            var prefixes = new ArrayList<IpPrefix>();
            for (Test.Range range : ranges) {
                long low = range.low();
                while (low <= range.high() && prefixes.size() <= MAX_PLACES) {
                    int free = Math.min(low == 0 ? width : Long.numberOfTrailingZeros(low), width);
                    while (low + (1L << free) - 1 > range.high()) {
                        free--;
                    }
                    prefixes.add(new IpPrefix(low << 64 - width, 0, width - free));
                    low += 1L << free;
                }
            }
            return prefixes;
        }

        /** A mask that is no prefix gives its leading ones. */
        private static List<IpPrefix> ofMacs(Test.Macs macs) {
            return macs.patterns().stream()
                    .map(pattern ->
                            new IpPrefix(pattern.bits() << 16, 0, Long.numberOfLeadingZeros(~(pattern.mask() << 16))))
                    .toList();
        }

        private static List<IpPrefix> ofPlaces(Test.Place place) {
            return Arrays.stream(place.sortedIndices())
                    .limit(MAX_PLACES + 1L)
                    .mapToObj(index -> new IpPrefix((long) index << 32, 0, 32))
                    .toList();
        }
    }
}
