package dev.weft.sim.match;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * All lists of rules of a classifier as flat words in one array, each list's rules one behind the other, so that holding a
 * packet against them touches few cache lines. Immutable.
 *
 * <pre>
 * list:  how many words follow (63..32) | the caller's own number (31..0), then rules by ascending position
 * rule:  position (63..32) | how many words of tests (31..0), then these
 * word:  operation (63..56) | inverted (55) | field (47..40) | operand (31..0)
 *
 * KIND, FRAGMENT      operand: the set
 * PORTS, ICMP, QUOTE
 * RANGE               operand: low (31..16), high (15..0)
 * RANGES              operand: how many; each a word: low (63..32), high (31..0)
 * PREFIX              operand: bits; then the network: high, low
 * PREFIX_V4           bits of 128 (39..32), operand: the network
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
    private static final int PREFIX_V4 = 14;

    private static final long INVERTED = 1L << 55;

    private final long[] words;
    private final Lpm[] sets;
    private final int[][] places;

    private Program(long[] words, Lpm[] sets, int[][] places) {
        this.words = words;
        this.sets = sets;
        this.places = places;
    }

    /** The number that the list's maker gave it. */
    int number(int list) {
        return (int) words[list];
    }

    /** The first rule of the list at or after {@code from} and before {@code best} that is met, else {@code best}. */
    int first(int list, int from, int best, Fields fields) {
        int at = list + 1;
        int end = at + (int) (words[list] >>> 32);
        while (at < end) {
            int position = (int) (words[at] >>> 32);
            if (position >= best) {
                return best;
            }
            int next = at + 1 + (int) words[at];
            if (position >= from && holds(at + 1, next, fields)) {
                return position;
            }
            at = next;
        }
        return best;
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
                case PREFIX_V4 -> {
                    long network = IpAddress.V4_MARK | operand & 0xffff_ffffL;
                    holds = isInPrefix(fields, field, 0, network, (int) (word >>> 32) & 0xff);
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
        int width = Fields.width(field);
        if (value < low) {
            fields.use(field, Intervals.bitsInside(width, value, 0, low - 1));
            return false;
        }
        if (value > high) {
            fields.use(field, Intervals.bitsInside(width, value, high + 1, (1 << width) - 1));
            return false;
        }
        fields.use(field, Intervals.bitsInside(width, value, low, high));
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
        int width = Fields.width(field);
        fields.use(
                field,
                inside
                        ? Intervals.bitsInside(width, value, low, high)
                        : Intervals.bitsInside(width, value, below == 0 ? 0 : high + 1, next - 1));
        return inside;
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

    /** Writes lists of rules. */
    static final class Writer {
        private long[] words = new long[64];
        private int length;
        private final Map<Lpm, Integer> setIndices = new IdentityHashMap<>();
        private final List<Lpm> sets = new ArrayList<>();
        private final List<int[]> places = new ArrayList<>();

        /** Begins a list and returns it; {@link #rule}s follow, then {@link #end}. */
        int begin() {
            add(0);
            return length - 1;
        }

        void rule(int position, List<Test> tests) {
            int at = length;
            add(0);
            tests.forEach(this::test);
            words[at] = (long) position << 32 | length - at - 1;
        }

        void end(int list, int number) {
            words[list] = (long) (length - list - 1) << 32 | number;
        }

        Program finish() {
            return new Program(Arrays.copyOf(words, length), sets.toArray(new Lpm[0]), places.toArray(new int[0][]));
        }

        private void test(Test test) {
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
                if (only.isV4()) {
                    word(PREFIX_V4, networks.field(), networks.inverted(), (int) only.low());
                    words[length - 1] |= (long) only.bits() << 32;
                    return;
                }
                word(PREFIX, networks.field(), networks.inverted(), only.bits());
                add(only.high());
                add(only.low());
                return;
            }
            int index = setIndices.computeIfAbsent(networks.set().lpm, set -> {
                sets.add(set);
                return sets.size() - 1;
            });
            word(NETWORKS, networks.field(), networks.inverted(), index);
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
