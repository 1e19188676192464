package dev.weft.sim.match;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tests of many rules as one flat array of words, so that holding a packet against a rule touches one or two cache
 * lines. Immutable.
 *
 * <pre>
 * word:  operation (63..56) | inverted (55) | field (47..40) | operand (31..0)
 *
 * KIND, FRAGMENT      operand: the set
 * PORTS, ICMP, QUOTE
 * RANGE               operand: low (31..16), high (15..0)
 * RANGES              operand: how many; each a word: low (63..32), high (31..0)
 * PREFIX              operand: bits; then the network: high, low
 * NETWORKS            operand: index of an address set
 * MACS                operand: how many; each two words: mask, bits
 * PLACE, CROSSED      operand: index of a sorted set
 * NOT                 operand: how many words of tests follow that must not all hold
 * </pre>
 */
@HotPath
final class Program {
    private static final int KIND = 1;
    private static final int FRAGMENT = 2;
    private static final int PORTS = 3;
    private static final int ICMP = 4;
    private static final int QUOTE = 5;
    private static final int RANGE = 6;
    private static final int RANGES = 7;
    private static final int PREFIX = 8;
    private static final int NETWORKS = 9;
    private static final int MACS = 10;
    private static final int PLACE = 11;
    private static final int CROSSED = 12;
    private static final int NOT = 13;

    private static final long INVERTED = 1L << 55;

    private final long[] words;
    /** By rule: where it starts; one more at the end. */
    private final int[] starts;

    private final Lpm[] sets;
    private final int[][] places;

    private Program(long[] words, int[] starts, Lpm[] sets, int[][] places) {
        this.words = words;
        this.starts = starts;
        this.sets = sets;
        this.places = places;
    }

    static Program of(List<List<Test>> rules) {
        var writer = new Writer();
        int[] starts = new int[rules.size() + 1];
        for (int i = 0; i < rules.size(); i++) {
            starts[i] = writer.length;
            rules.get(i).forEach(writer::test);
        }
        starts[rules.size()] = writer.length;
        return new Program(
                Arrays.copyOf(writer.words, writer.length),
                starts,
                writer.sets.toArray(new Lpm[0]),
                writer.places.toArray(new int[0][]));
    }

    boolean matches(int rule, Fields fields) {
        return holds(starts[rule], starts[rule + 1], fields);
    }

    private boolean holds(int from, int end, Fields fields) {
        int at = from;
        while (at < end) {
            long word = words[at];
            int operand = (int) word;
            int field = (int) (word >>> 40) & 0xff;
            boolean holds;
            int length = 1;
            switch ((int) (word >>> 56)) {
                case KIND -> holds = (fields.kind() & operand) != 0;
                case FRAGMENT -> holds = (fields.fragment() & operand) != 0;
                case PORTS -> holds = fields.hasPorts();
                case ICMP -> holds = fields.hasIcmp();
                case QUOTE -> holds = fields.hasQuote();
                case RANGE -> holds = isInRange(fields, field, operand >>> 16, operand & 0xffff);
                case RANGES -> {
                    holds = isInRanges(fields, field, at + 1, operand);
                    length += operand;
                }
                case PREFIX -> {
                    holds = isInPrefix(fields, field, words[at + 1], words[at + 2], operand);
                    length += 2;
                }
                case NETWORKS -> holds = isInSet(fields, field, sets[operand]);
                case MACS -> {
                    holds = isLike(fields, field, at + 1, operand);
                    length += 2 * operand;
                }
                case PLACE -> {
                    int place = fields.value(field);
                    if (place < 0) {
                        return false; // not known: neither in the set nor outside
                    }
                    holds = Arrays.binarySearch(places[operand], place) >= 0;
                }
                case CROSSED -> holds = fields.crossed(field, places[operand]);
                case NOT -> {
                    holds = !holds(at + 1, at + 1 + operand, fields);
                    length += operand;
                }
                default -> throw new AssertionError("operation in word " + word);
            }
            if (holds == ((word & INVERTED) != 0)) {
                return false;
            }
            at += length;
        }
        return true;
    }

    private static boolean isInRange(Fields fields, int field, int low, int high) {
        int value = fields.value(field);
        int most = (1 << Fields.width(field)) - 1;
        if (value < low) {
            fields.use(field, bitsInside(field, value, 0, low - 1, most));
            return false;
        }
        if (value > high) {
            fields.use(field, bitsInside(field, value, high + 1, most, most));
            return false;
        }
        fields.use(field, bitsInside(field, value, low, high, most));
        return true;
    }

