package dev.weft.sim.match;

import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * A field's values cut into the intervals between the edges of all prefixes that rules ask for. Of fields of at most 32
 * bits, and of IPv4 addresses: the first value of each interval, ascending as unsigned numbers with the sign bit flipped,
 * dense in one array, so that a search touches few cache lines. {@link WideIntervals} is for the others.
 */
@HotPath
final class Intervals {
    private static final int SIGN = Integer.MIN_VALUE;
    private static final int BLOCK = 16;

    private Intervals() {}

    /** @param starts ascending; the first is 0 */
    static int[] of(long[] starts) {
        return Arrays.stream(starts).mapToInt(start -> (int) start ^ SIGN).toArray();
    }

    /** Every so many-th value, for {@link #find}: few enough to stay in a cache that is close. */
    static int[] sample(int[] starts) {
        int[] sample = new int[(starts.length + BLOCK - 1) / BLOCK];
        Arrays.setAll(sample, i -> starts[i * BLOCK]);
        return sample;
    }

    /** The interval of a value: by halving in the sample, then in one block, which is a cache line. */
    static int find(int[] sample, int[] starts, int value) {
        long before = (long) (value ^ SIGN) + 1;
        int block = last(sample, 0, sample.length, before) * BLOCK;
        return last(starts, block, Math.min(BLOCK, starts.length - block), before);
    }

    /** The last one below; without branches that the processor would guess wrong every other time. */
    private static int last(int[] values, int from, int count, long before) {
        int at = from;
        int length = count;
        while (length > 1) {
            int half = length >>> 1;
            at += half & (int) (values[at + half] - before >> 63);
            length -= half;
        }
        return at;
    }

    /** How many first bits prove that the value is in its interval. */
    static int proof(int[] starts, int width, int interval, int value) {
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
