package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** Routers joined to each other, over a link of their own or a bridge, with firewall, groups and balancer between them. */
class PeeringScenariosTest {
    private final Topology net = Topology.build(t -> t.bridge("east")
            .bridge("west")
            .router("re")
            .router("rw")
            .join("east", "re", "10.0.1.1/24", "fd00:1::1/64")
            .join("west", "rw", "10.0.2.1/24", "fd00:2::1/64")
            .joinRouters("re", "192.168.0.1/30", "rw", "192.168.0.2/30")
            .route("re", "10.0.2.0/24 port re-rw via 192.168.0.2")
            .route("rw", "10.0.1.0/24 port rw-re via 192.168.0.1")
            .vm("e", "east")
            .vm("w", "west"));

    PeeringScenariosTest() {
        net.settle("e", "10.0.1.5");
        net.settle("w", "10.0.2.9");
    }

    private Topology.Sent eastToWest(Frames frame) {
        return net.inject("e", frame.from(net.mac("e")).to(net.mac("re-east")));
    }

    private Topology.Sent westToEast(Frames frame) {
        return net.inject("w", frame.from(net.mac("w")).to(net.mac("rw-west")));
    }

    private static Frames question() {
        return Frames.tcp("10.0.1.5:4000", "10.0.2.9:80").flags(2);
    }

    private static Frames answer() {
        return Frames.tcp("10.0.2.9:80", "10.0.1.5:4000").flags(18);
    }

    @Test
    void peersReachEachOtherAndTheHopsAreCounted() {
        assertThat(eastToWest(question()).outcome())
                .startsWith("dec-ttl, dec-ttl")
                .endsWith("output w");
        assertThat(westToEast(answer()).outcome())
                .startsWith("dec-ttl, dec-ttl")
                .endsWith("output e");
        var expired = eastToWest(question().ttl(2));
        assertThat(expired.outcome()).isEqualTo("drop ttl-expired");
        assertThat(expired.emitted()).singleElement().asString().contains("time-exceeded 192.168.0.2 > 10.0.1.5");
    }

    @Test
    void peersOverABridgeReachEachOtherToo() {
        net.change(t -> t.bridge("peers")
                .join("peers", "re", "192.168.1.1/24")
                .join("peers", "rw", "192.168.1.2/24")
                .route("re", "10.0.2.9/32 port re-peers via 192.168.1.2"));
        assertThat(eastToWest(question()).outcome()).endsWith("output w");
        assertThat(net.explain("e", question().from(net.mac("e")).to(net.mac("re-east"))))
                .contains("bridge peers");
    }

    @Test
    void aFirewallOfOnePeerLetsAnswersThroughOnly() {
        net.change(t -> t.chain(
                        "fw", "connection answer,related accept", "connection new,forward in rw-west accept", "drop")
                .hook("router", "rw", "inbound", "fw"));
        assertThat(eastToWest(question()).outcome()).isEqualTo("drop rule");
        assertThat(westToEast(Frames.tcp("10.0.2.9:4000", "10.0.1.5:80").flags(2))
                        .outcome())
                .endsWith("output e");
        assertThat(eastToWest(Frames.tcp("10.0.1.5:80", "10.0.2.9:4000").flags(18))
                        .outcome())
                .endsWith("output w");
    }

    @Test
    void aSecurityGroupSeesTheClientBehindThePeer() {
        net.change(t -> t.vm(
                        "w",
                        "west",
                        "here",
                        port -> port.setMac(Topology.vmMac("w")).addAddresses("10.0.2.9/24"))
                .vm(
                        "e",
                        "east",
                        "here",
                        port -> port.setMac(Topology.vmMac("e")).addAddresses("10.0.1.5/24"))
                .securityGroup("clients")
                .securityGroup("web", "in tcp 80 from group clients")
                .guard("w", "web"));
        assertThat(eastToWest(question()).outcome()).isEqualTo("drop security-group");
        net.change(t -> t.guard("e", "clients"));
        assertThat(eastToWest(question()).outcome()).endsWith("output w");
        assertThat(westToEast(answer()).outcome()).endsWith("output e");
    }

    @Test
    void aBalancerOfOnePeerServesClientsOfTheOther() {
        net.change(t -> t.pool("web", "10.0.2.9:8080")
                .balancer("rw", "front", "192.168.9.9 tcp 80", "web")
                .route("re", "192.168.9.9/32 port re-rw via 192.168.0.2"));
        assertThat(eastToWest(Frames.tcp("10.0.1.5:4000", "192.168.9.9:80").flags(2))
                        .outcome())
                .contains("set-dst 10.0.2.9", "set-l4-dst 8080")
                .endsWith("output w");
        assertThat(westToEast(Frames.tcp("10.0.2.9:8080", "10.0.1.5:4000").flags(18))
                        .outcome())
                .contains("set-src 192.168.9.9", "set-l4-src 80")
                .endsWith("output e");
    }

    @Test
    void aPeerThatIsDisabledOrLetGoIsNoLongerThere() {
        assertThat(eastToWest(question()).outcome()).endsWith("output w");
        net.change(t -> t.disable("router", "rw", true));
        assertThat(eastToWest(question()).emitted()).singleElement().asString().contains("192.168.0.2 > 10.0.1.5");
        net.change(t -> t.disable("router", "rw", false).removeRoute("re", "10.0.2.0/24 port re-rw via 192.168.0.2"));
        assertThat(eastToWest(question()).outcome()).isEqualTo("drop no-route");
    }

    @Test
    void largePacketsHearOfTheNarrowestLinkBetweenPeers() {
        net.change(t -> t.bridge("peers")
                .join("peers", "re", 1300, "192.168.1.1/24")
                .join("peers", "rw", 1300, "192.168.1.2/24")
                .route("re", "10.0.2.9/32 port re-peers via 192.168.1.2"));
        var large = Frames.udp("10.0.1.5:1", "10.0.2.9:2")
                .payload(1372)
                .dontFragment()
                .from(net.mac("e"))
                .to(net.mac("re-east"));
        var sent = net.injectTooLong("e", large);
        assertThat(sent.outcome()).isEqualTo("drop too-long");
        assertThat(sent.emitted())
                .singleElement()
                .asString()
                .contains("icmp unreachable 10.0.1.1 > 10.0.1.5", "mtu 1300");
    }
}
