package dev.weft.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.Property;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ConnectionHashTest {
    @Test
    void meetsTheGoldenVectorsSharedWithTheKernelProgram() throws IOException {
        var lines = goldenLines();
        assertThat(lines).hasSizeGreaterThan(50);
        for (String line : lines) {
            var f = line.split(" ");
            int hash = ConnectionHash.of(
                    Long.parseUnsignedLong(f[0], 16),
                    Long.parseUnsignedLong(f[1], 16),
                    Long.parseUnsignedLong(f[2], 16),
                    Long.parseUnsignedLong(f[3], 16),
                    Integer.parseInt(f[4], 16),
                    Integer.parseInt(f[5], 16),
                    Integer.parseInt(f[6], 16));
            assertThat(hash).as(line).isEqualTo(Integer.parseUnsignedInt(f[7], 16));
            int[] workers = {2, 3, 4, 8};
            for (int i = 0; i < workers.length; i++) {
                assertThat(ConnectionHash.home(hash, workers[i])).as(line).isEqualTo(Integer.parseInt(f[8 + i]));
            }
        }
    }

    @Test
    void bothDirectionsHaveOneHash() {
        Property.check("connection hash is symmetric", 10_000, random -> {
            // Few addresses and ports, so that equal halves and equal endpoints come up often.
            long[] a = {random.nextLong(3) - 1, random.nextLong(3) - 1, random.nextInt(3)};
            long[] b = {random.nextLong(3) - 1, random.nextLong(3) - 1, random.nextInt(3)};
            int protocol = random.nextInt(256);
            assertThat(ConnectionHash.of(a[0], a[1], b[0], b[1], protocol, (int) a[2], (int) b[2]))
                    .isEqualTo(ConnectionHash.of(b[0], b[1], a[0], a[1], protocol, (int) b[2], (int) a[2]));
        });
    }

    @Test
    void spreadsTheConversationsOfOneServerEvenly() {
        var server = IpAddress.parse("10.0.2.9");
        int[] homes = new int[4];
        for (int port = 1024; port < 1024 + 40_000; port++) {
            var client = IpAddress.ofV4(0x0a00_0100 | port & 0xff);
            int hash = ConnectionHash.of(client.high(), client.low(), server.high(), server.low(), 6, port, 443);
            homes[ConnectionHash.home(hash, 4)]++;
        }
        for (int count : homes) {
            assertThat(count).isBetween(9_600, 10_400);
        }
    }

    @Test
    void everyFieldCounts() {
        int hash = ConnectionHash.of(1, 2, 3, 4, 6, 5, 6);
        assertThat(List.of(
                        ConnectionHash.of(9, 2, 3, 4, 6, 5, 6),
                        ConnectionHash.of(1, 9, 3, 4, 6, 5, 6),
                        ConnectionHash.of(1, 2, 9, 4, 6, 5, 6),
                        ConnectionHash.of(1, 2, 3, 9, 6, 5, 6),
                        ConnectionHash.of(1, 2, 3, 4, 9, 5, 6),
                        ConnectionHash.of(1, 2, 3, 4, 6, 9, 6),
                        ConnectionHash.of(1, 2, 3, 4, 6, 5, 9),
                        ConnectionHash.of(1, 2, 3, 4, 6, 6, 5)))
                .doesNotHaveDuplicates()
                .doesNotContain(hash);
    }

    private static List<String> goldenLines() throws IOException {
        try (var in = ConnectionHashTest.class.getResourceAsStream("/golden/connection-hash.txt")) {
            assertThat(in).as("golden/connection-hash.txt").isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .toList();
        }
    }
}
