package dev.weft.datapath.soft;

/**
 * So many a second, and one second's worth at once: the generic cell rate algorithm (ITU-T I.371), one number of state.
 * Safe from any thread.
 */
final class TokenBucket {
    private static final long SECOND = 1_000_000_000L;

    private static final long NEVER = 0;

    private final long interval;
    // Guarded by this: when the bucket will be full again.
    private long fullAt;
    private boolean started;

    /** @param perSecond 0: never */
    TokenBucket(int perSecond) {
        interval = perSecond <= 0 ? NEVER : Math.max(1, SECOND / perSecond);
    }

    synchronized boolean tryTake(long now) {
        if (interval == NEVER) {
            return false;
        }
        if (!started || fullAt - now < 0) {
            started = true;
            fullAt = now;
        }
        if (fullAt + interval - now > SECOND) {
            return false;
        }
        fullAt += interval;
        return true;
    }
}
