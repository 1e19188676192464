package dev.weft.sim.sal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.PacketWriter;
import dev.weft.sim.packet.Udp;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Captured packets that were tampered with. Segments end where the frame ends, so a read behind it throws. */
class SalFuzzTest {
    private static final List<byte[]> SEEDS = seeds();

    private static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (byte[] packet : SalPackets.captured().values()) {
            byte[] frame = SalPackets.framed(packet);
            seeds.add(frame);
            seeds.add(SalPackets.encapsulated(frame, 54324, 54325));
        }
        seeds.add(SalPackets.frame(2, 0, SalPackets.service(), SalPackets.service()));
        seeds.add(SalPackets.frame(2, 3, "30100000" + "00000001" + "00000002" + "0a000001", "00000000"));
        seeds.add(SalPackets.frame(2, 0, "40540000" + "0a090009".repeat(20), SalPackets.service()));
        return seeds;
    }

    private int wellFormed;
    private int refused;

    @Test
    void survivesTruncationAtEveryLength() {
        for (byte[] seed : SEEDS) {
            for (int length = 0; length <= seed.length; length++) {
                examine(Arrays.copyOf(seed, length));
            }
        }
    }

    @Test
    void survivesEveryValueOfEveryOctet() {
        for (byte[] seed : SEEDS) {
            byte[] frame = seed.clone();
            for (int at = 14; at < frame.length; at++) {
                byte before = frame[at];
                for (int value = 0; value < 256; value++) {
                    frame[at] = (byte) value;
                    examine(SalPackets.mended(frame));
                }
                frame[at] = before;
            }
        }
        assertThat(wellFormed).isPositive();
        assertThat(refused).isPositive();
    }

    @Test
    void survivesAnyMixOfLies() {
        Property.check("tampered SAL never throws", 50_000, random -> {
            byte[] frame = SEEDS.get(random.nextInt(SEEDS.size())).clone();
            for (int i = random.nextInt(5); i >= 0; i--) {
                tamper(random, frame);
            }
            examine(random.nextInt(4) == 0 ? frame : SalPackets.mended(frame));
        });
    }

    private static void tamper(RandomGenerator random, byte[] frame) {
        int at = 14 + random.nextInt(frame.length - 14);
        switch (random.nextInt(4)) {
            case 0 -> frame[at] = (byte) random.nextInt(256);
            case 1 -> frame[at]++;
            case 2 -> frame[at]--;
            default -> frame[at] ^= (byte) (1 << random.nextInt(8));
        }
    }

    /** Parses, forwards and writes again; anything thrown, and any octet that is not right, fails the test. */
    private void examine(byte[] frame) {
        var packet = Frames.wrapped(frame);
        int code = PacketParser.parse(packet);
        FlowHome.of(packet, 3);
        if (code != Malformed.OK || !packet.sal.present) {
            assertThat(packet.sal.present).isFalse();
            refused++;
            return;
        }
        wellFormed++;
        var message = SalMessage.decode(packet.segment, packet.sal.offset);
        assertThat(message.length()).isEqualTo(packet.sal.length);
        assertThat(SalMessage.decode(MemorySegment.ofArray(message.encode()), 0))
                .isEqualTo(message);
        if (!SalForward.hasRoom(packet)) {
            return;
        }
        var out = new byte[frame.length + 12];
        int length = SalForward.forward(MemorySegment.ofArray(out), 0, packet, 5, 1, 0x0a090002, 63);
        assertThat(length).isNotEqualTo(PacketWriter.NO_ROOM);
        var forwarded = Frames.wrapped(Arrays.copyOf(out, length));
        assertThat(PacketParser.parse(forwarded)).isEqualTo(Malformed.OK);
        assertThat(forwarded.sal.present).isTrue();
        assertThat(forwarded.sal.length).isEqualTo(packet.sal.length + SalForward.growth(packet));
        if (packet.sal.encapsulated) {
            assertThat(isUdpValid(forwarded)).isEqualTo(isUdpValid(packet));
        }
    }

    /** Over what the UDP header says it is long, which the packet may exceed. */
    private static boolean isUdpValid(Packet packet) {
        int end = packet.l4Offset + Udp.length(packet.segment, packet.l4Offset);
        return Checksum.isTransportValid(packet.segment, packet.l3Offset, packet.l4Offset, end, 17);
    }
}
