package dev.weft.agent.worker;

import dev.weft.base.NanoClock;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/** Logs at most one warning a second and says how many were left out. Not thread safe: one owner. */
final class RateLimitedLog {
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Logger log;
    private final NanoClock clock;
    private long nextNanos;
    private long leftOut;

    RateLimitedLog(Logger log, NanoClock clock) {
        this.log = log;
        this.clock = clock;
        this.nextNanos = clock.nanoTime();
    }

    void warn(String message, Throwable cause) {
        long now = clock.nanoTime();
        if (now - nextNanos < 0) {
            leftOut++;
            return;
        }
        log.warn("{} ({} more since the last such line)", message, leftOut, cause);
        leftOut = 0;
        nextNanos = now + INTERVAL_NANOS;
    }
}
