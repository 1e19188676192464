package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SampleWriterTest {
    private static final List<byte[]> FRAMES = List.of(
            Frames.udp("10.0.1.5:1000", "10.0.2.9:53").bytes(),
            Frames.udp("10.0.1.5:1000", "10.0.2.9:53").vlan(5).payload(40).bytes(),
            Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").flags(Tcp.SYN).bytes(),
            Frames.tcp("[fd00::5]:1", "[fd00::9]:2").flags(Tcp.FIN | Tcp.ACK).bytes(),
            Frames.tcp("[fd00::5]:1", "[fd00::9]:2")
                    .fragment(1, 0, true)
                    .payload(4)
                    .bytes(),
            Frames.udp("[fd00::5]:1", "[fd00::9]:2")
                    .payload(8)
                    .fragment(1, 0, true)
                    .bytes(),
            Frames.udp("10.0.1.5:1", "10.0.2.9:2")
                    .payload(8)
                    .fragment(1, 8, false)
                    .bytes(),
            Frames.tcp("10.0.1.5:1", "10.0.2.9:2")
                    .payload(4)
                    .fragment(1, 0, true)
                    .bytes(),
            Frames.echoRequest("10.0.1.5", "10.0.2.9", 7, 1).bytes(),
            Frames.echoReply("fd00::5", "fd00::9", 7, 1).bytes(),
            Frames.icmp("fd00::1", "fd00::5", 1, 0, 0).bytes(),
            Frames.arpRequest("10.0.1.5", "10.0.1.1").bytes(),
            Frames.ethernet(0x88cc).payload(20).bytes());

    private final MemorySegment out = MemorySegment.ofArray(new byte[SampleWriter.MAX_LENGTH]);

    private static Packet parsed(MemorySegment segment, int length) {
        var packet = new Packet();
        packet.wrap(segment, 0, length);
        assertThat(PacketParser.parse(packet)).isEqualTo(Malformed.OK);
        return packet;
    }

    @Test
    void theSampleOfAWholeKeyHasThatKey() {
        var exact = new FlowMask();
        exact.exact();
        for (byte[] frame : FRAMES) {
            FlowKey key = parsed(MemorySegment.ofArray(frame), frame.length).key;
            int length = SampleWriter.write(key, exact, out, 0);
            assertThat(parsed(out, length).key).as(Arrays.toString(frame)).isEqualTo(key);
        }
    }

    @Test
    void theSampleOfAMaskedKeyMatchesItAndIsWellFormed() {
        for (byte[] frame : FRAMES) {
            FlowKey key = parsed(MemorySegment.ofArray(frame), frame.length).key;
            for (int counted = 0; counted < 4; counted++) {
                var mask = new FlowMask();
                mask.clear();
                mask.addDstMac();
                if (counted > 0) {
                    mask.addEtherType();
                }
                if (counted > 1) {
                    mask.addDst(120);
                }
                if (counted > 2) {
                    mask.addProtocol();
                    mask.addFragment();
                }
                var masked = new FlowKey();
                for (int i = 0; i < FlowKey.WORDS; i++) {
                    masked.setWord(i, key.word(i) & mask.word(i));
                }
                int length = SampleWriter.write(masked, mask, out, 0);
                assertThat(parsed(out, length).key.matches(key, mask)).isTrue();
            }
        }
    }
}
