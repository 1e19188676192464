package dev.weft.sim.match;

import dev.weft.base.IpPrefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The prefixes that one rule asks of each field that rules are sorted by. Immutable. */
final class AskedPrefixes {
    /** The first of those that sort equally well is taken. */
    static final int[] FIELDS = {
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

    /** More than that is a set, and a rule is sorted by one set only. */
    private static final int FEW = 64;

    /** Larger sets are looked up when all else of their rule holds. */
    private static final int LARGEST_SET = 4096;

    private static final IpPrefix[] ANYWHERE = {new IpPrefix(0, 0, 0)};

    private final IpPrefix[][] prefixes;
    /** By field: the test that asks. */
    private final @Nullable Test[] askers;

    private AskedPrefixes(IpPrefix[][] prefixes, @Nullable Test[] askers) {
        this.prefixes = prefixes;
        this.askers = askers;
    }

    static AskedPrefixes of(List<Test> tests) {
        var prefixes = new IpPrefix[FIELDS.length][];
        var askers = new @Nullable Test[FIELDS.length];
        Arrays.fill(prefixes, ANYWHERE);
        for (Test test : tests) {
            int field = fieldOf(test);
            if (field < 0) {
                continue;
            }
            IpPrefix[] asked = prefixesOf(test);
            boolean fewer = prefixes[field] == ANYWHERE || asked.length < prefixes[field].length;
            if (asked.length > 0 && asked.length <= LARGEST_SET && fewer) {
                prefixes[field] = asked;
                askers[field] = test;
            }
        }
        limit(prefixes);
        return new AskedPrefixes(prefixes, askers);
    }

    /** The tests that are still to be done where the rule was found by these fields. */
    List<Test> without(List<Test> tests, int usedFields) {
        var left = new ArrayList<Test>(tests);
        for (int i = 0; i < askers.length; i++) {
            boolean done = (usedFields & 1 << i) != 0 && asks(i) && !(askers[i] instanceof Test.Macs);
            if (done) {
                left.remove(askers[i]);
            }
        }
        return left;
    }

    boolean asks(int field) {
        return prefixes[field] != ANYWHERE;
    }

    /** The root's when it does not ask. */
    IpPrefix[] prefixes(int field) {
        return prefixes[field];
    }

    /** A rule stands once for each combination, so there must not be many; only a set's members share what is below. */
    private static void limit(IpPrefix[][] prefixes) {
        boolean hasSet = false;
        for (int i = 0; i < prefixes.length; i++) {
            if (prefixes[i].length > FEW) {
                prefixes[i] = hasSet ? ANYWHERE : prefixes[i];
                hasSet = true;
            }
        }
        while (combinations(prefixes) > FEW) {
            int most = 0;
            for (int i = 0; i < prefixes.length; i++) {
                boolean isSet = prefixes[i].length > FEW;
                most = !isSet && (prefixes[most].length > FEW || prefixes[i].length > prefixes[most].length) ? i : most;
            }
            prefixes[most] = ANYWHERE;
        }
    }

    /** Without the set. */
    private static long combinations(IpPrefix[][] prefixes) {
        long combinations = 1;
        for (IpPrefix[] asked : prefixes) {
            combinations *= asked.length > FEW ? 1 : asked.length;
        }
        return combinations;
    }

    /** Index into {@link #FIELDS} of the field that a test narrows down, -1 when it does not. */
    private static int fieldOf(Test test) {
        int field =
                switch (test) {
                    case Test.Networks networks when !networks.inverted() -> networks.field();
                    case Test.Values values when !values.inverted() -> values.field();
                    case Test.Macs macs when !macs.inverted() -> macs.field();
                    case Test.Place place when !place.inverted() -> place.field();
                    default -> -1;
                };
        for (int i = 0; i < FIELDS.length; i++) {
            if (FIELDS[i] == field) {
                return i;
            }
        }
        return -1;
    }

    private static IpPrefix[] prefixesOf(Test test) {
        List<IpPrefix> prefixes =
                switch (test) {
                    case Test.Networks networks -> networks.set().networks();
                    case Test.Values values -> ofRanges(values.ranges(), Fields.width(values.field()));
                    case Test.Macs macs -> ofMacs(macs);
                    case Test.Place place -> ofPlaces(place);
                    default -> List.of();
                };
        return prefixes.toArray(new IpPrefix[0]);
    }

    private static List<IpPrefix> ofRanges(List<Test.Range> ranges, int width) {
        var prefixes = new ArrayList<IpPrefix>();
        for (Test.Range range : ranges) {
            long low = range.low();
            while (low <= range.high()) {
                int free = low == 0 ? width : Math.min(Long.numberOfTrailingZeros(low), width);
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
                .mapToObj(index -> new IpPrefix((long) index << 32, 0, 32))
                .toList();
    }
}
