package dev.weft.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IpPrefixTest {
    private static IpPrefix random(RandomGenerator random) {
        IpAddress address = IpAddressTest.random(random);
        return IpPrefix.of(address, random.nextInt(address.width() + 1));
    }

    /** An address that shares some leading bits with the prefix. */
    private static IpAddress near(RandomGenerator random, IpPrefix prefix) {
        IpAddress network = prefix.network();
        int width = network.width();
        int flipped = random.nextInt(width + 1);
        BigInteger bits = new BigInteger(1, network.octets());
        if (flipped < width) {
            bits = bits.flipBit(flipped);
        }
        return ofBits(bits, width);
    }

    private static IpAddress ofBits(BigInteger bits, int width) {
        byte[] octets = new byte[width / 8];
        byte[] raw = bits.toByteArray();
        int length = Math.min(raw.length, octets.length);
        System.arraycopy(raw, raw.length - length, octets, octets.length - length, length);
        return IpAddress.ofOctets(octets);
    }

    /** The leading bits as a number: the oracle shares no code with the masks. */
    private static boolean contains(IpPrefix prefix, IpAddress address) {
        if (prefix.isV4() != address.isV4()) {
            return false;
        }
        int hostBits = address.width() - prefix.length();
        return new BigInteger(1, prefix.network().octets())
                .shiftRight(hostBits)
                .equals(new BigInteger(1, address.octets()).shiftRight(hostBits));
    }

    @Test
    void containsWhatSharesItsLeadingBits() {
        Property.holds(5_000, random -> {
            IpPrefix prefix = random(random);
            IpAddress address = random.nextBoolean() ? near(random, prefix) : IpAddressTest.random(random);
            if (prefix.isV4() == address.isV4()) {
                assertThat(prefix.contains(address))
                        .as("%s contains %s", prefix, address)
                        .isEqualTo(contains(prefix, address));
            }
        });
    }

    @Test
    void overlapsWhenOneContainsTheOther() {
        Property.holds(5_000, random -> {
            IpPrefix a = random(random);
            IpAddress inB = near(random, a);
            IpPrefix b = IpPrefix.of(inB, random.nextInt(inB.width() + 1));
            boolean oracle = contains(a, b.network()) && a.length() <= b.length()
                    || contains(b, a.network()) && b.length() <= a.length();
            assertThat(a.overlaps(b)).as("%s overlaps %s", a, b).isEqualTo(oracle);
            assertThat(b.overlaps(a)).isEqualTo(oracle);
        });
    }

    @Test
    void readsWhatItWrites() {
        Property.holds(random -> {
            IpPrefix prefix = random(random);
            assertThat(IpPrefix.parse(prefix.toString())).isEqualTo(prefix);
        });
    }

    @Test
    void clearsHostBits() {
        assertThat(IpPrefix.parse("10.1.2.3/8")).hasToString("10.0.0.0/8");
        assertThat(IpPrefix.parse("10.1.2.3/0")).hasToString("0.0.0.0/0");
        assertThat(IpPrefix.parse("fd00:1::5/64")).hasToString("fd00:1::/64");
        assertThat(IpPrefix.parse("fd00:1::5/0")).hasToString("::/0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10.0.0.0",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/08",
                "fd00::/129",
                "/8",
                "10.0.0/8",
                "10.0.0.0/8/9",
                "10.0.0.0/8 "
            })
    void refusesWhatIsNoPrefix(String text) {
        assertThat(IpPrefix.tryParse(text)).isEmpty();
    }
}
