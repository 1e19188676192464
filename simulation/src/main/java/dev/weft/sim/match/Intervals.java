package dev.weft.sim.match;

import dev.weft.base.HotPath;
import dev.weft.sim.match.Classifier.Part;
import java.util.Arrays;

/**
 * A field's values cut into the intervals between the edges of all prefixes that rules ask for: for each, the rules that
 * ask for a prefix around it. Immutable.
 *
 * <p>Of fields of at most 32 bits, and of IPv4 addresses: the edges lie dense in one array, so that a search touches few
 * cache lines. {@link WideIntervals} is for the others.
 */
@HotPath
final class Intervals {
    private static final int SIGN = Integer.MIN_VALUE;

    /** First value of each interval, ascending as unsigned numbers, the sign bit flipped; the first is 0. */
    private final int[] starts;

    private final Part[][] parts;
    private final int width;

    Intervals(long[] starts, Part[][] parts, int width) {
        this.starts =
                Arrays.stream(starts).mapToInt(start -> (int) start ^ SIGN).toArray();
        this.parts = parts;
        this.width = width;
    }

    int find(int value) {
        int key = value ^ SIGN;
        int at = 0;
        int length = starts.length;
        while (length > 1) {
            int half = length >>> 1;
            at = starts[at + half] <= key ? at + half : at;
            length -= half;
        }
        return at;
    }

    /** Of an interval, ascending by least position. */
    Part[] parts(int interval) {
        return parts[interval];
    }

    /** How many first bits prove that the value is in its interval. */
    int proof(int interval, int value) {
        long low = (starts[interval] ^ SIGN) & 0xffff_ffffL;
        long most = (1L << width) - 1;
        long high = interval + 1 == starts.length ? most : ((starts[interval + 1] ^ SIGN) & 0xffff_ffffL) - 1;
        return bitsInside(width, value & 0xffff_ffffL, low, high);
    }

    /** How many first bits all values have that are surely between the two, as this one is: ranges go as prefixes. */
    static int bitsInside(int width, long value, long low, long high) {
        int unused = 64 - width;
        int fromBelow = low == 0 ? 0 : Long.numberOfLeadingZeros(value ^ low - 1) - unused + 1;
        int fromAbove = high == (1L << width) - 1 ? 0 : Long.numberOfLeadingZeros(value ^ high + 1) - unused + 1;
        return Math.max(fromBelow, fromAbove);
    }
}
