package dev.weft.it.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.agent.lab.Lab;
import dev.weft.base.Property;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random networks and packets: Weft decides as bridges, routes and nftables do. {@code -Dproperty.runs=1000} is the long
 * form, {@code -Dproperty.seed=SEED} one network alone.
 */
class KernelOracleIT {
    private static final int NETWORKS = 300;
    private static final int CONVERSATIONS = 60;
    private static int networks;

    @BeforeAll
    static void needsAKernelWithNftables() {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
        assumeTrue(KernelNetwork.obstacle().isEmpty(), KernelNetwork.obstacle());
    }

    /** Networks that once were decided differently, and some more. */
    @ParameterizedTest
    @ValueSource(longs = {-2506532100310946278L, 1, 2, 3, 4, 5, 6, 7})
    void knownNetworksFareAsInTheKernel(long seed) {
        compare(new SplittableRandom(seed));
    }

    @Test
    void randomNetworksFareAsInTheKernel() {
        Property.holds(NETWORKS, KernelOracleIT::compare);
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
