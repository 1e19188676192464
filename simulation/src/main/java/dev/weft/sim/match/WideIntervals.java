package dev.weft.sim.match;

import dev.weft.base.HotPath;

/** As {@link Intervals}, of IPv6 addresses and MACs (in the first 48 bits): two words for each first value. */
@HotPath
final class WideIntervals {
    private WideIntervals() {}

    static int find(long[] starts, long high, long low) {
        int at = 0;
        int length = starts.length >>> 1;
        while (length > 1) {
            int half = length >>> 1;
            at = isAtMost(starts, at + half, high, low) ? at + half : at;
            length -= half;
        }
        return at;
    }

    private static boolean isAtMost(long[] starts, int interval, long high, long low) {
        int order = Long.compareUnsigned(starts[2 * interval], high);
        return order < 0 || order == 0 && Long.compareUnsigned(starts[2 * interval + 1], low) <= 0;
    }

    /** How many first bits prove that the value is in its interval. */
    static int proof(long[] starts, int interval, long high, long low) {
        int fromBelow = 0;
        if (interval > 0) {
            long startLow = starts[2 * interval + 1];
            long beforeHigh = starts[2 * interval] - (startLow == 0 ? 1 : 0);
            fromBelow = Lpm.commonBits(high ^ beforeHigh, low ^ startLow - 1) + 1;
        }
        int next = 2 * interval + 2;
        int fromAbove = next == starts.length ? 0 : Lpm.commonBits(high ^ starts[next], low ^ starts[next + 1]) + 1;
        return Math.max(fromBelow, fromAbove);
    }
}
