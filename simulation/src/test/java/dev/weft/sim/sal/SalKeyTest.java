package dev.weft.sim.sal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.flow.FlowText;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.PacketParser;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class SalKeyTest {
    @Test
    void readsTheKeyThatTheKernelReads() {
        List<String> lines = SalPackets.resource("/golden/sal-key.txt")
                .lines()
                .filter(line -> !line.startsWith("#"))
                .toList();
        assertThat(lines).hasSizeGreaterThan(20);
        for (String line : lines) {
            String[] words = line.split(" ");
            var packet = Frames.wrapped(SalPackets.framed(HexFormat.of().parseHex(words[1])));
            PacketParser.parse(packet);
            FlowKey key = packet.key;
            assertThat("%02x %08x %016x %08x"
                            .formatted(key.salControl(), key.flowId(), key.serviceDigest(), FlowHome.hash(packet)))
                    .as(words[0])
                    .isEqualTo(String.join(" ", Arrays.copyOfRange(words, 2, 6)));
        }
    }

    @Test
    void bothDirectionsOfAConnectionHaveOneHome() {
        Property.check("home of SAL is symmetric", 2_000, random -> {
            int client = random.nextInt();
            int server = random.nextInt();
            byte[] there = SalPackets.frame(client, server);
            byte[] back = there.clone();
            System.arraycopy(there, 14 + 12, back, 14 + 16, 4);
            System.arraycopy(there, 14 + 16, back, 14 + 12, 4);
            System.arraycopy(there, SalPackets.SAL, back, SalPackets.SAL + 4, 4);
            System.arraycopy(there, SalPackets.SAL + 4, back, SalPackets.SAL, 4);
            int hash = FlowHome.hash(SalPackets.parsed(there));
            assertThat(FlowHome.hash(SalPackets.parsed(SalPackets.mended(back))))
                    .isEqualTo(hash);
            assertThat(FlowHome.hash(SalPackets.parsed(SalPackets.frame(client + 1, server))))
                    .isNotEqualTo(hash);
        });
    }

    @Test
    void anErrorGoesToTheHomeOfTheSalPacketItIsAbout() {
        byte[] data = SalPackets.frame(0x11223344, 0x55667788);
        var error = Frames.icmp("10.9.0.9", "10.9.0.1", Icmp.TIME_EXCEEDED, 0, 0)
                .payload(Arrays.copyOfRange(data, 14, SalPackets.SAL + 8));
        assertThat(FlowHome.hash(error.packet())).isEqualTo(FlowHome.hash(SalPackets.parsed(data)));
        var cut = Frames.icmp("10.9.0.9", "10.9.0.1", Icmp.TIME_EXCEEDED, 0, 0)
                .payload(Arrays.copyOfRange(data, 14, SalPackets.SAL + 7))
                .packet();
        assertThat(cut.quote.present).isFalse();
    }

    @Test
    void everyBitOfAServiceMovesItsDigest() {
        Property.check("digest tells services apart", 1_000, random -> {
            long[] words = {random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong()};
            long before = SalKey.digest(words[0], words[1], words[2], words[3]);
            words[random.nextInt(4)] ^= 1L << random.nextInt(64);
            assertThat(SalKey.digest(words[0], words[1], words[2], words[3])).isNotEqualTo(before);
        });
    }

    @Test
    void aFlowMatchesOnTheBitsOfItsMask() {
        var one = SalPackets.parsed(SalPackets.frame(2, 3)).key;
        var other = SalPackets.parsed(SalPackets.frame(2, 7)).key;
        var mask = new FlowMask();
        mask.clear();
        mask.setWord(8, 0xff_0000_0001L);
        assertThat(one.matches(other, mask)).isTrue();
        mask.setWord(8, 0xff_ffff_ffffL);
        assertThat(one.matches(other, mask)).isFalse();
        assertThat(FlowText.of(one, mask))
                .contains("sal-control=0x00")
                .contains("flow-id=0x00000003")
                .doesNotContain("service=");
        mask.setWord(9, -1L);
        assertThat(FlowText.of(one, mask)).contains("service=0x0000000000000000");
        assertThat(FlowText.of(one, null)).contains("flow-id=0x00000003").doesNotContain("sal-control");
    }
}
