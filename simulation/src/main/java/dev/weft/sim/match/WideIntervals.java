package dev.weft.sim.match;

import dev.weft.base.HotPath;
import dev.weft.sim.match.Classifier.Part;

/** As {@link Intervals}, of IPv6 addresses and MACs (in the first 48 bits). Immutable. */
@HotPath
final class WideIntervals {
    /** First value of each interval, high and low, ascending as unsigned numbers; the first is 0. */
    private final long[] starts;

    private final Part[][] parts;

    WideIntervals(long[] starts, Part[][] parts) {
        this.starts = starts;
        this.parts = parts;
    }

    int find(long high, long low) {
        int at = 0;
        int length = parts.length;
        while (length > 1) {
            int half = length >>> 1;
            at = isAtMost(2 * (at + half), high, low) ? at + half : at;
            length -= half;
        }
        return at;
    }

    private boolean isAtMost(int word, long high, long low) {
        int order = Long.compareUnsigned(starts[word], high);
        return order < 0 || order == 0 && Long.compareUnsigned(starts[word + 1], low) <= 0;
    }

    /** Of an interval, ascending by least position. */
    Part[] parts(int interval) {
        return parts[interval];
    }

    /** How many first bits prove that the value is in its interval. */
    int proof(int interval, long high, long low) {
        int fromBelow = 0;
        if (interval > 0) {
            long startLow = starts[2 * interval + 1];
            long beforeHigh = starts[2 * interval] - (startLow == 0 ? 1 : 0);
            fromBelow = Lpm.commonBits(high ^ beforeHigh, low ^ startLow - 1) + 1;
        }
        int fromAbove = interval + 1 == parts.length
                ? 0
                : Lpm.commonBits(high ^ starts[2 * interval + 2], low ^ starts[2 * interval + 3]) + 1;
        return Math.max(fromBelow, fromAbove);
    }
}
