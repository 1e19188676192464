package dev.weft.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {
    /** Octets with runs of zeros and ones, where text forms differ. */
    static byte[] octets(RandomGenerator random, int length) {
        byte[] octets = new byte[length];
        random.nextBytes(octets);
        for (int i = 0; i < length; i += 2) {
            switch (random.nextInt(4)) {
                case 0, 1 -> Arrays.fill(octets, i, i + 2, (byte) 0);
                case 2 -> octets[i] = 0;
                default -> {} // As drawn.
            }
        }
        return octets;
    }

    static IpAddress random(RandomGenerator random) {
        return IpAddress.ofOctets(octets(random, random.nextBoolean() ? 4 : 16));
    }

    @Test
    void agreesWithTheJdkOnEveryAddress() {
        Property.holds(5_000, random -> {
            byte[] octets = octets(random, random.nextBoolean() ? 4 : 16);
            InetAddress jdk = InetAddress.getByAddress(octets);
            IpAddress address = IpAddress.ofOctets(octets);
            assertThat(address.toInetAddress()).isEqualTo(jdk);
            assertThat(IpAddress.parse(jdk.getHostAddress())).isEqualTo(address);
            assertThat(InetAddress.getByName(address.toString())).isEqualTo(jdk);
            assertThat(IpAddress.parse(address.toString())).isEqualTo(address);
            assertThat(address.isV4()).isEqualTo(jdk.getAddress().length == 4);
            assertThat(address.octets()).isEqualTo(jdk.getAddress());
            assertThat(IpAddress.isGroup(address.high(), address.low()))
                    .isEqualTo(jdk.isMulticastAddress() || jdk.getHostAddress().equals("255.255.255.255"));
        });
    }

    @Test
    void ordersLikeItsOctets() {
        Property.holds(random -> {
            byte[] a = octets(random, 16);
            byte[] b = octets(random, 16);
            assertThat(Integer.signum(IpAddress.ofOctets(a).compareTo(IpAddress.ofOctets(b))))
                    .isEqualTo(Integer.signum(Arrays.compareUnsigned(a, b)));
        });
    }

    /** The examples of RFC 5952 §4 and §5. */
    @ParameterizedTest
    @CsvSource({
        "2001:0db8::0001, 2001:db8::1",
        "2001:db8:0:0:0:0:2:1, 2001:db8::2:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
        "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:DB8::ABCD, 2001:db8::abcd",
        "0:0:0:0:0:0:0:0, ::",
        "0:0:0:0:0:0:0:1, ::1",
        "1:0:0:0:0:0:0:0, 1::",
        "::ffff:10.0.0.1, 10.0.0.1"
    })
    void writesTheCanonicalForm(String written, String canonical) {
        assertThat(IpAddress.parse(written)).hasToString(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "1",
                "1.2.3",
                "1.2.3.4.5",
                "1.2.3.256",
                "01.2.3.4",
                "1.2.3.4 ",
                "-1.2.3.4",
                "a.b.c.d",
                ":",
                ":::",
                "1::2::3",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "12345::",
                "g::",
                "fe80::1%eth0",
                "[::1]",
                "localhost",
                "0x7f.0.0.1",
                "1.2.3.4/8"
            })
    void refusesWhatIsNoAddress(String text) {
        assertThat(IpAddress.tryParse(text)).isEmpty();
        assertThatThrownBy(() -> IpAddress.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "' (expected");
    }
}
