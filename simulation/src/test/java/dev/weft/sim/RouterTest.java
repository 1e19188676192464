package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a router does, as a specification. */
class RouterTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("a", "b1")
            .vm("z", "b2")
            .vm("far", "b2", "there"));

    private Frames toRouter(Frames frame) {
        return frame.from(net.mac("a")).to(net.mac("r-b1"));
    }

    private Topology.Sent udp(String destination) {
        return net.inject("a", toRouter(Frames.udp("10.0.1.5:1000", destination + ":53")));
    }

    private String routed(String last) {
        return "dec-ttl, src " + net.mac("r-b2") + ", dst " + net.mac(last) + ", output " + last;
    }

    @Test
    void forwardsBetweenItsSubnets() {
        net.settle("z", "10.0.2.9");
        assertThat(udp("10.0.2.9").outcome()).isEqualTo(routed("z"));
    }

    @Test
    void forwardsIpv6() {
        net.settle("z", "fd00:2::9");
        var frame = toRouter(Frames.udp("[fd00:1::5]:1000", "[fd00:2::9]:53"));
        assertThat(net.inject("a", frame).outcome()).isEqualTo(routed("z"));
    }

    @Test
    void forwardsToAnotherHost() {
        net.settle("far", "10.0.2.7");
        assertThat(udp("10.0.2.7").outcome())
                .isEqualTo("dec-ttl, src " + net.mac("r-b2") + ", dst " + net.mac("far") + ", tunnel to far");
    }

    @Test
    void sharesOneFlowAmongAllConnectionsOfTwoMachines() {
        net.settle("z", "10.0.2.9");
        var sent = udp("10.0.2.9");
        var other = toRouter(Frames.tcp("10.0.1.5:4242", "10.0.2.9:80")).packet();
        other.key.setIngress(net.portIndex("a") + 1, 0);
        assertThat(net.flows()).hasSize(1);
        assertThat(net.flows().getFirst().key().matches(other.key, sent.mask())).isTrue();
    }

    @Test
    void parksAndAsksForANeighbourThenForwards() {
        var parked = udp("10.0.2.9");
        assertThat(parked.outcome()).isEqualTo("park 10.0.2.9");
        assertThat(parked.cacheable()).isFalse();
        assertThat(net.ask((Verdict.Park) parked.verdict()))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r-b2 arp request 10.0.2.1 > 10.0.2.9")
                .endsWith("-> output z, flood b2");
        var reply = Frames.arpReply("10.0.2.9", "10.0.2.1").from(net.mac("z")).to(net.mac("r-b2"));
        assertThat(net.inject("z", reply).outcome()).isEqualTo("consumed");
        assertThat(udp("10.0.2.9").outcome()).isEqualTo(routed("z"));
    }

    @Test
    void solicitsIpv6Neighbours() {
        var parked = net.inject("a", toRouter(Frames.udp("[fd00:1::5]:1", "[fd00:2::9]:2")));
        assertThat(parked.outcome()).isEqualTo("park fd00:2::9");
        assertThat(net.ask((Verdict.Park) parked.verdict()))
                .hasSize(1)
                .first()
                .asString()
                .contains("fd00:2::1")
                .endsWith("-> output z, flood b2");
        var reply = Frames.neighbourAdvertisement("fd00:2::9", "fd00:2::1")
                .from(net.mac("z"))
                .to(net.mac("r-b2"));
        assertThat(net.inject("z", reply).outcome()).isEqualTo("consumed");
        assertThat(net.inject("a", toRouter(Frames.udp("[fd00:1::5]:1", "[fd00:2::9]:2")))
                        .outcome())
                .isEqualTo(routed("z"));
    }

    @Test
    void saysUnreachableWhenTheNeighbourIsSilent() {
        net.settle("a", "10.0.1.5");
        net.failNeighbour("r", "10.0.2.9");
        var sent = udp("10.0.2.9");
        assertThat(sent.outcome()).isEqualTo("drop host-unreachable");
        assertThat(sent.cacheable()).isFalse();
        assertThat(sent.emitted())
                .hasSize(1)
                .first()
                .asString()
                .contains("icmp")
                .endsWith("-> output a");
    }

    @Test
    void needsNoArpForSeededNeighbours() {
        net.change(t -> t.bridge("b2", "10.0.2.50=02:00:00:00:00:50"));
        assertThat(udp("10.0.2.50").outcome())
                .startsWith("dec-ttl, src " + net.mac("r-b2") + ", dst 02:00:00:00:00:50, output z");
    }

    @Test
    void answersPingOfAnyOfItsAddresses() {
        net.settle("a", "10.0.1.5");
        for (String own : new String[] {"10.0.1.1", "10.0.2.1"}) {
            var sent = net.inject("a", toRouter(Frames.echoRequest("10.0.1.5", own, 7, 1)));
            assertThat(sent.outcome()).isEqualTo("consumed");
            assertThat(sent.emitted())
                    .hasSize(1)
                    .first()
                    .asString()
                    .contains(own + " > 10.0.1.5")
                    .endsWith("-> output a");
        }
        var v6 = net.inject("a", toRouter(Frames.echoRequest("fd00:1::5", "fd00:1::1", 7, 1)));
        assertThat(v6.emitted()).hasSize(1).first().asString().endsWith("-> output a");
    }

    @Test
    void saysTimeExceededAndNeverCachesIt() {
        net.settle("a", "10.0.1.5");
        net.settle("z", "10.0.2.9");
        var sent =
                net.inject("a", toRouter(Frames.udp("10.0.1.5:1", "10.0.2.9:2").ttl(1)));
        assertThat(sent.outcome()).isEqualTo("drop ttl-expired");
        assertThat(sent.cacheable()).isFalse();
        assertThat(sent.emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r-b1")
                .contains("10.0.1.1 > 10.0.1.5");
        assertThat(net.inject(
                                "a",
                                toRouter(Frames.udp("10.0.1.5:1", "10.0.2.9:2").ttl(2)))
                        .outcome())
                .isEqualTo(routed("z"));
    }

    @Test
    void neverAnswersAnIcmpErrorWithAnother() {
        var error = toRouter(Frames.icmp("10.0.1.5", "10.9.9.9", 3, 1, 0));
        var sent = net.inject("a", error);
        assertThat(sent.outcome()).isEqualTo("drop no-route");
        assertThat(sent.emitted()).isEmpty();
    }

    @Test
    void saysNetUnreachableWithoutARoute() {
        var sent = udp("10.9.9.9");
        assertThat(sent.outcome()).isEqualTo("drop no-route");
        assertThat(sent.emitted()).hasSize(1);
    }

    @Test
    void keepsSilentInABlackHoleAndSpeaksOnReject() {
        net.change(t -> t.route("r", "10.3.0.0/16 blackhole").route("r", "10.4.0.0/16 reject"));
        assertThat(udp("10.3.1.1").outcome()).isEqualTo("drop blackhole");
        assertThat(udp("10.3.1.1").emitted()).isEmpty();
        assertThat(udp("10.4.1.1").outcome()).isEqualTo("drop rejected");
        assertThat(udp("10.4.1.1").emitted()).hasSize(1);
    }

    @Test
    void takesTheLongestPrefix() {
        net.change(t -> t.route("r", "10.0.0.0/8 blackhole")
                .route("r", "10.5.0.0/16 port r-b2 via 10.0.2.9")
                .route("r", "10.5.5.0/24 reject"));
        net.settle("z", "10.0.2.9");
        assertThat(udp("10.5.4.1").outcome()).isEqualTo(routed("z"));
        assertThat(udp("10.5.5.1").outcome()).isEqualTo("drop rejected");
        assertThat(udp("10.6.0.1").outcome()).isEqualTo("drop blackhole");
    }

    @Test
    void fallsBackToAShorterPrefixWhenNoSourceFits() {
        net.change(t ->
                t.route("r", "10.0.0.0/8 blackhole").route("r", "10.5.0.0/16 port r-b2 via 10.0.2.9 from 10.0.1.0/30"));
        net.settle("z", "10.0.2.9");
        assertThat(udp("10.5.0.1").outcome())
                .as("10.0.1.5 is not in 10.0.1.0/30")
                .isEqualTo("drop blackhole");
        var fitting = net.inject("a", toRouter(Frames.udp("10.0.1.2:1", "10.5.0.1:2")));
        assertThat(fitting.outcome()).isEqualTo(routed("z"));
    }

    @Test
    void spreadsEqualRoutesByTheirWeights() {
        net.change(t -> t.route("r", "10.5.0.0/16 port r-b2 via 10.0.2.9 weight 3")
                .route("r", "10.5.0.0/16 port r-b2 via 10.0.2.8 weight 1"));
        net.settle("z", "10.0.2.9");
        net.learnNeighbour("r", "10.0.2.8", net.mac("far"));
        net.learnMac("b2", net.mac("far"), "far");
        Map<String, Integer> counts = new HashMap<>();
        for (int i = 0; i < 4000; i++) {
            var frame = toRouter(Frames.udp("10.0.1.5:1", "10.5." + i / 250 + "." + (i % 250 + 1) + ":2"));
            counts.merge(net.look("a", frame.packet()).outcome(), 1, Integer::sum);
        }
        assertThat(counts).hasSize(2);
        assertThat(counts.get(routed("z"))).isBetween(2800, 3200);
    }

    @Test
    void takesOneWayForAllConnectionsOfAPair() {
        net.change(t ->
                t.route("r", "10.5.0.0/16 port r-b2 via 10.0.2.9").route("r", "10.5.0.0/16 port r-b2 via 10.0.2.8"));
        net.settle("z", "10.0.2.9");
        net.learnNeighbour("r", "10.0.2.8", net.mac("far"));
        net.learnMac("b2", net.mac("far"), "far");
        var first = udp("10.5.0.1");
        for (int port = 1; port < 200; port++) {
            var frame = toRouter(Frames.udp("10.0.1.5:" + port, "10.5.0.1:" + 2 * port));
            assertThat(net.look("a", frame.packet()).outcome()).isEqualTo(first.outcome());
        }
    }

    @Test
    void dropsWhatItMustNotForward() {
        assertThat(udp("10.0.2.255").outcome()).isEqualTo("drop directed-broadcast");
        assertThat(udp("224.0.0.5").outcome()).isEqualTo("drop group-at-router");
        assertThat(udp("127.0.0.1").outcome()).isEqualTo("drop bad-destination");
        assertThat(udp("169.254.1.1").outcome()).isEqualTo("drop link-local");
        assertThat(source("127.0.0.1")).isEqualTo("drop bad-source");
        assertThat(source("224.0.0.1")).isEqualTo("drop bad-source");
        assertThat(source("10.0.2.1")).as("the router's own").isEqualTo("drop own-source");
        var linkLocal = toRouter(Frames.udp("[fe80::5]:1", "[fd00:2::9]:2"));
        assertThat(net.inject("a", linkLocal).outcome()).isEqualTo("drop link-local");
        var tagged = toRouter(Frames.udp("10.0.1.5:1", "10.0.2.9:2")).vlan(5);
        assertThat(net.explain("a", tagged)).doesNotContain("route 10.0.2.0/24");
    }

    private String source(String address) {
        return net.inject("a", toRouter(Frames.udp(address + ":1", "10.0.2.9:2")))
                .outcome();
    }

    @Test
    void refusesServicesItDoesNotHave() {
        net.settle("a", "10.0.1.5");
        var sent = udp("10.0.1.1");
        assertThat(sent.outcome()).isEqualTo("drop for-router");
        assertThat(sent.emitted()).hasSize(1).first().asString().endsWith("-> output a");
    }

    @Test
    void learnsNeighboursInItsOwnSubnetsOnly() {
        net.inject("a", Frames.arpRequest("10.7.7.7", "10.0.1.1").from(net.mac("a")));
        assertThat(net.tables().neighbourCount()).isZero();
        net.inject("a", Frames.arpRequest("10.0.1.5", "10.0.1.1").from(net.mac("a")));
        assertThat(net.tables().neighbourCount()).isOne();
    }

    @Test
    void crossesRoutersJoinedToEachOther() {
        var chain = Topology.build(t -> t.router("r1")
                .router("r2")
                .uplink("in", "r1", "here", "10.0.1.1/24")
                .joinRouters("r1", "10.255.0.1/30", "r2", "10.255.0.2/30")
                .uplink("out", "r2", "here", "10.0.2.1/24")
                .route("r1", "10.0.2.0/24 port r1-r2 via 10.255.0.2")
                .route("r2", "10.0.1.0/24 port r2-r1 via 10.255.0.1"));
        chain.learnNeighbour("r2", "10.0.2.9", "02:00:00:00:00:09");
        chain.learnNeighbour("r1", "10.0.1.5", "02:00:00:00:00:05");
        var frame =
                Frames.udp("10.0.1.5:1", "10.0.2.9:2").from("02:00:00:00:00:05").to(chain.mac("in"));
        assertThat(chain.inject("in", frame).outcome())
                .isEqualTo("dec-ttl, dec-ttl, src " + chain.mac("out") + ", dst 02:00:00:00:00:09, output out");
        var dying = chain.inject("in", frame.ttl(2));
        assertThat(dying.outcome()).isEqualTo("drop ttl-expired");
        assertThat(dying.emitted())
                .as("the second router says so, the first forwards it")
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r2-r1")
                .contains("10.255.0.2 > 10.0.1.5")
                .endsWith("dst 02:00:00:00:00:05, output in");
    }

    @Test
    void endsALoopOfRoutes() {
        var ring = Topology.build(t -> t.router("r1")
                .router("r2")
                .uplink("in", "r1", "here", "10.0.1.1/24")
                .joinRouters("r1", "10.255.0.1/30", "r2", "10.255.0.2/30")
                .route("r1", "10.9.0.0/16 port r1-r2 via 10.255.0.2")
                .route("r2", "10.9.0.0/16 port r2-r1 via 10.255.0.1"));
        var frame = Frames.udp("10.0.1.5:1", "10.9.2.9:2").to(ring.mac("in"));
        assertThat(ring.inject("in", frame.ttl(255)).outcome()).isEqualTo("drop loop");
        assertThat(ring.inject("in", frame.ttl(5)).outcome()).isEqualTo("drop ttl-expired");
    }

    @Test
    void writesTheMacsEvenWhereAPacketHasThemAlready() {
        var chain = Topology.build(
                t -> t.router("r").uplink("in", "r", "here", "10.0.1.1/24").uplink("out", "r", "here", "10.0.2.1/24"));
        chain.learnNeighbour("r", "10.0.2.9", "02:00:00:00:00:09");
        var frame =
                Frames.udp("10.0.1.5:1", "10.0.2.9:2").from(chain.mac("out")).to(chain.mac("in"));
        assertThat(chain.inject("in", frame).outcome())
                .as("the mask leaves the source MAC out")
                .isEqualTo("dec-ttl, src " + chain.mac("out") + ", dst 02:00:00:00:00:09, output out");
    }

    @Test
    void takesOnlyWhatIsForItsMac() {
        var chain = Topology.build(t -> t.router("r").uplink("in", "r", "here", "10.0.1.1/24"));
        assertThat(chain.inject("in", Frames.udp("10.0.1.5:1", "10.0.1.1:2").to("02:00:00:00:00:77"))
                        .outcome())
                .isEqualTo("drop other-mac");
    }

    @Test
    void explainsItself() {
        net.settle("z", "10.0.2.9");
        assertThat(net.explain("a", toRouter(Frames.udp("10.0.1.5:1", "10.0.2.9:2"))))
                .contains(
                        "bridge b1", "is on port b1-r", "router r", "route 10.0.2.0/24", "bridge b2", "port z", "out");
    }

    @Test
    void saysPacketTooBigForTheTunnel() {
        net.settle("far", "10.0.2.7");
        net.settle("a", "10.0.1.5");
        var packet = toRouter(
                        Frames.udp("10.0.1.5:1", "10.0.2.7:2").payload(1480).dontFragment())
                .packet();
        packet.key.setIngress(net.portIndex("a") + 1, 0);
        var out = new Outcome();
        net.simulator().simulateTooLong(packet, net.portIndex("a"), net.now, out);
        assertThat(net.describe(out)).isEqualTo("drop too-long");
        assertThat(out.emitCount()).isOne();
    }
}
