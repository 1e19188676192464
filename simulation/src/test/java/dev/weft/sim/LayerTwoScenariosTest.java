package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** Things that happen on links: announcements, moves, gateways between VLANs and tenants. */
class LayerTwoScenariosTest {
    private static final String VIRTUAL_MAC = "00:00:5e:00:01:0a";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24")
            .join("b2", "r", "10.0.2.1/24")
            .vm("a", "b1")
            .vm("first", "b2")
            .vm("second", "b2"));

    private static Frames announce(String address, String mac) {
        return Frames.arpRequest(address, address).from(mac);
    }

    private Frames routed(String to) {
        return Frames.udp("10.0.1.5:1", to + ":2").from(net.mac("a")).to(net.mac("r-b1"));
    }

    @Test
    void anAnnouncementOverABridgeReachesAllAndMovesTheMac() {
        net.inject("first", announce("10.0.2.9", VIRTUAL_MAC));
        var frame =
                Frames.udp("10.0.2.7:1", "10.0.2.9:2").from(net.mac("second")).to(VIRTUAL_MAC);
        assertThat(net.inject("second", frame).outcome()).isEqualTo("output first");

        net.change(t -> t.vm("third", "b2"));
        var moved = net.inject("third", announce("10.0.2.9", VIRTUAL_MAC));
        assertThat(moved.outcome()).contains("output first", "output second");
        assertThat(moved.cacheable()).as("it tells, each time").isFalse();
        assertThat(net.inject("second", frame).outcome()).isEqualTo("output third");
    }

    @Test
    void anAnnouncementOverARouterTellsItTheNewMac() {
        net.settle("first", "10.0.2.9");
        assertThat(net.inject("a", routed("10.0.2.9")).outcome()).endsWith("output first");

        net.inject("second", announce("10.0.2.9", net.mac("second")));
        assertThat(net.flows())
                .as("the old way")
                .noneMatch(flow -> flow.outcome().endsWith("output first"));
        assertThat(net.inject("a", routed("10.0.2.9")).outcome())
                .contains("dst " + net.mac("second"))
                .endsWith("output second");
    }

    @Test
    void anAnnouncedVirtualMacMovesBehindARouterToo() {
        net.inject("first", announce("10.0.2.100", VIRTUAL_MAC));
        assertThat(net.inject("a", routed("10.0.2.100")).outcome())
                .contains("dst " + VIRTUAL_MAC)
                .endsWith("output first");
        net.inject("second", announce("10.0.2.100", VIRTUAL_MAC));
        assertThat(net.inject("a", routed("10.0.2.100")).outcome())
                .contains("dst " + VIRTUAL_MAC)
                .endsWith("output second");
    }

    @Test
    void anAnswerThatNobodyAskedForDoesNotMoveANeighbourOfAnotherSubnet() {
        net.settle("first", "10.0.2.9");
        var lie = Frames.arpReply("10.0.2.9", "10.0.1.1").from(net.mac("a")).to(net.mac("r-b1"));
        net.inject("a", lie);
        assertThat(net.inject("a", routed("10.0.2.9")).outcome()).endsWith("output first");
    }

    @Test
    void twoBridgesShareNothing() {
        net.inject(
                "first",
                Frames.udp("10.0.1.5:1", "10.0.1.9:2").from(net.mac("a")).to(VIRTUAL_MAC));
        var sent = net.inject(
                "a", Frames.udp("10.0.1.5:1", "10.0.1.9:2").from(net.mac("a")).to("02:00:00:00:00:77"));
        assertThat(sent.outcome()).as("to the router alone, which drops it").isEqualTo("drop other-mac");
    }

    @Test
    void aGatewayOfTwoTrunksFollowsWhereverTheOutsideAnswersFrom() {
        var gateway = Topology.build(t -> t.bridge("trunks")
                .bridge("tenant")
                .joinBridges("trunks", port -> port.setVlan(30), "tenant")
                .vm("left", "trunks", "here", port -> port.addTrunk("1-4094"))
                .vm("right", "trunks", "here", port -> port.addTrunk("1-4094"))
                .vm("vm", "tenant"));
        var outside = Frames.udp("10.0.1.1:1", "10.0.1.5:2").from(VIRTUAL_MAC).to(gateway.mac("vm"));
        var answer =
                Frames.udp("10.0.1.5:2", "10.0.1.1:1").from(gateway.mac("vm")).to(VIRTUAL_MAC);
        gateway.inject("vm", answer);
        assertThat(gateway.inject("left", outside.vlan(30)).outcome()).isEqualTo("pop-vlan, output vm");
        assertThat(gateway.inject("vm", answer).outcome()).isEqualTo("push-vlan 30, output left");
        assertThat(gateway.inject("right", outside.vlan(30)).outcome()).isEqualTo("pop-vlan, output vm");
        assertThat(gateway.inject("vm", answer).outcome()).as("failed over").isEqualTo("push-vlan 30, output right");
        assertThat(gateway.inject("left", outside.vlan(31)).outcome())
                .as("another tenant's VLAN")
                .isEqualTo("output right");
    }
}
