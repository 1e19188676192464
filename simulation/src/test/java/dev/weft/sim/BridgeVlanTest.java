package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a bridge does with VLANs, as a specification. */
class BridgeVlanTest {
    private static final String SEED = "02:00:00:00:00:99";

    private final Topology net = Topology.build(t -> t.bridge("b")
            .router("r")
            .join("b", "r", port -> port.setVlan(10), "10.0.1.1/24", "fd00:1::1/64")
            .vm("ten", "b", "here", port -> port.setVlan(10))
            .vm("ten-too", "b", "here", port -> port.setVlan(10))
            .vm("twenty", "b", "here", port -> port.setVlan(20))
            .vm("trunk", "b", "here", port -> port.addTrunk("10").addTrunk("20-29"))
            .vm("native", "b", "here", port -> port.addTrunk("10-30").setNativeVlan(20))
            .vm("far-ten", "b", "there", port -> port.setVlan(10))
            .vm("far-trunk", "b", "yonder", port -> port.addTrunk("10-11")));

    private Frames udp(String from, String to) {
        return Frames.udp("10.0.1.5:1000", "10.0.1.9:53").from(net.mac(from)).to(net.mac(to));
    }

    /** Each output with the tag that the frame has there: {@code "ten"}, {@code "trunk 10"}. */
    private static List<String> outputs(Topology.Sent sent, int tagOnEntry) {
        List<String> outputs = new ArrayList<>();
        String tag = tagOnEntry == 0 ? "" : " " + tagOnEntry;
        for (String action : sent.outcome().split(", ")) {
            if (action.equals("pop-vlan")) {
                tag = "";
            } else if (action.startsWith("push-vlan")) {
                tag = action.substring("push-vlan".length());
            } else {
                outputs.add(action.replace("output ", "") + tag);
            }
        }
        return outputs;
    }

    @Test
    void floodsStayInTheirVlanAndLeaveEachPortInItsForm() {
        assertThat(outputs(net.inject("ten", udp("ten", "nobody")), 0))
                .containsExactlyInAnyOrder("ten-too", "flood b vlan 10", "trunk 10", "native 10", "flood b 10");
        assertThat(outputs(net.inject("twenty", udp("twenty", "nobody")), 0))
                .as("the native VLAN is untagged, and no other host carries VLAN 20")
                .containsExactlyInAnyOrder("native", "trunk 20");
    }

    @Test
    void aTaggedFrameLosesItsTagAtAccessPorts() {
        assertThat(outputs(net.inject("trunk", udp("trunk", "nobody").vlan(10)), 10))
                .containsExactlyInAnyOrder("native 10", "flood b 10", "ten", "ten-too", "flood b vlan 10");
    }

    @Test
    void aMacIsKnownInItsVlanOnly() {
        net.inject("ten-too", udp("ten-too", "ten"));
        assertThat(net.inject("ten", udp("ten", "ten-too")).outcome()).isEqualTo("output ten-too");
        assertThat(net.inject("trunk", udp("trunk", "ten-too").vlan(10)).outcome())
                .isEqualTo("pop-vlan, output ten-too");
        assertThat(net.inject("trunk", udp("trunk", "ten-too").vlan(20)).outcome())
                .contains("output twenty")
                .doesNotContain("ten-too");
    }

    @Test
    void aFrameToATrunkGetsTheTagOfItsVlan() {
        net.inject("trunk", udp("trunk", "ten").vlan(10));
        assertThat(net.inject("ten", udp("ten", "trunk")).outcome()).isEqualTo("push-vlan 10, output trunk");
        net.learnMac("b", 10, net.mac("far-trunk"), "far-trunk");
        assertThat(net.inject("ten", udp("ten", "far-trunk")).outcome())
                .as("to a port the frame goes as it leaves it")
                .isEqualTo("push-vlan 10, tunnel to far-trunk");
    }

    @Test
    void aTaggedFrameBetweenTrunksKeepsItsTag() {
        net.inject("native", udp("native", "trunk").vlan(10));
        assertThat(net.inject("trunk", udp("trunk", "native").vlan(5 << 13 | 10))
                        .outcome())
                .isEqualTo("output native");
    }

