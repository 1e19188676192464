package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ChecksumTest {
    @Test
    void agreesWithTheExampleOfRfc1071() {
        byte[] octets = {0x00, 0x01, (byte) 0xf2, 0x03, (byte) 0xf4, (byte) 0xf5, (byte) 0xf6, (byte) 0xf7};
        assertThat(Checksum.of(MemorySegment.ofArray(octets), 0, 8)).isEqualTo(~0xddf2 & 0xffff);
    }

    @Test
    void agreesWithTheExampleOfRfc1624() {
        assertThat(Checksum.update16(0xdd2f, 0x5555, 0x3285)).isEqualTo(0x0000);
    }

    @Test
    void isTheSameAsAddingWordByWord() {
        Property.check("checksum is the naive one", 2_000, random -> {
            var octets = new byte[random.nextInt(random.nextInt(4) == 0 ? 65_536 : 100)];
            if (random.nextInt(8) == 0) {
                Arrays.fill(octets, (byte) 0xff);
            } else {
                random.nextBytes(octets);
            }
            int from = octets.length == 0 ? 0 : random.nextInt(octets.length);
            assertThat(Checksum.of(MemorySegment.ofArray(octets), from, octets.length - from))
                    .isEqualTo(Frames.naiveChecksum(Arrays.copyOfRange(octets, from, octets.length)));
        });
    }

    @Test
    void mendingIsTheSameAsComputingAnew() {
        Property.check("RFC 1624 update is a full computation", 20_000, random -> {
            var octets = new byte[20];
            random.nextBytes(octets);
            if (random.nextInt(4) == 0) {
                Arrays.fill(octets, (byte) (random.nextBoolean() ? 0 : 0xff));
            }
            octets[10] = octets[11] = 0;
            // Not the all-zero header: its sum has two zeros, and no IP header is one (it starts with 4 or 6).
            octets[0] = 0x45;
            int before = Frames.naiveChecksum(octets);
            boolean wide = random.nextBoolean();
            int at = new int[] {0, 4, 8, 12, 16}[random.nextInt(5)];
            var segment = MemorySegment.ofArray(octets);
            int old = wide ? Wire.i32(segment, at) : Wire.u16(segment, at);
            int fresh = random.nextInt(3) == 0 ? old : random.nextInt();
            fresh = at == 0 ? fresh | 0x4500_0000 : fresh;
            if (at == 8 && wide) {
                return; // covers the checksum itself
            }
            if (wide) {
                Wire.put32(segment, at, fresh);
                assertThat(Checksum.update32(before, old, fresh)).isEqualTo(Frames.naiveChecksum(octets));
            } else {
                int word = (at == 0 ? fresh | 0x4500 : fresh) & 0xffff;
                Wire.put16(segment, at, word);
                assertThat(Checksum.update16(before, old, word)).isEqualTo(Frames.naiveChecksum(octets));
            }
        });
    }

    @Test
    void aChangedTtlLeavesAValidHeader() {
        for (int from = 0; from < 256; from++) {
            for (int to = 0; to < 256; to += 5) {
                byte[] frame = Frames.udp("10.0.1.5:1", "10.0.2.9:2").ttl(from).bytes();
                Ipv4.setTtl(MemorySegment.ofArray(frame), Ethernet.LENGTH, to);
                assertThat(frame)
                        .isEqualTo(
                                Frames.udp("10.0.1.5:1", "10.0.2.9:2").ttl(to).bytes());
            }
        }
    }

    @Test
    void sendsAUdpChecksumOfZeroAsOnes() {
        // Source port chosen so that the sum is 0xffff.
        byte[] frame = Frames.udp("10.0.1.5:0", "10.0.2.9:2").bytes();
        var segment = MemorySegment.ofArray(frame);
        int rest = Wire.u16(segment, 40);
        Wire.put16(segment, 34, rest);
        Checksum.fillTransport(segment, 14, 34, 42, Ipv4.UDP);
        assertThat(Wire.u16(segment, 40)).isEqualTo(0xffff);
    }
}
