package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Queries that were tampered with. Segments end where the message ends, so a read behind it throws. */
class DnsFuzzTest {
    private static final List<byte[]> SEEDS = List.of(
            Dns.query(7, "web.acme.svc", DnsQuery.A),
            Dns.extended(Dns.query(7, "p0.cache.acme.svc", DnsQuery.AAAA), 4096, 0),
            Dns.extended(Dns.extended(Dns.query(7, "", DnsQuery.ANY), 512, 0), 1232, 0));

    private final DnsQuery query = new DnsQuery();
    private int sound;
    private int refused;

    @Test
    void survivesTruncationAtEveryLength() {
        for (byte[] seed : SEEDS) {
            for (int length = 0; length <= seed.length; length++) {
                examine(Arrays.copyOf(seed, length));
            }
        }
        assertThat(sound).isEqualTo(2);
    }

    @Test
    void survivesEveryValueOfEveryTwoOctets() {
        for (byte[] seed : SEEDS) {
            for (int at = 0; at < seed.length; at++) {
                byte[] message = seed.clone();
                for (int value = 0; value < 256; value++) {
                    message[at] = (byte) value;
                    examine(message);
                    if (at + 1 < message.length) {
                        byte next = message[at + 1];
                        for (int other : new int[] {0, 1, 63, 64, 0x80, 0xbf, 0xc0, 0xff}) {
                            message[at + 1] = (byte) other;
                            examine(message);
                        }
                        message[at + 1] = next;
                    }
                }
            }
        }
        assertThat(sound).isPositive();
        assertThat(refused).isPositive();
    }

    @Test
    void takesTheLongestNameAndNoLongerOne() {
        String longest = ("x".repeat(63) + ".").repeat(3) + "y".repeat(61);
        examine(Dns.query(7, longest, DnsQuery.A));
        assertThat(query.nameLength()).isEqualTo(255);
        examine(Dns.query(7, longest + "y", DnsQuery.A));
        assertThat(refused).isEqualTo(1);
    }

    private void examine(byte[] message) {
        var segment = MemorySegment.ofArray(message);
        int code = query.parse(segment, 0, message.length);
        if (code != DnsQuery.NO_ERROR) {
            refused++;
            return;
        }
        sound++;
        assertThat(query.nameLength()).isBetween(1, 255);
        assertThat(query.questionEnd()).isLessThanOrEqualTo(message.length);
        assertThat(query.size()).isBetween(DnsQuery.LEAST_SIZE, DnsQuery.MOST_SIZE);
        assertThat(Wire.u8(segment, query.name() + query.nameLength() - 1)).isZero();
    }
}
