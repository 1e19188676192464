package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.sal.SalPackets;
import dev.weft.sim.trace.PacketExpression;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Which packets go by the guard of a port, as a specification. */
class SalGuardWalkTest {
    private static final String ALL = "ff:ff:ff:ff:ff:ff";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24")
            .join("b2", "r", "10.0.2.1/24")
            .vm("a", "b1")
            .vm("s", "b2", "here", port -> port.setServalGuard(true))
            .vm("t", "b2", "there", port -> port.setServalGuard(true))
            .vm("v", "b2", "here", port -> port.setServalGuard(true).setVlan(7)));

    SalGuardWalkTest() {
        net.settle("a", "10.0.1.5");
        net.settle("s", "10.0.2.9");
        net.settle("t", "10.0.2.8");
    }

    private Topology.Sent send(String words) {
        return net.inject("a", packet("a", net.mac("r-b1"), words));
    }

    private Packet packet(String from, String toMac, String words) {
        return parsed(PacketExpression.parse(words + " src-mac " + net.mac(from) + " dst-mac " + toMac));
    }

    private static Packet parsed(byte[] frame) {
        var packet = Frames.wrapped(frame);
        assertThat(PacketParser.parse(packet)).isZero();
        return packet;
    }

    @Test
    void theGuardGetsThePacketAsItWouldLeave() {
        var sent = send("sal 10.0.1.5:2 > 10.0.2.9:3 ttl 64 flags rst nonce 0102030405060708");
        assertThat(sent.outcome()).isEqualTo("consumed");
        assertThat(sent.cacheable()).isFalse();
        assertThat(sent.emitted())
                .containsExactly("guard of s sal 10.0.1.5:2 > 10.0.2.9:3 src-mac " + net.mac("r-b2") + " dst-mac "
                        + net.mac("s") + " ttl 63 flags rst nonce 0102030405060708");
    }

    @Test
    void soDoesTheGuardOfAPortElsewhere() {
        assertThat(send("sal 10.0.1.5:2 > 10.0.2.8:3 flags fin").emitted().getFirst())
                .startsWith("guard of t ");
        assertThat(send("sal 10.0.1.5:2 > 10.0.2.8:3 flags rsyn,ack").emitted().getFirst())
                .startsWith("guard of t ");
        assertThat(send("sal 10.0.1.5:2 > 10.0.2.8:0 flags syn service 0x00004001")
                        .emitted()
                        .getFirst())
                .startsWith("guard of t ");
    }

    @Test
    void dataAndAcksAreFlows() {
        var data = send("sal 10.0.1.5:2 > 10.0.2.9:3 length 9");
        assertThat(data.outcome()).endsWith("output s");
        assertThat(data.cacheable()).isTrue();
        assertThat(data.mask().word(8) >>> 32 & 0xff)
                .as("control flags prove it")
                .isEqualTo(0xff);
        var ack = send("sal 10.0.1.5:2 > 10.0.2.9:3 flags ack service 0x00004001");
        assertThat(ack.outcome()).endsWith("output s");
        assertThat(ack.cacheable()).isTrue();
        var other = net.inject(
                "a", Frames.tcp("10.0.1.5:1", "10.0.2.9:2").from(net.mac("a")).to(net.mac("r-b1")));
        assertThat(other.mask().word(8)).isZero();
    }

    @Test
    void encapsulatedPacketsGoByTheGuardToo() {
        byte[] plain = PacketExpression.parse("sal 10.0.1.5:2 > 10.0.2.9:3 flags rst");
        byte[] frame = SalPackets.encapsulated(plain, 54324, 54325);
        assertThat(fromA(frame).emitted().getFirst()).startsWith("guard of s ");
        byte[] data = SalPackets.encapsulated(PacketExpression.parse("sal 10.0.1.5:2 > 10.0.2.9:3"), 54324, 54325);
        assertThat(fromA(data).outcome()).endsWith("output s");
        assertThat(fromA(data).cacheable()).isTrue();
        byte[] unsound = Frames.udp("10.0.1.5:54324", "10.0.2.9:54325")
                .payload(new byte[40])
                .bytes();
        assertThat(fromA(unsound).emitted().getFirst()).startsWith("guard of s ");
        byte[] udp =
                Frames.udp("10.0.1.5:1", "10.0.2.9:2").payload(new byte[40]).bytes();
        assertThat(fromA(udp).outcome()).endsWith("output s");
    }

    private Topology.Sent fromA(byte[] frame) {
        byte[] copy = frame.clone();
        System.arraycopy(macs(net.mac("r-b1")), 0, copy, 0, 6);
        System.arraycopy(macs(net.mac("a")), 0, copy, 6, 6);
        return net.inject("a", parsed(copy));
    }

    private static byte[] macs(String mac) {
        return HexFormat.ofDelimiter(":").parseHex(mac);
    }

    @Test
    void portsGivenOnTheWayCount() {
        net.change(t -> t.nat("r", "in", "destination for 10.0.1.100 udp 2 to 10.0.2.9 ports 54325"));
        byte[] hidden =
                Frames.udp("10.0.1.5:1", "10.0.1.100:2").payload(new byte[40]).bytes();
        var sent = fromA(hidden);
        assertThat(sent.cacheable()).isFalse();
        assertThat(sent.emitted().getFirst()).startsWith("guard of s udp 10.0.1.5:1 > 10.0.2.9:54325 ");
    }

    @Test
    void fragmentsOfServalAreRefused() {
        byte[] frame = PacketExpression.parse("sal 10.0.1.5:2 > 10.0.2.9:3 flags rst");
        frame[SalPackets.ETHERNET + 6] |= 0x20;
        assertThat(fromA(SalPackets.mended(frame)).outcome()).isEqualTo("drop sal-fragment");
    }

    @Test
    void aFloodGoesByTheGuardsHere() {
        var sent = net.inject("s", packet("s", ALL, "sal 10.0.2.9:2 > 255.255.255.255:3 flags rst"));
        assertThat(sent.outcome()).doesNotContain("output");
        net.change(t -> t.vm("w", "b2", "here", port -> port.setServalGuard(true)));
        var both = net.inject("s", packet("s", ALL, "sal 10.0.2.9:2 > 255.255.255.255:3 flags rst"));
        assertThat(both.emitted()).hasSize(1).first().asString().startsWith("guard of w ");
        var data = net.inject("s", packet("s", ALL, "sal 10.0.2.9:2 > 255.255.255.255:3"));
        assertThat(data.outcome()).contains("output w");
    }

    @Test
    void theGuardHearsWhatItsVmBeginsAnswersAndEnds() {
        assertThat(isHeard("s", "flags syn service 0x00004001")).isTrue();
        assertThat(isHeard("s", "flags fin")).isTrue();
        assertThat(isHeard("s", "flags ack")).isFalse();
        assertThat(isHeard("s", "length 3")).isFalse();
        assertThat(isHeard("a", "flags fin")).isFalse();
    }

    private boolean isHeard(String from, String words) {
        var out = new Outcome();
        var packet = packet(from, net.mac("r-b2"), "sal 10.0.2.9:2 > 10.0.1.5:3 " + words);
        packet.key.setIngress(net.portIndex(from) + 1, 0);
        net.simulator().simulate(packet, net.portIndex(from), net.now, out);
        return out.isSaidToGuard() && !out.cacheable();
    }

    @Test
    void explainsThatAGuardDecides() {
        var packet = packet("a", net.mac("r-b1"), "sal 10.0.1.5:2 > 10.0.2.9:3 flags rst");
        assertThat(net.explain("a", packet)).contains("its Serval guard judges the packet");
    }
}
