package dev.weft.base;

/** Monotonic time in nanoseconds. Values compare by subtraction only: {@code deadline - now < 0}. */
@FunctionalInterface
public interface NanoClock {
    /** The machine's clock: the one place that reads it. */
    NanoClock SYSTEM = System::nanoTime;

    long nanoTime();
}
