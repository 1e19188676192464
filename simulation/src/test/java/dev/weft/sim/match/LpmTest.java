package dev.weft.sim.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.Property;
import java.util.ArrayList;
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
            }
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
