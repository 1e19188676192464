package dev.weft.base;

import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Runs a property many times with random input. Every run has a seed of its own; a failure names it, and {@code
 * -Dproperty.seed=SEED} runs that one alone.
 */
public final class Property {
    private static final String SEED = "property.seed";

    private Property() {}

    /** @param body draws all its input from the generator; fails by throwing */
    public static void check(String name, int runs, Consumer<RandomGenerator> body) {
        var told = System.getProperty(SEED);
        if (told != null) {
            run(name, Long.decode(told), body);
            return;
        }
        long first = System.nanoTime();
        System.out.println("property '" + name + "': " + runs + " runs, first seed " + first);
        for (int i = 0; i < runs; i++) {
            run(name, first + i, body);
        }
    }

    private static void run(String name, long seed, Consumer<RandomGenerator> body) {
        try {
            body.accept(RandomGeneratorFactory.of("L64X128MixRandom").create(seed));
        } catch (RuntimeException | AssertionError failure) {
            throw new AssertionError(
                    "property '" + name + "' fails: " + failure.getMessage() + "\nreplay with -D" + SEED + "=" + seed,
                    failure);
        }
    }
}
