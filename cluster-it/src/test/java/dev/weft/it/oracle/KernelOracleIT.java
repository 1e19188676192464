package dev.weft.it.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.agent.lab.Lab;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random networks and packets: Weft decides as bridges, routes and nftables do. {@code -Dproperty.runs=1000} is the long
 * form, {@code -Dproperty.seed=SEED} one network alone.
 */
class KernelOracleIT {
    private static final int KNOWN = 20;
    private static final int CONVERSATIONS = 60;
    private static int networks;

    @BeforeAll
    static void needsAKernelWithNftables() {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
        assumeTrue(KernelNetwork.obstacle().isEmpty(), KernelNetwork.obstacle());
    }

    /** The same ones each time, and one more, or as many as told. */
    static LongStream seeds() {
        Long replay = Long.getLong("property.seed");
        int more = Integer.getInteger("property.runs", 1);
        return replay != null
                ? LongStream.of(replay)
                : LongStream.concat(LongStream.rangeClosed(1, KNOWN), new SplittableRandom().longs(more));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void networksFareAsInTheKernel(long seed) {
        try {
            compare(new SplittableRandom(seed));
        } catch (AssertionError different) {
            throw new AssertionError(
                    "seed " + seed + " (-Dproperty.seed=" + seed + "): " + different.getMessage(), different);
        }
    }

    private static void compare(RandomGenerator random) {
        var plan = new Plan(random);
        String prefix = "wo" + ProcessHandle.current().pid() + "-" + ++networks;
        int delivered = 0;
        try (var weft = new WeftNetwork(plan);
                var kernel = new KernelNetwork(prefix, plan, weft::mac)) {
            var both = new Both(plan, weft, kernel);
            var packets = new Packets(random, plan, weft::mac);
            for (int i = 0; i < CONVERSATIONS; i++) {
                delivered += both.converse(packets.next(), random);
            }
        }
        assertThat(delivered).as("packets that got somewhere").isPositive();
    }
}
