package dev.weft.it.bench;

import dev.weft.base.Hashing;
import dev.weft.base.NanoClock;

/**
 * The cost of a fixed piece of work on this machine at this moment: a dependent walk through 4 MiB, mixed at each step.
 * Run between the rounds of a benchmark; its spread is the machine's noise.
 */
public final class Calibration {
    /** The name of its row. */
    public static final String ROW = "calibration";

    private static final int WORDS = 1 << 19;
    private static final int STEPS = 1 << 16;

    private final long[] memory = new long[WORDS];
    private long position;

    public Calibration() {
        for (int i = 0; i < WORDS; i++) {
            memory[i] = Hashing.mix(i);
        }
    }

    /** Nanoseconds per step of the walk. */
    public double nanosPerStep() {
        long begin = NanoClock.SYSTEM.nanoTime();
        long at = position;
        for (int i = 0; i < STEPS; i++) {
            at = Hashing.mix(at ^ memory[(int) at & WORDS - 1]);
        }
        position = at;
        return (double) (NanoClock.SYSTEM.nanoTime() - begin) / STEPS;
    }

    /** The row that belongs into every answer. */
    public static Row row(double... nanosPerStep) {
        return Row.of(
                ROW,
                java.util.List.of(
                        new Row.Figure(Figures.median(nanosPerStep), "ns/step median", null),
                        new Row.Figure(Figures.best(nanosPerStep), "ns/step best", null)),
                "a fixed walk through 4 MiB, between the rounds");
    }
}
