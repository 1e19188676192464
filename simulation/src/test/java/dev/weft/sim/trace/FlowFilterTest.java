package dev.weft.sim.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlowFilterTest {
    private static FlowKey key(String packet) {
        byte[] frame = PacketExpression.parse(packet);
        var parsed = new Packet();
        parsed.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        assertThat(PacketParser.parse(parsed)).isZero();
        return parsed.key;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "udp 10.0.1.5:1000 > 10.0.2.9:53 | udp | arp",
                "udp 10.0.1.5:1000 > 10.0.2.9:53 | udp dst-port 53 | udp src-port 53",
                "udp 10.0.1.5:1000 > 10.0.2.9:53 | port 1000 | port 1001",
                "udp 10.0.1.5:1000 > 10.0.2.9:53 | src 10.0.1.0/24 | dst 10.0.1.0/24",
                "udp 10.0.1.5:1000 > 10.0.2.9:53 | host 10.0.2.9 | host 10.0.2.8",
                "tcp [fd00::5]:1 > [fd00::9]:80 flags syn | tcp ip6 flags syn | tcp flags syn,rst",
                "tcp [fd00::5]:1 > [fd00::9]:80 flags ack | not flags syn | tcp flags syn",
                "icmp echo-request 10.0.1.5 > 10.0.2.9 id 7 | icmp id 7 | icmp6",
                "arp request 10.0.1.5 > 10.0.1.1 | arp src 10.0.1.5 | not arp",
                "udp 10.0.1.5:1 > 10.0.2.9:2 vlan 5 dscp 46 | vlan 5 dscp 46 | vlan 6",
                "ip 10.0.1.5 > 10.0.2.9 proto 47 fragment 8 | proto 47 fragment | not fragment",
                "eth type 0x88cc src-mac 02:00:00:00:00:07 dst-mac 02:00:00:00:00:08 | eth type 0x88cc mac 02:00:00:00:00:07 | eth type 0x88cd"
            })
    void picksPackets(String packet, String fitting, String other) {
        assertThat(FlowFilter.parse(fitting).matches(key(packet))).as(fitting).isTrue();
        assertThat(FlowFilter.parse(other).matches(key(packet))).as(other).isFalse();
        assertThat(FlowFilter.parse("").matches(key(packet))).isTrue();
    }

    @Test
    void aFlowIsShownWhenSomePacketOfItWouldBe() {
        var mask = new FlowMask();
        mask.clear();
        mask.addEtherType();
        mask.addDst(120);
        var masked = new FlowKey();
        FlowKey whole = key("udp 10.0.1.5:1000 > 10.0.2.9:53");
        for (int i = 0; i < FlowKey.WORDS; i++) {
            masked.setWord(i, whole.word(i) & mask.word(i));
        }
        assertThat(FlowFilter.parse("dst 10.0.2.77 tcp").matches(masked, mask)).isTrue();
        assertThat(FlowFilter.parse("dst 10.0.3.9").matches(masked, mask)).isFalse();
        assertThat(FlowFilter.parse("ip6").matches(masked, mask)).isFalse();
    }

    @Test
    void whatIsWrongIsNamedWithWhatIsAllowed() {
        assertThatThrownBy(() -> FlowFilter.parse("upd"))
                .hasMessageContaining("'upd'")
                .hasMessageContaining("udp");
        assertThatThrownBy(() -> FlowFilter.parse("port")).hasMessageContaining("'port'");
        assertThatThrownBy(() -> FlowFilter.parse("port 70000"))
                .hasMessageContaining("70000")
                .hasMessageContaining("65535");
        assertThatThrownBy(() -> FlowFilter.parse("port x")).hasMessageContaining("'x'");
        assertThatThrownBy(() -> FlowFilter.parse("dst 10.0.1.5/33")).hasMessageContaining("10.0.1.5/33");
        assertThatThrownBy(() -> FlowFilter.parse("flags urg")).hasMessageContaining("'urg'");
        assertThatThrownBy(() -> FlowFilter.parse("not")).hasMessageContaining("'not'");
    }
}
