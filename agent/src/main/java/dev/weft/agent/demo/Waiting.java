package dev.weft.agent.demo;

import dev.weft.base.NanoClock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what others do, with a limit. */
final class Waiting {
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private Waiting() {}

    /** Whether the condition held before the time was up. */
    static boolean until(NanoClock clock, Duration limit, BooleanSupplier condition) {
        long deadline = clock.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (deadline - clock.nanoTime() < 0) {
                return false;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return true;
    }
}
