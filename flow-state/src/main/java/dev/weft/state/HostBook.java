package dev.weft.state;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;

/** Underlay addresses of hosts that connections are shared with, as small numbers. Not thread safe: part of a table. */
@HotPath
final class HostBook {
    /** This host, and any that found no place. */
    static final int SELF = 0;

    private static final int PLACES = 4096;

    private final long[] high = new long[PLACES];
    private final long[] low = new long[PLACES];
    private final EntryIndex index = new EntryIndex(PLACES, PLACES);
    private int used = 1;

    int numberOf(long addressHigh, long addressLow) {
        if ((addressHigh | addressLow) == 0) {
            return SELF;
        }
        long hash = Hashing.combine(addressHigh, addressLow);
        for (int i = index.first(hash); i != EntryIndex.NONE; i = index.following(i)) {
            if (high[i] == addressHigh && low[i] == addressLow) {
                return i;
            }
        }
        if (used == PLACES) {
            return SELF;
        }
        high[used] = addressHigh;
        low[used] = addressLow;
        index.add(used, hash);
        return used++;
    }

    long high(int number) {
        return high[number];
    }

    long low(int number) {
        return low[number];
    }
}
