package dev.weft.sim.service;

import dev.weft.base.HotPath;
import org.jspecify.annotations.Nullable;

/**
 * Which target the first packet of a connection was given, so that its repetitions go there too, whatever became of the
 * rules meanwhile. Bounded: a new one takes the place of the oldest of four. Not thread safe: owned by one worker.
 */
@HotPath
public final class ServiceChoices {
    /** A SYN is repeated for minutes, ever more seldom. */
    public static final long LIFETIME_NANOS = 5 * 60 * 1_000_000_000L;

    private static final int WAYS = 4;

    private final int mask;
    /** Hashes of connections; 0 when free. */
    private final long[] keys;

    private final ServiceTarget[] targets;
    private final long[] times;

    /** @param capacity a power of two, four at least */
    public ServiceChoices(int capacity) {
        if (capacity < WAYS || Integer.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("capacity " + capacity + " (expected a power of two, 4 or more)");
        }
        mask = capacity / WAYS - 1;
        keys = new long[capacity];
        targets = new ServiceTarget[capacity];
        times = new long[capacity];
    }

    /** The target of a connection, given as a hash of all that tells it from others; null when there is none. */
    public @Nullable ServiceTarget find(long connection, long nowNanos) {
        int first = first(connection);
        for (int at = first; at < first + WAYS; at++) {
            if (keys[at] == connection && nowNanos - times[at] < LIFETIME_NANOS) {
                return targets[at];
            }
        }
        return null;
    }

    public void put(long connection, ServiceTarget target, long nowNanos) {
        int first = first(connection);
        int place = first;
        for (int at = first; at < first + WAYS; at++) {
            if (keys[at] == connection || keys[at] == 0) {
                place = at;
                break;
            }
            if (times[at] - times[place] < 0) {
                place = at;
            }
        }
        keys[place] = connection;
        targets[place] = target;
        times[place] = nowNanos;
    }

    private int first(long connection) {
        return ((int) (connection >>> 32) & mask) * WAYS;
    }
}
