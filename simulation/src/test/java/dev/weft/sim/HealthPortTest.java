package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Frames;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How health checks pass through a router of the tenant's, as a specification. */
class HealthPortTest {
    private static final String ASKER = HealthPort.ASKER_V4.toString();
    private static final String ASKER_MAC = HealthPort.ASKER_MAC.toString();
    private static final String PORT = "checks-r";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("m1", "b1")
            .vm("m2", "b2", "there")
            .checkedPool("web", "10.0.1.5:80", "10.0.2.6:80")
            .balancer("r", "front", "203.0.113.80 tcp 80", "web")
            .asker("r", "here"));

    @BeforeEach
    void settle() {
        net.settle("m1", "10.0.1.5");
        net.settle("m2", "10.0.2.6");
        grant("r-b1", "10.0.1.1");
        grant("r-b2", "10.0.2.1");
    }

    private void grant(String port, String address) {
        var ip = IpAddress.parse(address);
        boolean v4 = ip.isV4();
        var pool = net.network().natPools().stream()
                .filter(each -> each.name().equals("hairpin at " + port)
                        && each.address(0).isV4() == v4)
                .findFirst()
                .orElseThrow();
        net.tables().blocks().grant(pool.tag(), ip.high(), ip.low(), 40000, 64);
    }

    private String ask(String member) {
        return net.inject(
                        PORT,
                        Frames.tcp(ASKER + ":5000", member)
                                .flags(2)
                                .from(ASKER_MAC)
                                .to(net.mac(PORT)))
                .outcome();
    }

    private String answer(String member, String from, String to) {
        return net.inject(
                        member,
                        Frames.tcp(from, to)
                                .flags(0x12)
                                .from(net.mac(member))
                                .to(net.mac(member.equals("m1") ? "r-b1" : "r-b2")))
                .outcome();
    }

    private static String portOf(String outcome) {
        int at = outcome.indexOf("set-l4-src ") + 11;
        return outcome.substring(at, outcome.indexOf(',', at));
    }

    @Test
    void memberSeesTheRoutersOwnAddressAndItsAnswerReachesTheAsker() {
        String asked = ask("10.0.1.5:80");
        assertThat(asked).contains("set-src 10.0.1.1").endsWith("output m1");
        assertThat(answer("m1", "10.0.1.5:80", "10.0.1.1:" + portOf(asked)))
                .contains("set-dst " + ASKER)
                .contains("set-l4-dst 5000")
                .endsWith("output health checks");
    }

    @Test
    void membersOfVersionSixAreAskedLikewise() {
        net.change(t -> t.vm("m3", "b2")
                .checkedPool("six", "[fd00:2::7]:80")
                .balancer("r", "back", "2001:db8::80 tcp 80", "six"));
        net.settle("m3", "fd00:2::7");
        grant("r-b2", "fd00:2::1");
        String asker = "[" + HealthPort.ASKER_V6 + "]:5000";
        String asked = net.inject(
                        PORT,
                        Frames.tcp(asker, "[fd00:2::7]:80")
                                .flags(2)
                                .from(ASKER_MAC)
                                .to(net.mac(PORT)))
                .outcome();
        assertThat(asked).contains("set-src fd00:2::1").endsWith("output m3");
        assertThat(answer("m3", "[fd00:2::7]:80", "[fd00:2::1]:" + portOf(asked)))
                .contains("set-dst " + HealthPort.ASKER_V6)
                .endsWith("output health checks");
    }

    @Test
    void askerElsewhereGetsItsAnswersThroughTheTunnel() {
        String asked = ask("10.0.1.5:80");
        net.change(t -> t.asker("r", "there"));
        assertThat(answer("m1", "10.0.1.5:80", "10.0.1.1:" + portOf(asked)))
                .contains("set-dst " + ASKER)
                .contains("tunnel");
    }

    @Test
    void nothingButAnswersReachesTheAsker() {
        assertThat(answer("m1", "10.0.1.5:80", ASKER + ":5000")).contains("no-check-asked");
        String asked = ask("10.0.1.5:80");
        assertThat(answer("m1", "10.0.1.5:81", "10.0.1.1:" + portOf(asked)))
                .as("of another port than the one that was asked")
                .contains("for-router");
    }

    @Test
    void rulesOfTheRouterDoNotComeBetween() {
        net.change(t ->
                t.chain("none", "drop").hook("router", "r", "inbound", "none").hook("router", "r", "forward", "none"));
        String asked = ask("10.0.1.5:80");
        assertThat(asked).endsWith("output m1");
        assertThat(answer("m1", "10.0.1.5:80", "10.0.1.1:" + portOf(asked))).endsWith("output health checks");
    }

    @Test
    void portIsThereAsLongAsAPoolIsChecked() {
        int port = net.portIndex(PORT);
        assertThat(net.network().isHealthPort(port)).isTrue();
        assertThat(IntStream.range(0, net.network().portLimit()).filter(net.network()::isHealthPort))
                .hasSize(1);
        net.change(t -> t.pool("web", "10.0.1.5:80", "10.0.2.6:80"));
        assertThat(net.network().hasPort(port)).isFalse();
    }
}