    @Test
    void untaggedFramesAtATrunkAreInItsNativeVlanOrRefused() {
        net.inject("twenty", udp("twenty", "native"));
        assertThat(net.inject("native", udp("native", "twenty")).outcome()).isEqualTo("output twenty");
        assertThat(net.inject("native", udp("native", "twenty").vlan(20)).outcome())
                .as("or tagged with it")
                .isEqualTo("pop-vlan, output twenty");
        assertThat(net.inject("trunk", udp("trunk", "twenty")).outcome()).isEqualTo("drop vlan-not-allowed");
    }

    @Test
    void aPortRefusesTheTagsOfOtherVlans() {
        assertThat(net.inject("ten", udp("ten", "ten-too").vlan(10)).outcome()).isEqualTo("drop vlan-not-allowed");
        assertThat(net.inject("trunk", udp("trunk", "ten").vlan(30)).outcome()).isEqualTo("drop vlan-not-allowed");
        assertThat(net.inject("trunk", udp("trunk", "ten").vlan(4095)).outcome())
                .isEqualTo("drop vlan-not-allowed");
    }

    @Test
    void aPriorityTagIsAsNoneAndItsPriorityOutlivesIt() {
        net.inject("ten-too", udp("ten-too", "ten"));
        assertThat(net.inject("ten", udp("ten", "ten-too").vlan(5 << 13)).outcome())
                .isEqualTo("pop-vlan, output ten-too");
        net.inject("trunk", udp("trunk", "ten").vlan(10));
        var sent = net.inject("ten", udp("ten", "trunk").vlan(5 << 13));
        assertThat(((Verdict.Forward) sent.verdict()).actions().toString())
                .startsWith("push-vlan 10 priority 5, output");
        assertThat(sent.mask().word(2) & 0xffff).as("the priority is proven").isEqualTo(0xffff);
    }

    @Test
    void aSecondTagIsRefusedWhereTheFirstMayComeOff() {
        var hop = Frames.ethernet(0x8100)
                .payload(new byte[] {0, 20, 8, 0})
                .from(net.mac("trunk"))
                .to(net.mac("ten"));
        assertThat(net.inject("trunk", hop.vlan(10)).outcome()).isEqualTo("drop double-tagged");
        var plain = Topology.build(t -> t.bridge("b").vm("a", "b").vm("z", "b"));
        assertThat(plain.inject("a", hop.vlan(10)).outcome())
                .as("nobody looks at it")
                .isEqualTo("output z");
    }

    @Test
    void theRouterOfAVlanIsThereForItsPortsOnly() {
        var asked = net.inject("ten", Frames.arpRequest("10.0.1.5", "10.0.1.1").from(net.mac("ten")));
        assertThat(asked.emitted())
                .singleElement()
                .asString()
                .startsWith("r-b arp reply")
                .endsWith("-> output ten");
        var tagged = net.inject(
                "trunk",
                Frames.arpRequest("10.0.1.6", "10.0.1.1").from(net.mac("trunk")).vlan(10));
        assertThat(tagged.emitted())
                .singleElement()
                .asString()
                .startsWith("r-b arp reply")
                .endsWith("-> push-vlan 10, output trunk");
        var elsewhere =
                net.inject("twenty", Frames.arpRequest("10.0.1.5", "10.0.1.1").from(net.mac("twenty")));
        assertThat(elsewhere.emitted()).isEmpty();
        assertThat(elsewhere.outcome()).doesNotContain("consumed");
    }

    @Test
    void routedPacketsEnterAndLeaveByTheVlanOfTheRoutersPort() {
        net.change(t -> t.router("r")
                .join("b", "r2", port -> port.setVlan(20), "10.0.2.1/24")
                .router("r2"));
        net.change(t -> t.joinRouters("r", "10.9.0.1/30", "r2", "10.9.0.2/30")
                .route("r", "10.0.2.0/24 port r-r2 via 10.9.0.2"));
        net.learnNeighbour("r2", "10.0.2.9", net.mac("trunk"));
        net.learnMac("b", 20, net.mac("trunk"), "trunk");
        var sent = net.inject(
                "trunk",
                Frames.udp("10.0.1.5:1", "10.0.2.9:2")
                        .from(net.mac("trunk"))
                        .to(net.mac("r-b"))
                        .vlan(3 << 13 | 10));
        assertThat(sent.outcome()).as("out where it came in, in another VLAN").isEqualTo("drop same-port");
        net.learnMac("b", 20, net.mac("trunk"), "native");
        sent = net.inject(
                "trunk",
                Frames.udp("10.0.1.5:1", "10.0.2.9:2")
                        .from(net.mac("trunk"))
                        .to(net.mac("r-b"))
                        .vlan(3 << 13 | 10));
        assertThat(sent.outcome())
                .startsWith("dec-ttl, dec-ttl")
                .contains("pop-vlan")
                .endsWith("output native");
    }

