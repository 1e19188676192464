package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** Floating addresses of both families: given, used from all sides, moved and taken back. */
class FloatingAddressScenariosTest {
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .uplink("up", "r", "here", "203.0.113.2/24", "2001:db8::2/64")
            .route("r", "0.0.0.0/0 port up via 203.0.113.1")
            .route("r", "::/0 port up via 2001:db8::1")
            .vm("a", "b1")
            .vm("b", "b1")
            .vm("z", "b2")
            .nat("r", "fa", "static from 10.0.1.5 out of up to 203.0.113.5")
            .nat("r", "fz", "static from 10.0.2.9 out of up to 203.0.113.9")
            .nat("r", "fa6", "static from fd00:1::5 out of up to 2001:db8::5"));

    FloatingAddressScenariosTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("b", "10.0.1.6", "fd00:1::6");
        net.settle("z", "10.0.2.9", "fd00:2::9");
        net.learnNeighbour("r", "203.0.113.1", OUTSIDE_MAC);
        net.learnNeighbour("r", "2001:db8::1", OUTSIDE_MAC);
    }

    private String outside(Frames frame) {
        return net.inject("up", frame.from(OUTSIDE_MAC).to(net.mac("up"))).outcome();
    }

    private String inside(String vm, Frames frame) {
        String gateway = vm.equals("z") ? "r-b2" : "r-b1";
        return net.inject(vm, frame.from(net.mac(vm)).to(net.mac(gateway))).outcome();
    }

    @Test
    void theOutsideReachesEachVmByItsAddress() {
        assertThat(outside(Frames.echoRequest("198.51.100.7", "203.0.113.5", 7, 1)))
                .contains("set-dst 10.0.1.5")
                .endsWith("output a");
        assertThat(outside(Frames.tcp("198.51.100.7:4000", "203.0.113.9:22").flags(2)))
                .contains("set-dst 10.0.2.9")
                .endsWith("output z");
        assertThat(outside(Frames.echoRequest("198.51.100.7", "203.0.113.77", 7, 1)))
                .as("nobody's")
                .startsWith("park");
    }

    @Test
    void aVmLeavesByItsAddressAndOthersByTheSharedOne() {
        net.change(t -> t.nat("r", "out", "source from 10.0.0.0/8 out of up to 203.0.113.10"));
        net.grant("out", "203.0.113.10", 20000, 64);
        assertThat(inside("a", Frames.udp("10.0.1.5:1000", "8.8.8.8:53")))
                .contains("set-src 203.0.113.5")
                .endsWith("output up");
        assertThat(inside("b", Frames.udp("10.0.1.6:1000", "8.8.8.8:53")))
                .contains("set-src 203.0.113.10")
                .endsWith("output up");
    }

    @Test
    void anAddressMovesToAnotherVm() {
        assertThat(outside(Frames.echoRequest("198.51.100.7", "203.0.113.5", 7, 1)))
                .endsWith("output a");
        net.change(t -> t.nat("r", "fa", "static from 10.0.1.6 out of up to 203.0.113.5"));
        assertThat(outside(Frames.echoRequest("198.51.100.7", "203.0.113.5", 7, 2)))
                .contains("set-dst 10.0.1.6")
                .endsWith("output b");
        assertThat(inside("b", Frames.udp("10.0.1.6:1000", "8.8.8.8:53"))).contains("set-src 203.0.113.5");
        assertThat(inside("a", Frames.udp("10.0.1.5:1000", "8.8.8.8:53"))).doesNotContain("set-src 203");
    }

    @Test
    void anAddressThatIsTakenBackLeadsNowhereAndServesAgainWhenItIsGiven() {
        assertThat(outside(Frames.echoRequest("198.51.100.7", "203.0.113.5", 7, 1)))
                .endsWith("output a");
        net.change(t -> t.removeNat("fa"));
        assertThat(outside(Frames.echoRequest("198.51.100.7", "203.0.113.5", 7, 2)))
                .startsWith("park");
        net.change(t -> t.nat("r", "fa", "static from 10.0.2.9 out of up to 203.0.113.5"));
        assertThat(outside(Frames.echoRequest("198.51.100.7", "203.0.113.5", 7, 3)))
                .contains("set-dst 10.0.2.9")
                .endsWith("output z");
    }

    @Test
    void aTracerouteToAFloatingAddressNamesTheRouterAndNotTheInside() {
        var expired = net.inject(
                "up",
                Frames.udp("198.51.100.7:4000", "203.0.113.5:33434")
                        .ttl(1)
                        .from(OUTSIDE_MAC)
                        .to(net.mac("up")));
        assertThat(expired.emitted())
                .singleElement()
                .asString()
                .contains("icmp time-exceeded 203.0.113.2 > 198.51.100.7", "> 203.0.113.5:33434")
                .doesNotContain("10.0.1.5");
    }

    @Test
    void anAddressOfVersionSixFloatsTheSameWayAndIsGivenOn() {
        assertThat(outside(
                        Frames.tcp("[2001:db8:9::7]:4000", "[2001:db8::5]:80").flags(2)))
                .contains("set-dst fd00:1::5")
                .endsWith("output a");
        assertThat(inside(
                        "a",
                        Frames.tcp("[fd00:1::5]:80", "[2001:db8:9::7]:4000").flags(18)))
                .contains("set-src 2001:db8::5")
                .endsWith("output up");
        net.change(t -> t.nat("r", "fa6", "static from fd00:2::9 out of up to 2001:db8::5"));
        assertThat(outside(Frames.echoRequest("2001:db8:9::7", "2001:db8::5", 7, 1)))
                .contains("set-dst fd00:2::9")
                .endsWith("output z");
    }
}
