package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** Rules that ask for connections: network b1 may begin them, network b2 may answer. */
class StatefulRuleTest {
    private static final String[] FIREWALL = {
        "connection forward,answer,related accept", "connection new in r-b1 accept", "drop"
    };

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("a", "b1")
            .vm("z", "b2")
            .chain("firewall", FIREWALL)
            .hook("router", "r", "forward", "firewall"));

    StatefulRuleTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("z", "10.0.2.9", "fd00:2::9");
    }

    private String fromA(Frames frame) {
        return net.inject("a", frame.from(net.mac("a")).to(net.mac("r-b1"))).outcome();
    }

    private String fromZ(Frames frame) {
        return net.inject("z", frame.from(net.mac("z")).to(net.mac("r-b2"))).outcome();
    }

    @Test
    void answersPassAndQuestionsDoNot() {
        assertThat(fromZ(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"))).isEqualTo("drop rule");
        assertThat(fromA(Frames.udp("10.0.1.5:1000", "10.0.2.9:53"))).endsWith("output z");
        assertThat(fromZ(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"))).endsWith("output a");
        assertThat(fromZ(Frames.udp("10.0.2.9:54", "10.0.1.5:1000"))).isEqualTo("drop rule");
        assertThat(fromZ(Frames.echoRequest("10.0.2.9", "10.0.1.5", 7, 1))).isEqualTo("drop rule");
        assertThat(fromA(Frames.tcp("[fd00:1::5]:1000", "[fd00:2::9]:80").flags(2)))
                .endsWith("output z");
        assertThat(fromZ(Frames.tcp("[fd00:2::9]:80", "[fd00:1::5]:1000"))).endsWith("output a");
    }

    @Test
    void errorsAboutKnownConnectionsPassAndForgedOnesDoNot() {
        fromA(Frames.udp("10.0.1.5:1000", "10.0.2.9:53"));
        var about = Frames.udp("10.0.1.5:1000", "10.0.2.9:53");
        assertThat(fromZ(Frames.icmp("10.0.2.9", "10.0.1.5", 3, 3, 0).payload(about.ipBytes())))
                .endsWith("output a");
        var forged = Frames.udp("10.0.1.5:1001", "10.0.2.9:53");
        assertThat(fromZ(Frames.icmp("10.0.2.9", "10.0.1.5", 3, 3, 0).payload(forged.ipBytes())))
                .isEqualTo("drop rule");
    }

    @Test
    void connectionIsDecidedAgainWhenARuleChanges() {
        fromA(Frames.udp("10.0.1.5:1000", "10.0.2.9:53"));
        fromZ(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"));
        net.change(t -> t.chain("firewall", "protocol udp drop", FIREWALL[0], FIREWALL[1], FIREWALL[2]));
        assertThat(net.flows()).isEmpty();
        assertThat(fromA(Frames.udp("10.0.1.5:1000", "10.0.2.9:53"))).isEqualTo("drop rule");
        assertThat(fromZ(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"))).isEqualTo("drop rule");
    }

    @Test
    void tellsHowFarTcpIs() {
        net.change(t -> t.chain("firewall", "tcp closing drop", FIREWALL[0], FIREWALL[1], FIREWALL[2]));
        assertThat(fromA(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").flags(2))).endsWith("output z");
        assertThat(fromA(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80"))).endsWith("output z");
        assertThat(fromZ(Frames.tcp("10.0.2.9:80", "10.0.1.5:1000").flags(1))).endsWith("output a");
        assertThat(fromA(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").flags(1)))
                .as("the other side has closed it")
                .isEqualTo("drop rule");
    }

    @Test
    void whatIsItsOwnAnswerBeginsNoConnection() {
        net.change(t -> t.chain("firewall", "connection answer drop", "connection none accept", "drop"));
        for (int i = 0; i < 2; i++) {
            assertThat(fromA(Frames.ip("10.0.2.9", "10.0.2.9", 47))).endsWith("output z");
            assertThat(fromA(Frames.udp("10.0.2.9:7", "10.0.2.9:7"))).endsWith("output z");
            assertThat(fromA(Frames.echoRequest("10.0.2.9", "10.0.2.9", 0, 1))).endsWith("output z");
            assertThat(fromA(Frames.udp("10.0.2.9:7", "10.0.2.9:8"))).isEqualTo("drop rule");
        }
    }

    @Test
    void whatBelongsToNoConnectionIsNone() {
        net.change(t -> t.chain("firewall", "connection none accept", "drop"));
        assertThat(fromZ(Frames.echoReply("10.0.2.9", "10.0.1.5", 7, 1))).endsWith("output a");
        assertThat(fromZ(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"))).isEqualTo("drop rule");
    }
}
