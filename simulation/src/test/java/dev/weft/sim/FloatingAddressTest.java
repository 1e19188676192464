package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** Static rules: an inside address has an outside one of its own, whoever asks and whatever else watches. */
class FloatingAddressTest extends NatNetwork {
    private static final int SYN = 2;
    private static final int SYN_ACK = 0x12;

    FloatingAddressTest() {
        net.change(t -> t.nat("r", "fc", "static from 10.0.2.9 out of up to 203.0.113.5")
                .nat("r", "fb", "static from 10.0.1.6 out of up to 203.0.113.6"));
    }

    @Test
    void vmOfAnotherSubnetReachesTheFloatingAddressAndIsAnsweredByIt() {
        assertThat(fromA(Frames.tcp("10.0.1.5:4000", "203.0.113.5:22").flags(SYN)))
                .contains("set-dst 10.0.2.9")
                .doesNotContain("set-src")
                .endsWith("output c");
        assertThat(fromC(Frames.tcp("10.0.2.9:22", "10.0.1.5:4000").flags(SYN_ACK)))
                .contains("set-src 203.0.113.5")
                .endsWith("output a");
        assertThat(fromC(Frames.tcp("10.0.2.9:22", "10.0.1.5:4001").flags(SYN)))
                .as("what it begins itself")
                .doesNotContain("set-src")
                .endsWith("output a");
    }

    @Test
    void vmOfTheSameSubnetReachesTheFloatingAddressByAPublicSource() {
        sourceNat();
        String there = fromA(Frames.tcp("10.0.1.5:4000", "203.0.113.6:22").flags(SYN));
        assertThat(there)
                .contains("set-dst 10.0.1.6")
                .contains("set-src 203.0.113.10")
                .endsWith("output b");
        assertThat(fromB(Frames.tcp("10.0.1.6:22", "203.0.113.10:" + port(there, "set-l4-src"))
                        .flags(SYN_ACK)))
                .contains("set-src 203.0.113.6")
                .contains("set-dst 10.0.1.5")
                .contains("set-l4-dst 4000")
                .endsWith("output a");
    }

    @Test
    void twoFloatingAddressesReachEachOther() {
        net.change(t -> t.nat("r", "fa", "static from 10.0.1.5 out of up to 203.0.113.7"));
        assertThat(fromA(Frames.udp("10.0.1.5:4000", "203.0.113.6:53")))
                .contains("set-dst 10.0.1.6")
                .contains("set-src 203.0.113.7")
                .endsWith("output b");
        assertThat(fromB(Frames.udp("10.0.1.6:53", "203.0.113.7:4000")))
                .contains("set-src 203.0.113.6")
                .contains("set-dst 10.0.1.5")
                .endsWith("output a");
    }

    @Test
    void rulesAboutConnectionsKnowTheAnswersOfWhatCameToAFloatingAddress() {
        net.change(t -> t.chain("in", "connection new,forward,answer,related accept", "drop")
                .chain("out", "connection answer,related accept", "drop")
                .hook("port", "c", "outbound", "in")
                .hook("port", "c", "inbound", "out"));
        assertThat(fromOutside(Frames.tcp("198.51.100.7:4000", "203.0.113.5:22").flags(SYN)))
                .contains("set-dst 10.0.2.9")
                .endsWith("output c");
        assertThat(fromC(Frames.tcp("10.0.2.9:22", "198.51.100.7:4000").flags(SYN_ACK)))
                .contains("set-src 203.0.113.5")
                .endsWith("output up");
        assertThat(fromC(Frames.tcp("10.0.2.9:22", "198.51.100.7:4001").flags(SYN)))
                .isEqualTo("drop rule");
    }

    @Test
    void rulesAboutConnectionsKnowTheAnswersToWhatLeftByAFloatingAddress() {
        net.change(t -> t.chain("in", "connection answer,related accept", "drop")
                .hook("port", "c", "outbound", "in")
                .chain("track", "connection new,forward accept")
                .hook("port", "c", "inbound", "track"));
        assertThat(fromC(Frames.udp("10.0.2.9:1000", "8.8.8.8:53"))).contains("set-src 203.0.113.5");
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "203.0.113.5:1000")))
                .contains("set-dst 10.0.2.9")
                .endsWith("output c");
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "203.0.113.5:1001"))).isEqualTo("drop rule");
    }

    @Test
    void errorsReachWhoeverUsesAFloatingAddress() {
        var sent = Frames.udp("203.0.113.5:1000", "8.8.8.8:53");
        assertThat(fromOutside(Frames.icmp("192.0.2.77", "203.0.113.5", 3, 1, 0).payload(sent.ipBytes())))
                .contains("set-dst 10.0.2.9")
                .endsWith("output c");
        fromA(Frames.udp("10.0.1.5:4000", "203.0.113.5:53"));
        assertThat(fromC(Frames.icmp("10.0.2.9", "10.0.1.5", 3, 3, 0)
                        .payload(Frames.udp("10.0.1.5:4000", "10.0.2.9:53").ipBytes())))
                .as("it asked the floating address")
                .contains("set-src 203.0.113.5")
                .endsWith("output a");
    }

    @Test
    void networkOfFloatingAddressesKeepsTheHostPart() {
        net.change(t -> t.nat("r", "net", "static from 10.0.1.0/30 out of up to 203.0.113.64/30")
                .nat("r", "net6", "static from fd00:1::/64 out of up to 2001:db8:5::/64")
                .vm("z", "b1"));
        net.settle("z", "10.0.1.3", "fd00:1::3");
        assertThat(net.inject("z", from("z", "r-b1", Frames.udp("10.0.1.3:1", "8.8.8.8:53")))
                        .outcome())
                .contains("set-src 203.0.113.67");
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "203.0.113.67:1")))
                .contains("set-dst 10.0.1.3")
                .endsWith("output z");
        assertThat(fromOutside(Frames.udp("[2001:4860::8]:53", "[2001:db8:5::3]:1")))
                .contains("set-dst fd00:1::3")
                .endsWith("output z");
        assertThat(fromA(Frames.udp("10.0.1.5:1", "8.8.8.8:53")))
                .as("beyond the network")
                .doesNotContain("set-src");
    }
}
