package dev.weft.base;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Runs a statement over many random cases. A failure names its seed; {@code -Dproperty.seed=SEED} runs that case alone,
 * {@code -Dproperty.runs=N} changes how many there are.
 */
public final class Property {
    private static final String SEED = "property.seed";
    private static final String RUNS = "property.runs";
    private static final int DEFAULT_RUNS = 1_000;

    private Property() {}

    /** A statement about one random case; it throws when it does not hold. */
    @FunctionalInterface
    public interface Statement {
        void check(RandomGenerator random) throws Exception;
    }

    /** As {@link #holds(int, Statement)}, of a statement with a name; the failure says it. */
    public static void check(String name, int runs, Statement statement) {
        try {
            holds(runs, statement);
        } catch (AssertionError failed) {
            throw new AssertionError("property '" + name + "': " + failed.getMessage(), failed);
        }
    }

    public static void holds(Statement statement) {
        holds(DEFAULT_RUNS, statement);
    }

    /** @param runs how many cases, unless told otherwise on the command line */
    public static void holds(int runs, Statement statement) {
        String replay = System.getProperty(SEED);
        if (replay != null) {
            run(Long.parseLong(replay), statement);
            return;
        }
        long seed = new SplittableRandom().nextLong();
        int wanted = Integer.getInteger(RUNS, runs);
        for (int i = 0; i < wanted; i++) {
            run(seed + i, statement);
        }
    }

    private static void run(long seed, Statement statement) {
        try {
            statement.check(new SplittableRandom(seed));
        } catch (Exception | AssertionError failed) {
            throw new AssertionError(
                    "does not hold for seed " + seed + " (replay with -D" + SEED + "=" + seed + "): "
                            + failed.getMessage(),
                    failed);
        }
    }
}
