package dev.weft.sim.sal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class SalRegistrationTest {
    private static byte[] datagram(int type, int bits) {
        return SalPackets.registration("10.0.2.14", "10.0.2.1", type, bits, SalPackets.SERVICE);
    }

    private static int found(byte[] frame) {
        return SalRegistration.find(SalPackets.parsed(frame));
    }

    @Test
    void readsWhatANativeHostSends() {
        Packet packet = SalPackets.parsed(datagram(0, 32));
        assertThat(packet.sal.isForService()).isTrue();
        int at = SalRegistration.find(packet);
        assertThat(at).isEqualTo(SalPackets.SAL + 84 + 8);
        assertThat(SalRegistration.isUnregister(packet.segment, at)).isFalse();
        assertThat(SalRegistration.bits(packet.segment, at)).isEqualTo(32);
        assertThat(SalRegistration.word(packet.segment, at, 0)).isEqualTo(0x4001L << 32);
        assertThat(SalRegistration.word(packet.segment, at, 3)).isZero();
        Packet other = SalPackets.parsed(datagram(1, 0));
        assertThat(SalRegistration.isUnregister(other.segment, at)).isTrue();
        assertThat(SalRegistration.bits(other.segment, at)).as("0 is all").isEqualTo(256);
    }

    @Test
    void readsThemInsideUdpAndWithoutAChecksum() {
        byte[] frame = datagram(0, 32);
        assertThat(found(SalPackets.encapsulated(frame, 54324, 54325))).isEqualTo(SalPackets.SAL + 8 + 84 + 8);
        frame[SalPackets.SAL + 84 + 6] = 0;
        frame[SalPackets.SAL + 84 + 7] = 0;
        assertThat(found(frame)).isPositive();
    }

    @Test
    void refusesWhatIsNone() {
        assertThat(found(datagram(2, 32))).as("another message").isZero();
        byte[] wrong = datagram(0, 32);
        wrong[wrong.length - 1] ^= 1;
        assertThat(found(wrong)).as("UDP checksum").isZero();
        assertThat(found(SalPackets.registration("10.0.2.14", "10.0.2.1", new byte[47])))
                .isZero();
        assertThat(found(SalPackets.registration("10.0.2.14", "10.0.2.1", new byte[48])))
                .as("length")
                .isZero();
        assertThat(found(SalPackets.frame(2, 0, SalPackets.service(), SalPackets.service())))
                .isZero();
        assertThat(found(SalPackets.frame(2, 0, SalPackets.control(0x80), SalPackets.service())))
                .isZero();
    }

    @Test
    void aLieNeverReadsBeyondThePacket() {
        Property.check("tampered registrations", 20_000, random -> {
            byte[] frame = datagram(random.nextInt(2), random.nextInt(256));
            int at = SalPackets.ETHERNET + random.nextInt(frame.length - SalPackets.ETHERNET);
            frame[at] = (byte) random.nextInt(256);
            byte[] cut = Arrays.copyOf(frame, frame.length - (random.nextBoolean() ? 0 : random.nextInt(60)));
            var packet = Frames.wrapped(random.nextBoolean() ? cut : SalPackets.mended(cut));
            if (PacketParser.parse(packet) == Malformed.OK && packet.sal.present) {
                int found = SalRegistration.find(packet);
                assertThat(found == 0 || found + SalRegistration.LENGTH <= packet.l3End)
                        .isTrue();
                if (found != 0) {
                    assertThat(SalRegistration.bits(packet.segment, found)).isBetween(1, 256);
                    SalRegistration.word(packet.segment, found, 3);
                }
            }
        });
        assertThat(HexFormat.of().parseHex(SalPackets.SERVICE)).hasSize(32);
    }
}
