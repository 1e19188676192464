package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.Allocation;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.Property;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class DestinationIndexTest {
    private final DestinationIndex index = new DestinationIndex(8);

    @Test
    void newRouteConcernsOnlyDecisionsItCovers() {
        add(1, "10.0.2.9", 32, 24, 100);
        add(2, "10.0.2.9", 32, 24, 200);
        assertThat(affected(1, "10.0.3.0/24")).as("unrelated prefix").isEmpty();
        assertThat(affected(1, "10.0.2.8/29"))
                .as("longer, covers the destination")
                .containsExactly(100L);
        assertThat(affected(1, "10.0.2.0/24")).as("the route that matched").containsExactly(100L);
        assertThat(affected(1, "10.0.0.0/16"))
                .as("shorter than the one that matched")
                .isEmpty();
        assertThat(affected(7, "10.0.2.0/24")).as("a router without decisions").isEmpty();
        assertThat(affected(7_000, "10.0.2.0/24")).isEmpty();
        assertThat(affected(-1, "10.0.2.0/24")).isEmpty();
    }

    @Test
    void decisionThatMatchedNothingIsConcernedByAnyRouteOverIt() {
        index.add(1, 0, IpAddress.parse("10.0.2.9").low(), 104, -1, 100);
        assertThat(affected(1, "0.0.0.0/0")).containsExactly(100L);
        assertThat(affected(1, "10.9.9.9/32")).as("within the proven /8").containsExactly(100L);
        assertThat(affected(1, "11.0.0.0/8")).isEmpty();
    }

    @Test
    void addressFamiliesDoNotMeet() {
        add(1, "10.0.2.9", 32, 0, 100);
        index.add(1, IpAddress.parse("fd00::1").high(), 1, 64, 0, 200);
        assertThat(affected(1, "::/0"))
                .as("the whole 128-bit space, mapped addresses too")
                .contains(200L);
        assertThat(affected(1, "fd00::/8")).containsExactly(200L);
        assertThat(affected(1, "0.0.0.0/0")).containsExactly(100L);
    }

    @Test
    void forgetsWithTheLastFlow() {
        add(1, "10.0.2.9", 32, 24, 100);
        add(1, "10.0.2.9", 32, 24, 100);
        assertThat(index.size()).isEqualTo(1);
        index.forget(100);
        index.forget(100);
        assertThat(index.size()).isZero();
        assertThat(affected(1, "10.0.2.0/24")).isEmpty();
    }

    @Test
    void refusesMoreThanItsBookCanHold() {
        for (int i = 0; i < 8; i++) {
            add(1, "10.0.2.9", 32, 24, i + 1);
        }
        assertThatThrownBy(() -> add(1, "10.0.2.9", 32, 24, 99)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void agreesWithANaiveWalkOverAnyHistory() {
        Property.check("destination index against a map", 100, DestinationIndexTest::history);
    }

    @Test
    void allocatesNothing() {
        var big = new DestinationIndex(1 << 12);
        Runnable work = () -> {
            for (int i = 0; i < 200_000; i++) {
                big.add(i & 31, 0, i * 31L, 128, 120, 1 + (i & 4095));
                big.forget(1 + ((i + 1) & 4095));
            }
        };
        work.run();
        work.run();
        assertThat(Allocation.bytes(work)).isZero();
    }

    private record Decision(int router, IpPrefix proven, int matchedBits) {}

    private static void history(RandomGenerator random) {
        var index = new DestinationIndex(32);
        Map<Long, Decision> oracle = new LinkedHashMap<>();
        for (int step = 0; step < 100; step++) {
            long tag = 1 + random.nextInt(40);
            if (random.nextInt(3) > 0 && (oracle.size() < 32 || oracle.containsKey(tag))) {
                var proven = prefix(random);
                int matched = random.nextInt(proven.bits() + 1);
                int router = random.nextInt(3) * 50;
                index.add(router, proven.high(), proven.low(), proven.bits(), matched, tag);
                oracle.putIfAbsent(tag, new Decision(router, proven, matched));
            } else {
                index.forget(tag);
                oracle.remove(tag);
            }
            var changed = prefix(random);
            int router = random.nextInt(3) * 50;
            Set<Long> expected = new HashSet<>();
            oracle.forEach((of, decision) -> {
                if (decision.router == router
                        && decision.matchedBits <= changed.bits()
                        && decision.proven.overlaps(changed)) {
                    expected.add(of);
                }
            });
            Set<Long> found = new HashSet<>();
            assertThat(index.affected(router, changed, found::add)).isEqualTo(expected.size());
            assertThat(found).isEqualTo(expected);
            assertThat(index.size()).isEqualTo(oracle.size());
        }
    }

    /** Few different bits at few lengths, so that prefixes contain each other often. */
    private static IpPrefix prefix(RandomGenerator random) {
        int[] lengths = {0, 1, 63, 64, 65, 96, 104, 120, 127, 128};
        long high = random.nextBoolean() ? 0 : (long) random.nextInt(4) << 62 | random.nextInt(2);
        long low = (long) random.nextInt(4) << 62 | (long) random.nextInt(4) << 22 | random.nextInt(4);
        return new IpPrefix(high, low, lengths[random.nextInt(lengths.length)]);
    }

    private void add(int router, String address, int provenLength, int matchedLength, long tag) {
        var ip = IpAddress.parse(address);
        index.add(router, ip.high(), ip.low(), 96 + provenLength, 96 + matchedLength, tag);
    }

    private Set<Long> affected(int router, String prefix) {
        Set<Long> tags = new HashSet<>();
        index.affected(router, IpPrefix.parse(prefix), tags::add);
        return tags;
    }
}