    /** By halving; what lies between two ranges is an interval of values like a range is. */
    private boolean isInRanges(Fields fields, int field, int at, int count) {
        long value = fields.value(field) & 0xffff_ffffL;
        long most = (1L << Fields.width(field)) - 1;
        int below = 0; // ranges that start at or below the value
        int above = count;
        while (below < above) {
            int middle = below + above >>> 1;
            if (words[at + middle] >>> 32 <= value) {
                below = middle + 1;
            } else {
                above = middle;
            }
        }
        long next = below == count ? most + 1 : words[at + below] >>> 32;
        long low = below == 0 ? 0 : words[at + below - 1] >>> 32;
        long high = below == 0 ? -1 : words[at + below - 1] & 0xffff_ffffL;
        boolean inside = below > 0 && value <= high;
        fields.use(
                field,
                inside
                        ? bitsInside(field, value, low, high, most)
                        : bitsInside(field, value, below == 0 ? 0 : high + 1, next - 1, most));
        return inside;
    }

    /** How many first bits all values have that are surely between the two, as this one is: ranges go as prefixes. */
    private static int bitsInside(int field, long value, long low, long high, long most) {
        int unused = 64 - Fields.width(field);
        int fromBelow = low == 0 ? 0 : Long.numberOfLeadingZeros(value ^ low - 1) - unused + 1;
        int fromAbove = high == most ? 0 : Long.numberOfLeadingZeros(value ^ high + 1) - unused + 1;
        return Math.max(fromBelow, fromAbove);
    }

    private static boolean isInPrefix(Fields fields, int field, long high, long low, int bits) {
        int common = Lpm.commonBits(fields.high(field) ^ high, fields.low(field) ^ low);
        fields.use(field, Math.min(bits, common + 1));
        return common >= bits;
    }

    private static boolean isInSet(Fields fields, int field, Lpm set) {
        long found = set.lookup(fields.high(field), fields.low(field));
        fields.use(field, Lpm.proven(found));
        return Lpm.value(found) != Lpm.NONE;
    }

    private boolean isLike(Fields fields, int field, int at, int count) {
        long mac = fields.mac(field);
        for (int i = at; i < at + 2 * count; i += 2) {
            long difference = (mac ^ words[i + 1]) & words[i];
            if (difference == 0) {
                fields.useMac(field, words[i]);
                return true;
            }
            fields.useMac(field, Long.highestOneBit(difference));
        }
        return false;
    }

    /** Writes tests. */
    private static final class Writer {
        private long[] words = new long[64];
        private int length;
        private final List<Lpm> sets = new ArrayList<>();
        private final List<int[]> places = new ArrayList<>();

        void test(Test test) {
            switch (test) {
                case Test.Kind kind -> word(KIND, 0, false, kind.kinds());
                case Test.Fragment fragment -> word(FRAGMENT, 0, false, fragment.fragments());
                case Test.Ports any -> word(PORTS, 0, false, 0);
                case Test.Icmp any -> word(ICMP, 0, false, 0);
                case Test.Quote any -> word(QUOTE, 0, false, 0);
                case Test.Values values -> values(values);
                case Test.Networks networks -> networks(networks);
                case Test.Macs macs -> {
                    word(MACS, macs.field(), macs.inverted(), macs.patterns().size());
                    for (Test.MacPattern pattern : macs.patterns()) {
                        add(pattern.mask());
                        add(pattern.bits() & pattern.mask());
                    }
                }
                case Test.Place place -> {
                    word(PLACE, place.field(), place.inverted(), places.size());
                    places.add(place.sortedIndices());
                }
                case Test.Crossed crossed -> {
                    word(CROSSED, crossed.place(), crossed.inverted(), places.size());
                    places.add(crossed.sortedIndices());
                }
                case Test.Not not -> {
                    int at = length;
                    word(NOT, 0, false, 0);
                    not.tests().forEach(this::test);
                    words[at] |= length - at - 1;
                }
            }
        }

        private void values(Test.Values values) {
            List<Test.Range> ranges = values.ranges();
            if (ranges.size() == 1 && Fields.width(values.field()) <= 16) {
                Test.Range only = ranges.getFirst();
                word(RANGE, values.field(), values.inverted(), (int) (only.low() << 16 | only.high()));
                return;
            }
            word(RANGES, values.field(), values.inverted(), ranges.size());
            ranges.forEach(range -> add(range.low() << 32 | range.high()));
        }

        private void networks(Test.Networks networks) {
            List<IpPrefix> all = networks.set().networks();
            if (all.size() == 1) {
                IpPrefix only = all.getFirst();
                word(PREFIX, networks.field(), networks.inverted(), only.bits());
                add(only.high());
                add(only.low());
                return;
            }
            word(NETWORKS, networks.field(), networks.inverted(), sets.size());
            sets.add(networks.set().lpm);
        }

        private void word(int operation, int field, boolean inverted, int operand) {
            add((long) operation << 56 | (inverted ? INVERTED : 0) | (long) field << 40 | operand & 0xffff_ffffL);
        }

        private void add(long word) {
            if (length == words.length) {
                words = Arrays.copyOf(words, 2 * length);
            }
            words[length++] = word;
        }
    }
}
