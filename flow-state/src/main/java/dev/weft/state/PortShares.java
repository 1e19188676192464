package dev.weft.state;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * The stateful ports that have connections in a table: how many each has, and its newest and oldest. Not thread safe:
 * part of a {@link ConnectionTable}. Chained hashing over fixed arrays; a port's place is free again with its last
 * connection.
 */
@HotPath
final class PortShares {
    static final int NONE = -1;

    private final int mask;
    private final int[] buckets;
    private final int[] nextInBucket; // of a free place: the next free one
    private final long[] high;
    private final long[] low;
    private final int[] count;
    private final int[] newest;
    private final int[] oldest;
    private int free;
    private int used;

    PortShares(int capacity) {
        int size = Integer.highestOneBit(Math.max(2, capacity) * 2 - 1);
        mask = size - 1;
        buckets = new int[size];
        Arrays.fill(buckets, NONE);
        nextInBucket = new int[capacity];
        for (int i = 0; i < capacity; i++) {
            nextInBucket[i] = i + 1 < capacity ? i + 1 : NONE;
        }
        high = new long[capacity];
        low = new long[capacity];
        count = new int[capacity];
        newest = new int[capacity];
        oldest = new int[capacity];
        Arrays.fill(newest, NONE);
        Arrays.fill(oldest, NONE);
    }

    int find(long portHigh, long portLow) {
        int port = buckets[bucket(portHigh, portLow)];
        while (port != NONE && (high[port] != portHigh || low[port] != portLow)) {
            port = nextInBucket[port];
        }
        return port;
    }

    /** The place of this port, made if need be; {@link #NONE} when all places are taken. */
    int open(long portHigh, long portLow) {
        int known = find(portHigh, portLow);
        if (known != NONE || free == NONE) {
            return known;
        }
        int port = free;
        free = nextInBucket[port];
        int bucket = bucket(portHigh, portLow);
        nextInBucket[port] = buckets[bucket];
        buckets[bucket] = port;
        high[port] = portHigh;
        low[port] = portLow;
        used++;
        return port;
    }

    /** Frees the place of a port that has no connection left. */
    void close(int port) {
        int bucket = bucket(high[port], low[port]);
        if (buckets[bucket] == port) {
            buckets[bucket] = nextInBucket[port];
        } else {
            int before = buckets[bucket];
            while (nextInBucket[before] != port) {
                before = nextInBucket[before];
            }
            nextInBucket[before] = nextInBucket[port];
        }
        nextInBucket[port] = free;
        free = port;
        used--;
    }

    /** The port with the most connections. A walk: only asked when the whole table is full. */
    int fattest() {
        int fattest = 0;
        for (int port = 1; port < count.length; port++) {
            if (count[port] > count[fattest]) {
                fattest = port;
            }
        }
        return fattest;
    }

    int used() {
        return used;
    }

    long high(int port) {
        return high[port];
    }

    long low(int port) {
        return low[port];
    }

    int count(int port) {
        return count[port];
    }

    int addCount(int port, int difference) {
        count[port] += difference;
        return count[port];
    }

    int newest(int port) {
        return newest[port];
    }

    void setNewest(int port, int slot) {
        newest[port] = slot;
    }

    int oldest(int port) {
        return oldest[port];
    }

    void setOldest(int port, int slot) {
        oldest[port] = slot;
    }

    private int bucket(long portHigh, long portLow) {
        return (int) Hashing.combine(portHigh, portLow) & mask;
    }
}