    @Test
    void seededNeighboursAnswerInTheirVlan() {
        var seeded = Topology.build(t ->
                t.bridge("b", "10.0.1.99=" + SEED + "@10").vm("trunk", "b", "here", port -> port.addTrunk("10-20")));
        var ask = Frames.arpRequest("10.0.1.5", "10.0.1.99").from(seeded.mac("trunk"));
        assertThat(seeded.inject("trunk", ask.vlan(10)).emitted())
                .singleElement()
                .asString()
                .contains("vlan 10")
                .contains(SEED)
                .endsWith("-> output trunk");
        assertThat(seeded.inject("trunk", ask.vlan(11)).emitted()).isEmpty();
    }

    @Test
    void aFloodFromAnotherHostIsInTheVlanOfItsKey() {
        assertThat(outputs(net.injectFlood("b", 10, udp("far-ten", "nobody")), 0))
                .containsExactlyInAnyOrder("ten", "ten-too", "trunk 10", "native 10");
        assertThat(net.injectFlood("b", 10, udp("far-ten", "nobody").vlan(20)).outcome())
                .isEqualTo("drop vlan-not-allowed");
    }

    @Test
    void aFloodFromAnotherHostByTheCommonKeyIsInTheVlanOfItsTag() {
        assertThat(outputs(net.injectFlood("b", udp("far-trunk", "nobody").vlan(20)), 20))
                .containsExactlyInAnyOrder("trunk 20", "twenty", "native");
        assertThat(net.injectFlood("b", udp("far-trunk", "nobody")).outcome())
                .as("untagged frames are in no port's VLAN")
                .isEqualTo("drop no-receiver");
    }

    @Test
    void anAccessPortBetweenBridgesMakesOneVlanTheOthersUntaggedFrames() {
        var gateway = Topology.build(t -> t.bridge("trunks")
                .bridge("tenant")
                .joinBridges("trunks", port -> port.setVlan(30), "tenant")
                .vm("uplink", "trunks", "here", port -> port.addTrunk("1-4094"))
                .vm("vm", "tenant"));
        var in = Frames.udp("10.0.1.1:1", "10.0.1.5:2")
                .from(gateway.mac("uplink"))
                .to(gateway.mac("vm"));
        assertThat(gateway.inject("uplink", in.vlan(30)).outcome()).isEqualTo("pop-vlan, output vm");
        assertThat(gateway.inject("uplink", in.vlan(31)).outcome()).isEqualTo("drop no-receiver");
        var out = Frames.udp("10.0.1.5:2", "10.0.1.1:1").from(gateway.mac("vm")).to(gateway.mac("uplink"));
        assertThat(gateway.inject("vm", out).outcome()).isEqualTo("push-vlan 30, output uplink");
    }

    @Test
    void aPortThatChangesItsVlanTakesItsFlowsAlong() {
        net.inject("ten-too", udp("ten-too", "ten"));
        net.inject("ten", udp("ten", "ten-too"));
        net.inject("twenty", udp("twenty", "nobody"));
        assertThat(net.flows()).isNotEmpty();
        net.change(t -> t.vm("ten-too", "b", "here", port -> port.setVlan(20)));
        assertThat(net.flows()).as("the one ended there, the others flooded").isEmpty();
        assertThat(net.inject("ten", udp("ten", "ten-too")).outcome()).doesNotContain("output ten-too");
        assertThat(net.inject("twenty", udp("twenty", "nobody")).outcome()).contains("output ten-too");
    }
}
