package dev.weft.topology;

import dev.weft.base.NanoClock;

/** What this session owns and may still write, over all its tables. Thread safe; a few instructions under a lock. */
final class SessionBudget {
    private static final long NANOS = 1_000_000_000L;

    // Immutable.
    private final TableLimits limits;
    private final NanoClock clock;
    // Guarded by this.
    private int entries;
    private int pathBytes;
    private double tokens;
    private long filledAt;

    SessionBudget(TableLimits limits, NanoClock clock) {
        this.limits = limits;
        this.clock = clock;
        this.tokens = limits.burst();
        this.filledAt = clock.nanoTime();
    }

    synchronized boolean tryReserve(int bytes) {
        if (entries + 1 > limits.entries() || pathBytes + bytes > limits.pathBytes()) {
            return false;
        }
        entries++;
        pathBytes += bytes;
        return true;
    }

    synchronized void release(int bytes) {
        entries--;
        pathBytes -= bytes;
    }

    /** Takes one write from the token bucket. */
    synchronized boolean tryWrite() {
        long now = clock.nanoTime();
        tokens = Math.min(limits.burst(), tokens + (double) (now - filledAt) * limits.writesPerSecond() / NANOS);
        filledAt = now;
        if (tokens < 1) {
            return false;
        }
        tokens--;
        return true;
    }
}
