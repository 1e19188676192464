package dev.weft.sim.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.weft.base.Allocation;
import dev.weft.base.Hashing;
import dev.weft.base.Property;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class ServiceTableTest {
    private static final ServicePrefix WEB = ServicePrefix.parse("0x00004001/32");

    private static ServiceRule forward(int address, int priority, int weight) {
        return new ServiceRule(ServiceTarget.forward(address), priority, weight);
    }

    private static ServiceEntry found(ServiceTable table, ServiceId id) {
        var entry = table.find(id);
        assertThat(entry).isNotNull();
        return java.util.Objects.requireNonNull(entry);
    }

    @Test
    void theLongestPrefixCountsThenTheHighestPriority() {
        var table = new ServiceTable();
        table.put(ServicePrefix.parse("*"), forward(1, 1, 1));
        table.put(WEB, forward(2, 10, 1));
        table.put(WEB, forward(3, 20, 1));
        table.put(ServicePrefix.parse("0x0000400100000001"), forward(4, 0, 1));
        assertThat(found(table, ServiceId.parse("7")).choose(0).rule().target()).isEqualTo(ServiceTarget.forward(1));
        assertThat(found(table, ServiceId.parse("0x00004001")).choose(0).rule().target())
                .isEqualTo(ServiceTarget.forward(3));
        assertThat(found(table, ServiceId.parse("0x0000400100000001"))
                        .choose(0)
                        .rule()
                        .target())
                .isEqualTo(ServiceTarget.forward(4));
        table.remove(WEB, ServiceTarget.forward(3));
        assertThat(found(table, ServiceId.parse("0x00004001")).choose(0).rule().target())
                .as("the lower priority stood by")
                .isEqualTo(ServiceTarget.forward(2));
        table.remove(WEB, ServiceTarget.forward(2));
        assertThat(found(table, ServiceId.parse("0x00004001")).choose(0).rule().target())
                .as("the default rule")
                .isEqualTo(ServiceTarget.forward(1));
        assertThat(table.size()).isEqualTo(2);
    }

    @Test
    void anEntryHasOneRuleForAllOfItsPacketsAtMost() {
        var table = new ServiceTable();
        assertThat(table.put(WEB, new ServiceRule(ServiceTarget.DELAY, 5, 1))).isTrue();
        assertThat(table.put(WEB, new ServiceRule(ServiceTarget.DROP, 1, 1))).isFalse();
        assertThat(table.put(WEB, new ServiceRule(ServiceTarget.DELAY, 7, 1)))
                .as("changes it")
                .isTrue();
        assertThat(table.put(WEB, forward(1, 1, 1))).isTrue();
        var entry = found(table, WEB.id());
        assertThat(entry.rules()).isEqualTo(2);
        assertThat(entry.top()).isEqualTo(1);
        assertThat(entry.choose(99).rule()).isEqualTo(new ServiceRule(ServiceTarget.DELAY, 7, 1));
    }

    @Test
    void sharesByWeightAndTreatsOneConnectionAlike() {
        var table = new ServiceTable();
        int[] weights = {1, 3, 5, 11};
        for (int i = 0; i < weights.length; i++) {
            table.put(WEB, forward(i, 10, weights[i]));
        }
        table.put(WEB, forward(99, 9, 1000));
        var entry = found(table, WEB.id());
        var shares = new int[weights.length];
        for (int connection = 0; connection < 100_000; connection++) {
            long hash = Hashing.mix(connection);
            var slot = entry.choose(hash);
            assertThat(entry.choose(hash)).isSameAs(slot);
            shares[slot.rule().target().address()]++;
        }
        for (int i = 0; i < weights.length; i++) {
            assertThat(shares[i] / 1000.0).isBetween(weights[i] * 5 - 1.0, weights[i] * 5 + 1.0);
        }
    }

    @Test
    void countsPerRuleAndInAll() {
        var table = new ServiceTable();
        table.put(WEB, forward(1, 1, 1));
        table.put(ServicePrefix.parse("*"), new ServiceRule(ServiceTarget.DROP, 1, 1));
        table.count(found(table, WEB.id()).choose(0), 100);
        table.put(WEB, forward(1, 2, 2));
        table.count(found(table, WEB.id()).choose(0), 50);
        table.count(found(table, ServiceId.parse("1")).choose(0), 7);
        assertThat(found(table, WEB.id()).rule(0).packets())
                .as("goes on when its weight changes")
                .isEqualTo(2);
        assertThat(found(table, WEB.id()).rule(0).bytes()).isEqualTo(150);
        assertThat(table.resolvedPackets()).isEqualTo(2);
        assertThat(table.resolvedBytes()).isEqualTo(150);
        assertThat(table.droppedPackets()).isEqualTo(1);
        assertThat(table.droppedBytes()).isEqualTo(7);
    }

    @Test
    void saysWhatItDoesNotTake() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> forward(1, 1, 0))
                .withMessage("weight 0 of forward to 0.0.0.1 (expected 1..65535)");
        var table = new ServiceTable();
        assertThat(table.remove(WEB, ServiceTarget.DROP)).isFalse();
        table.put(WEB, new ServiceRule(ServiceTarget.demux(1), 1, 1));
        assertThat(table.remove(WEB, ServiceTarget.forward(1))).isFalse();
        assertThat(table.setToAll(WEB, true)).isTrue();
        assertThat(found(table, WEB.id()).isToAll()).isTrue();
        assertThat(table.setToAll(ServicePrefix.parse("*"), true)).isFalse();
    }

    /** Prefixes that nest, share long beginnings, and differ by one bit at any place. */
    private static ServicePrefix anyPrefix(RandomGenerator random, List<ServicePrefix> known) {
        int bits = random.nextInt(257);
        if (known.isEmpty() || random.nextInt(5) == 0) {
            return new ServicePrefix(anyId(random), bits);
        }
        return new ServicePrefix(
                near(random, known.get(random.nextInt(known.size())).id()), bits);
    }

    private static ServiceId anyId(RandomGenerator random) {
        return new ServiceId(random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong());
    }

    private static ServiceId near(RandomGenerator random, ServiceId id) {
        long[] words = {id.word0(), id.word1(), id.word2(), id.word3()};
        for (int i = random.nextInt(3); i > 0; i--) {
            int flipped = random.nextInt(256);
            words[flipped / 64] ^= 1L << 63 - flipped % 64;
        }
        return new ServiceId(words[0], words[1], words[2], words[3]);
    }

    private static int longest(Map<ServicePrefix, Integer> oracle, ServiceId id) {
        int best = -1;
        for (var prefix : oracle.keySet()) {
            best = prefix.contains(id) ? Math.max(best, prefix.bits()) : best;
        }
        return best;
    }

    /** Prefixes that part within a few bits, a few of them at each branching, some of which nest. */
    private static ServicePrefix closePrefix(RandomGenerator random) {
        long part = (long) random.nextInt(1 << 10) << 64 - 44 - random.nextInt(12);
        return new ServicePrefix(new ServiceId(0x4001L << 48 | part, random.nextLong(), 0, 0), 44 + random.nextInt(40));
    }

    @Test
    void findsWhatANaiveSearchFindsAndProvesIt() {
        checkAgainstSearch("trie equals search", ServiceTableTest::anyPrefix);
    }

    @Test
    void tellsServicesApartThatDifferInAFewBits() {
        checkAgainstSearch("close services", (random, known) -> closePrefix(random));
    }

    private static void checkAgainstSearch(
            String name, BiFunction<RandomGenerator, List<ServicePrefix>, ServicePrefix> prefixes) {
        Property.check(name, 300, random -> {
            var table = new ServiceTable();
            Map<ServicePrefix, Integer> oracle = new HashMap<>();
            List<ServicePrefix> known = new ArrayList<>();
            for (int change = 0; change < 150; change++) {
                change(random, table, oracle, known, prefixes);
                for (int i = 0; i < 4; i++) {
                    var id = known.isEmpty()
                            ? anyId(random)
                            : near(
                                    random,
                                    known.get(random.nextInt(known.size())).id());
                    verify(random, table, oracle, id);
                }
                assertThat(table.size()).isEqualTo(oracle.size());
            }
            known.forEach(prefix -> table.remove(prefix, ServiceTarget.forward(oracle.getOrDefault(prefix, 0))));
            assertThat(table.size()).isZero();
            assertThat(table.find(anyId(random))).isNull();
            assertThat(table.proven()).as("nothing to tell apart").isZero();
        });
    }

    private static void change(
            RandomGenerator random,
            ServiceTable table,
            Map<ServicePrefix, Integer> oracle,
            List<ServicePrefix> known,
            BiFunction<RandomGenerator, List<ServicePrefix>, ServicePrefix> prefixes) {
        if (!known.isEmpty() && random.nextInt(3) == 0) {
            var gone = known.remove(random.nextInt(known.size()));
            assertThat(table.remove(gone, ServiceTarget.forward(oracle.remove(gone))))
                    .isTrue();
            return;
        }
        var prefix = prefixes.apply(random, known);
        if (oracle.putIfAbsent(prefix, random.nextInt()) == null) {
            known.add(prefix);
            assertThat(table.put(prefix, forward(oracle.get(prefix), 1, 1))).isTrue();
        }
    }

    private static void verify(
            RandomGenerator random, ServiceTable table, Map<ServicePrefix, Integer> oracle, ServiceId id) {
        var entry = table.find(id);
        int expected = longest(oracle, id);
        assertThat(entry == null ? -1 : entry.prefix().bits()).as("%s", id).isEqualTo(expected);
        if (entry != null) {
            assertThat(entry.prefix().contains(id)).isTrue();
            assertThat(entry.rule(0).rule().target().address()).isEqualTo(oracle.get(entry.prefix()));
        }
        int proven = table.proven();
        assertThat(proven).isBetween(Math.max(expected, 0), 256);
        // Whatever shares the proven bits has the same answer; and the last of them is needed.
        var free = new long[4];
        for (int i = 0; i < 4; i++) {
            free[i] = id.word(i) ^ random.nextLong() & ~ServicePrefix.mask(proven, i);
        }
        assertThat(table.find(free[0], free[1], free[2], free[3])).isSameAs(entry);
        if (proven > Math.max(expected, 0)) {
            var shorter = new ServicePrefix(id, proven - 1);
            assertThat(oracle.keySet())
                    .as("%d bits of %s prove %d", proven, id, expected)
                    .anyMatch(prefix -> prefix.bits() > expected && shorter.overlaps(prefix));
        }
    }

    @Test
    void aLookupAllocatesNothing() {
        var table = new ServiceTable();
        var random = new SplittableRandom(7);
        for (int i = 0; i < 10_000; i++) {
            table.put(new ServicePrefix(anyId(random), 1 + random.nextInt(256)), forward(i, 1, 1));
        }
        long[] words = random.longs(4_096).toArray();
        var run = new Runnable() {
            private long sum;

            @Override
            public void run() {
                for (int i = 0; i < 1_000_000; i++) {
                    int at = i & 4_092;
                    var entry = table.find(words[at], words[at + 1], words[at + 2], words[at + 3]);
                    if (entry != null) {
                        var slot = entry.choose(i);
                        table.count(slot, 1);
                        sum += slot.packets();
                    }
                    sum += table.proven();
                }
            }
        };
        run.run();
        assertThat(Allocation.bytes(run)).isZero();
        assertThat(run.sum).isNotZero();
    }
}
