package dev.weft.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigInteger;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServicePrefixTest {
    private static ServiceId random(RandomGenerator random) {
        return new ServiceId(
                random.nextLong(),
                random.nextBoolean() ? random.nextLong() : 0,
                random.nextLong() << random.nextInt(64),
                random.nextBoolean() ? random.nextLong() : 0);
    }

    /** All 256 bits as one number: the oracle shares no code with the masks. */
    private static BigInteger number(ServiceId id) {
        var number = BigInteger.ZERO;
        for (int i = 0; i < 4; i++) {
            number = number.shiftLeft(64).or(new BigInteger(Long.toUnsignedString(id.word(i))));
        }
        return number;
    }

    private static boolean contains(ServicePrefix prefix, ServiceId id) {
        int rest = ServiceId.BITS - prefix.bits();
        return number(prefix.id()).shiftRight(rest).equals(number(id).shiftRight(rest));
    }

    @Test
    void containsWhatSharesItsLeadingBits() {
        Property.holds(5_000, random -> {
            var prefix = new ServicePrefix(random(random), random.nextInt(257));
            int flipped = random.nextInt(256);
            long[] words = new long[4];
            for (int i = 0; i < 4; i++) {
                words[i] = prefix.id().word(i) ^ (flipped / 64 == i ? 1L << 63 - flipped % 64 : 0);
            }
            var near = new ServiceId(words[0], words[1], words[2], words[3]);
            assertThat(prefix.contains(near)).isEqualTo(contains(prefix, near)).isEqualTo(flipped >= prefix.bits());
            assertThat(prefix.contains(prefix.id())).isTrue();
            var other = new ServicePrefix(near, random.nextInt(257));
            assertThat(prefix.contains(other)).isEqualTo(other.bits() >= prefix.bits() && contains(prefix, other.id()));
            assertThat(prefix.overlaps(other)).isEqualTo(prefix.contains(other) || other.contains(prefix));
        });
    }

    @Test
    void printsWhatItReads() {
        Property.holds(2_000, random -> {
            var id = random(random);
            assertThat(ServiceId.parse(id.toString())).isEqualTo(id);
            var prefix = new ServicePrefix(id, random.nextInt(257));
            assertThat(ServicePrefix.parse(prefix.toString())).isEqualTo(prefix);
        });
        assertThat(ServiceId.parse("16385")).hasToString("0x00004001");
        assertThat(ServicePrefix.parse("0x00004001ffffffff/32")).hasToString("0x00004001/32");
        assertThat(ServicePrefix.parse("80")).hasToString("0x00000050/256");
        assertThat(ServicePrefix.parse("0x12345678/0")).hasToString("*").isEqualTo(ServicePrefix.parse("*"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0x",
                "0x4001",
                "0x0000400g",
                "4294967296",
                "-1",
                "00004001",
                "0x00004001/257",
                "0x00004001/",
                "*/0"
            })
    void refusesWhatCouldMeanTwoThings(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ServicePrefix.parse(text))
                .withMessageContainingAll("'" + text + "'", "0x00004001");
    }
}
