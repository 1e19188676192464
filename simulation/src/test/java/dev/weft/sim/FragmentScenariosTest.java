package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Fragments of UDP and of pings, of both families, over a bridge and over a router: all of them go the same way. */
class FragmentScenariosTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("a", "b1")
            .vm("b", "b1")
            .vm("z", "b2"));

    FragmentScenariosTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("b", "10.0.1.6", "fd00:1::6");
        net.settle("z", "10.0.2.9", "fd00:2::9");
    }

    /** @param port of the receiver */
    record Case(String name, String port, Frames packet) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> cases() {
        return Stream.of(
                new Case("icmp over a bridge", "b", Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 1)),
                new Case("icmp over a router", "z", Frames.echoRequest("10.0.1.5", "10.0.2.9", 7, 1)),
                new Case("udp over a bridge", "b", Frames.udp("10.0.1.5:1000", "10.0.1.6:53")),
                new Case("udp over a router", "z", Frames.udp("10.0.1.5:1000", "10.0.2.9:53")),
                new Case("icmp6 over a bridge", "b", Frames.echoRequest("fd00:1::5", "fd00:1::6", 7, 1)),
                new Case("icmp6 over a router", "z", Frames.echoRequest("fd00:1::5", "fd00:2::9", 7, 1)),
                new Case("udp6 over a bridge", "b", Frames.udp("[fd00:1::5]:1000", "[fd00:1::6]:53")),
                new Case("udp6 over a router", "z", Frames.udp("[fd00:1::5]:1000", "[fd00:2::9]:53")));
    }

    private List<Topology.Sent> fragments(Case of) {
        String to = of.port.equals("z") ? net.mac("r-b1") : net.mac("b");
        Frames packet = of.packet.payload(64).from(net.mac("a")).to(to);
        return List.of(
                net.inject("a", packet.fragment(9, 0, true)),
                net.inject("a", packet.fragment(9, 8, true)),
                net.inject("a", packet.fragment(9, 16, false)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void allFragmentsArriveByFlows(Case of) {
        assertThat(fragments(of)).allSatisfy(sent -> {
            assertThat(sent.outcome()).endsWith("output " + of.port);
            assertThat(sent.cacheable()).isTrue();
        });
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aRuleWithoutPortsTakesThemAll(Case of) {
        net.change(t -> t.chain(
                        "c",
                        "protocol udp drop",
                        "protocol icmp drop",
                        "protocol icmpv6 icmp 128 drop",
                        "protocol icmpv6 fragments LATER drop")
                .hook("port", "a", "inbound", "c"));
        assertThat(fragments(of)).allSatisfy(sent -> assertThat(sent.outcome()).isEqualTo("drop rule"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aRuleWithPortsTakesThoseThatHaveThem(Case of) {
        net.change(t ->
                t.chain("c", "dport 53 drop", "icmp 8 drop", "icmp 128 drop").hook("port", of.port, "outbound", "c"));
        assertThat(fragments(of))
                .extracting(sent -> sent.outcome().replaceAll(".*output", "output"))
                .containsExactly("drop rule", "output " + of.port, "output " + of.port);
    }
}
