package dev.weft.sim.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.Property;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class LpmTest {
    /** The oracle: looks at every prefix. */
    private record Linear(List<IpPrefix> prefixes) {
        int value(IpAddress address) {
            int best = Lpm.NONE;
            for (int i = 0; i < prefixes.size(); i++) {
                boolean longer = best == Lpm.NONE
                        || prefixes.get(i).bits() > prefixes.get(best).bits();
                if (longer && prefixes.get(i).contains(address)) {
                    best = i;
                }
            }
            return best;
        }

        int bits(IpAddress address) {
            int value = value(address);
            return value == Lpm.NONE ? 0 : prefixes.get(value).bits();
        }

        /** The shortest prefix of the address inside which no other prefix begins that could say otherwise. */
        int proven(IpAddress address) {
            int bits = 0;
            while (bits < 128 && !isProven(address, bits)) {
                bits++;
            }
            return bits;
        }

        private boolean isProven(IpAddress address, int bits) {
            var area = new IpPrefix(address.high(), address.low(), bits);
            return prefixes.stream().noneMatch(prefix -> prefix.bits() > bits && area.overlaps(prefix));
        }
    }

    @Test
    void agreesWithALinearScan() {
        Property.check("longest prefix", 400, random -> {
            var prefixes = prefixes(random, 1 + random.nextInt(random.nextInt(10) == 0 ? 300 : 12));
            var linear = new Linear(prefixes);
            var lpm = Lpm.of(prefixes);
            for (int i = 0; i < 200; i++) {
                var address = near(random, prefixes);
                long found = lpm.lookup(address.high(), address.low());
                assertThat(Lpm.value(found)).as("%s in %s", address, prefixes).isEqualTo(linear.value(address));
                assertThat(Lpm.proven(found)).as("%s in %s", address, prefixes).isEqualTo(linear.proven(address));
                assertThat(Lpm.bits(found)).as("%s in %s", address, prefixes).isEqualTo(linear.bits(address));
            }
        });
    }

    @Test
    void agreesWithALinearScanWhereNodesLookAtManyBits() {
        Property.check("longest prefix among many", 5, random -> {
            var prefixes = crowded(random, 4_000);
            var linear = new Linear(prefixes);
            var lpm = Lpm.of(prefixes);
            for (int i = 0; i < 100; i++) {
                var address = near(random, prefixes);
                long found = lpm.lookup(address.high(), address.low());
                assertThat(Lpm.value(found)).as("%s", address).isEqualTo(linear.value(address));
                assertThat(Lpm.proven(found)).as("%s", address).isEqualTo(linear.proven(address));
                assertThat(Lpm.bits(found)).as("%s", address).isEqualTo(linear.bits(address));
            }
        });
    }

    @Test
    void givesTheValueThatBelongsToThePosition() {
        var lpm = Lpm.of(
                List.of(IpPrefix.parse("10.0.0.0/8"), IpPrefix.parse("10.1.0.0/16"), IpPrefix.parse("10.1.1.0/24")),
                new int[] {7, 0, 7});
        assertThat(Lpm.value(lpm.lookup(0, IpAddress.parse("10.2.0.0").low()))).isEqualTo(7);
        assertThat(Lpm.value(lpm.lookup(0, IpAddress.parse("10.1.2.0").low()))).isZero();
        assertThat(Lpm.value(lpm.lookup(0, IpAddress.parse("10.1.1.0").low()))).isEqualTo(7);
        assertThat(Lpm.value(lpm.lookup(0, IpAddress.parse("11.0.0.0").low()))).isEqualTo(Lpm.NONE);
        assertThat(lpm.outer(2)).isEqualTo(1);
    }

    @Test
    void takesRoomForItsPrefixesAlone() {
        Property.check("words of a table", 20, random -> {
            int count = 500 + random.nextInt(2_000);
            var scattered = random.nextBoolean() ? crowded(random, count) : prefixes(random, count);
            assertThat(Lpm.of(scattered).words()).isLessThan(20 * count);
        });
    }

    @Test
    void knowsTheNextShorterPrefix() {
        Property.check("outer prefix", 200, random -> {
            var prefixes = prefixes(random, 20);
            var lpm = Lpm.of(prefixes);
            for (int i = 0; i < prefixes.size(); i++) {
                var inner = prefixes.get(i);
                var shorter = prefixes.stream()
                        .filter(prefix -> prefix.bits() < inner.bits() && prefix.contains(inner.network()))
                        .toList();
                assertThat(lpm.outer(i))
                        .isEqualTo(prefixes.indexOf(shorter.stream()
                                .max((a, b) -> Integer.compare(a.bits(), b.bits()))
                                .orElse(null)));
            }
        });
    }

    @Test
    void findsNothingInAnEmptyTable() {
        long found = Lpm.EMPTY.lookup(0, IpAddress.parse("10.0.0.1").low());
        assertThat(Lpm.value(found)).isEqualTo(Lpm.NONE);
        assertThat(Lpm.proven(found)).isZero();
    }

    private static List<IpPrefix> prefixes(RandomGenerator random, int count) {
        var prefixes = new ArrayList<IpPrefix>();
        while (prefixes.size() < count) {
            var prefix = prefix(random, prefixes);
            if (!prefixes.contains(prefix)) {
                prefixes.add(prefix);
            }
        }
        return prefixes;
    }

    /** So many in so little room that the branches are full. */
    private static List<IpPrefix> crowded(RandomGenerator random, int count) {
        var prefixes = new LinkedHashSet<IpPrefix>();
        int room = 32 - Integer.numberOfLeadingZeros(count);
        while (prefixes.size() < count) {
            int length = 32 - random.nextInt(10);
            int address = 0x0a00_0000 | random.nextInt(1 << room) << random.nextInt(8);
            prefixes.add(IpPrefix.of(IpAddress.ofV4(address), length));
        }
        return List.copyOf(prefixes);
    }

    /** Mostly close to one that is there already, so that they nest and touch. */
    private static IpPrefix prefix(RandomGenerator random, List<IpPrefix> others) {
        if (!others.isEmpty() && random.nextInt(4) > 0) {
            var near = near(random, others);
            return new IpPrefix(near.high(), near.low(), 96 + random.nextInt(33) - random.nextInt(3) / 2 * 60);
        }
        return random.nextBoolean()
                ? IpPrefix.of(IpAddress.ofV4(0x0a00_0000 | random.nextInt(1 << 16)), random.nextInt(33))
                : IpPrefix.of(
                        new IpAddress(0xfd00_0000_0000_0000L | random.nextInt(4), random.nextLong()),
                        random.nextInt(129));
    }

    /** An address at the edge of a prefix, one step beside it, or one bit off. */
    private static IpAddress near(RandomGenerator random, List<IpPrefix> prefixes) {
        var prefix = prefixes.get(random.nextInt(prefixes.size()));
        long lastHigh = prefix.high() | ~IpPrefix.highMask(prefix.bits());
        long lastLow = prefix.low() | ~IpPrefix.lowMask(prefix.bits());
        return switch (random.nextInt(6)) {
            case 0 -> prefix.network();
            case 1 -> new IpAddress(lastHigh, lastLow);
            case 2 -> new IpAddress(prefix.high() - (prefix.low() == 0 ? 1 : 0), prefix.low() - 1);
            case 3 -> new IpAddress(lastHigh + (lastLow == -1 ? 1 : 0), lastLow + 1);
            case 4 -> new IpAddress(prefix.high(), prefix.low() ^ 1L << random.nextInt(64));
            default -> new IpAddress(prefix.high() ^ 1L << random.nextInt(64), prefix.low() ^ random.nextLong());
        };
    }
}
