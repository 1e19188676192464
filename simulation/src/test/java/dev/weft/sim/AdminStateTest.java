package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** Ports, bridges and routers that their owner disables, and enables again. */
class AdminStateTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("a", "b1")
            .vm("b", "b1")
            .vm("z", "b2")
            .vm("far", "b2", "there"));

    AdminStateTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("b", "10.0.1.6");
        net.settle("z", "10.0.2.9", "fd00:2::9");
        net.settle("far", "10.0.2.7");
    }

    private Topology.Sent bridged() {
        return net.inject(
                "a", Frames.udp("10.0.1.5:1", "10.0.1.6:2").from(net.mac("a")).to(net.mac("b")));
    }

    private Topology.Sent routed(String from, String to) {
        return net.inject(
                "a", Frames.udp(from + ":1", to + ":2").from(net.mac("a")).to(net.mac("r-b1")));
    }

    private void disable(String kind, String name) {
        net.change(t -> t.disable(kind, name, true));
    }

    private void enable(String kind, String name) {
        net.change(t -> t.disable(kind, name, false));
    }

    @Test
    void nothingComesInByADisabledPortNorLeavesByIt() {
        assertThat(bridged().outcome()).isEqualTo("output b");
        disable("port", "a");
        assertThat(net.flows()).isEmpty();
        assertThat(bridged().outcome()).isEqualTo("drop disabled");
        enable("port", "a");
        disable("port", "b");
        assertThat(bridged().outcome()).isEqualTo("drop disabled");
        enable("port", "b");
        assertThat(bridged().outcome()).isEqualTo("output b");
    }

    @Test
    void floodsPassByADisabledPort() {
        disable("port", "b");
        var unknown = Frames.udp("10.0.1.5:1", "10.0.1.44:2").from(net.mac("a")).to("06:00:00:00:00:44");
        assertThat(net.inject("a", unknown).outcome()).doesNotContain("output b");
        assertThat(net.injectFlood("b1", unknown.from("06:00:00:00:00:45")).outcome())
                .isEqualTo("output a");
    }

    @Test
    void nothingCrossesADisabledPortBetweenDevices() {
        disable("port", "b1-r");
        assertThat(routed("10.0.1.5", "10.0.2.9").outcome()).isEqualTo("drop disabled");
        enable("port", "b1-r");
        disable("port", "r-b2");
        assertThat(routed("10.0.1.5", "10.0.2.9").outcome()).isEqualTo("drop disabled");
    }

    @Test
    void aDisabledBridgeForwardsNothing() {
        assertThat(bridged().outcome()).isEqualTo("output b");
        disable("bridge", "b1");
        assertThat(net.flows()).isEmpty();
        assertThat(bridged().outcome()).isEqualTo("drop disabled");
        assertThat(net.injectFlood(
                                "b1",
                                Frames.udp("10.0.1.5:1", "10.0.1.44:2")
                                        .from("06:00:00:00:00:45")
                                        .to("06:00:00:00:00:44"))
                        .outcome())
                .as("also what another host floods")
                .isEqualTo("drop disabled");
        enable("bridge", "b1");
        assertThat(bridged().outcome()).isEqualTo("output b");
    }

    @Test
    void theFarSideOfARouterIsDisabledToo() {
        disable("bridge", "b2");
        assertThat(routed("10.0.1.5", "10.0.2.9").outcome()).isEqualTo("drop disabled");
    }

    @Test
    void aDisabledRouterSaysThatItIsProhibited() {
        assertThat(routed("10.0.1.5", "10.0.2.9").outcome()).endsWith("output z");
        disable("router", "r");
        assertThat(net.flows()).isEmpty();
        var refused = routed("10.0.1.5", "10.0.2.9");
        assertThat(refused.outcome()).isEqualTo("drop disabled");
        assertThat(refused.emitted())
                .singleElement()
                .asString()
                .contains("icmp unreachable 10.0.1.1 > 10.0.1.5", "code 13");
        var ping = Frames.echoRequest("10.0.1.5", "10.0.1.1", 7, 1)
                .from(net.mac("a"))
                .to(net.mac("r-b1"));
        assertThat(net.inject("a", ping).outcome()).as("nor is it there itself").isEqualTo("drop disabled");
        var six =
                Frames.udp("[fd00:1::5]:1", "[fd00:2::9]:2").from(net.mac("a")).to(net.mac("r-b1"));
        assertThat(net.inject("a", six).outcome()).isEqualTo("drop disabled");
        assertThat(bridged().outcome()).as("the bridge goes on").isEqualTo("output b");
        enable("router", "r");
        assertThat(routed("10.0.1.5", "10.0.2.9").outcome()).endsWith("output z");
    }
}
