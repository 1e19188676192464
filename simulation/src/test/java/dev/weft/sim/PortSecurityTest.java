package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.PacketParser;
import dev.weft.topology.schema.AllowedPair;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a port with security lets in, as a specification. */
class PortSecurityTest {
    private static final String MAC = "02:00:00:00:00:05";
    private static final String PEER = "02:00:00:00:00:09";
    private static final String SHARED = "00:00:5e:00:01:01";
    private static final String LINK_LOCAL = "fe80::ff:fe00:5";

    private final Topology net = Topology.build(t -> t.bridge("b")
            .router("r")
            .join("b", "r", "10.0.1.1/24", "fd00:1::1/64")
            .vm(
                    "a",
                    "b",
                    "here",
                    port -> port.setMac(MAC)
                            .addAddresses("10.0.1.5/24")
                            .addAddresses("fd00:1::5/64")
                            .setSecurity(true)
                            .addAllowedPairs(pair("", "10.0.9.0/24"))
                            .addAllowedPairs(pair(SHARED, "10.0.1.100")))
            .vm("z", "b", "here", port -> port.setMac(PEER).addAddresses("10.0.1.9/24"))
            .vm("free", "b"));

    private static AllowedPair pair(String mac, String address) {
        return AllowedPair.newBuilder().setMac(mac).setAddress(address).build();
    }

    private static Frames from(String mac, Frames frame) {
        return frame.from(mac).to(PEER);
    }

    private static Frames udp(String src) {
        return src.contains(":")
                ? Frames.udp("[" + src + "]:40000", "[fd00:1::9]:53")
                : Frames.udp(src + ":40000", "10.0.1.9:53");
    }

    private String outcome(Frames frame) {
        return net.inject("a", frame).outcome();
    }

    @Test
    void itsOwnAddressesComeInWithItsOwnMac() {
        net.learnMac("b", PEER, "z");
        for (String src : List.of("10.0.1.5", "10.0.9.77", "fd00:1::5", LINK_LOCAL)) {
            assertThat(outcome(from(MAC, udp(src)))).as(src).isEqualTo("output z");
        }
        assertThat(outcome(from(SHARED, udp("10.0.1.100"))))
                .as("an allowed pair")
                .isEqualTo("output z");
    }

    @Test
    void anotherMacIsRefused() {
        assertThat(outcome(from("02:00:00:00:00:66", udp("10.0.1.5")))).isEqualTo("drop spoofed-mac");
        assertThat(net.tables().macCount()).as("nor learned").isZero();
    }

    @Test
    void anotherAddressIsRefusedWithWhateverMac() {
        for (String src : List.of("10.0.1.6", "10.0.10.1", "10.0.1.100", "0.0.0.0", "fd00:1::6", "fe80::1")) {
            assertThat(outcome(from(MAC, udp(src)))).as(src).isEqualTo("drop spoofed-address");
        }
        assertThat(outcome(from(SHARED, udp("10.0.1.5")))).isEqualTo("drop spoofed-address");
        assertThat(outcome(from(MAC, Frames.echoRequest("fd00:1::6", "fd00:1::9", 1, 1))))
                .isEqualTo("drop spoofed-address");
    }

    @Test
    void arpTellsTheTruthOrIsRefused() {
        assertThat(outcome(Frames.arpRequest("10.0.1.5", "10.0.1.7").from(MAC))).doesNotStartWith("drop");
        assertThat(outcome(Frames.arpRequest("0.0.0.0", "10.0.1.5").from(MAC)))
                .as("a probe")
                .doesNotStartWith("drop");
        assertThat(outcome(Frames.arpRequest("10.0.1.6", "10.0.1.7").from(MAC))).isEqualTo("drop spoofed-neighbour");
        var lie = Frames.arpReply("10.0.1.1", "10.0.1.9").from(MAC).to(PEER);
        assertThat(outcome(lie)).as("the router is another").isEqualTo("drop spoofed-neighbour");
        byte[] octets = Frames.arpRequest("10.0.1.5", "10.0.1.7").from(MAC).bytes();
        octets[14 + 8 + 5] = 0x66;
        var packet = Frames.wrapped(octets);
        assertThat(PacketParser.parse(packet)).isZero();
        assertThat(net.inject("a", packet).outcome()).as("a MAC inside").isEqualTo("drop spoofed-neighbour");
        assertThat(net.flows()).as("no flow judges what no key holds").isEmpty();
    }

    @Test
    void neighbourDiscoveryTellsTheTruthOrIsRefused() {
        assertThat(outcome(
                        Frames.neighbourSolicitation("fd00:1::5", "fd00:1::7").from(MAC)))
                .doesNotStartWith("drop");
        assertThat(outcome(
                        Frames.neighbourSolicitation("fd00:1::6", "fd00:1::7").from(MAC)))
                .isEqualTo("drop spoofed-address");
        assertThat(outcome(Frames.neighbourAdvertisement("fd00:1::5", "fd00:1::9")
                        .from(MAC)
                        .to(PEER)))
                .doesNotStartWith("drop");
        var lie = Frames.icmp("fd00:1::5", "fd00:1::9", 136, 0, 0x6000_0000)
                .payload(IpAddress.parse("fd00:1::1").octets())
                .ttl(255);
        assertThat(outcome(from(MAC, lie))).as("the router is another").isEqualTo("drop spoofed-neighbour");
    }

    @Test
    void aVmIsNoRouterToItsNeighbours() {
        assertThat(outcome(
                        from(MAC, Frames.icmp(LINK_LOCAL, "ff02::1", 134, 0, 0).payload(8))))
                .isEqualTo("drop rogue-router");
        assertThat(outcome(from(
                        MAC, Frames.icmp(LINK_LOCAL, "fd00:1::9", 137, 0, 0).payload(32))))
                .isEqualTo("drop rogue-router");
        assertThat(outcome(from(MAC, Frames.icmp("::", "ff02::2", 133, 0, 0))))
                .as("it may ask")
                .startsWith("output");
    }

    @Test
    void aVmAsksForAnAddressButServesNone() {
        var ask = Frames.udp("0.0.0.0:68", "255.255.255.255:67").from(MAC).to("ff:ff:ff:ff:ff:ff");
        assertThat(outcome(ask)).doesNotStartWith("drop");
        assertThat(outcome(from(MAC, Frames.udp("10.0.1.5:67", "10.0.1.9:68")))).isEqualTo("drop rogue-dhcp");
        assertThat(outcome(from(MAC, Frames.udp("[fd00:1::5]:547", "[fd00:1::9]:546"))))
                .isEqualTo("drop rogue-dhcp");
    }

    @Test
    void whatCannotBeLookedIntoIsRefused() {
        assertThat(outcome(from(MAC, Frames.ethernet(0x8100).payload(30).vlan(7))))
                .isEqualTo("drop double-tagged");
        assertThat(outcome(from(MAC, Frames.ethernet(0x88a8).payload(30)))).isEqualTo("drop double-tagged");
        assertThat(outcome(from(MAC, Frames.ethernet(0x88cc).payload(30))))
                .as("LLDP")
                .isEqualTo("output z, output free");
    }

    @Test
    void theMaskHoldsNoMoreOfThePortsThanProvesThemNoServers() {
        net.learnMac("b", PEER, "z");
        var sent = net.inject("a", from(MAC, udp("10.0.9.7")));
        assertThat(sent.mask().word(7) & 0xffff_0000L)
                .as("40000 is above 32767")
                .isEqualTo(0x8000_0000L);
        assertThat(sent.mask().word(4)).as("the pair's /24").isEqualTo(~0xffL);
    }

    @Test
    void aPortWithoutSecurityMaySayAnything() {
        net.learnMac("b", PEER, "z");
        assertThat(net.inject("free", from("02:00:00:00:00:66", udp("10.0.1.6")))
                        .outcome())
                .isEqualTo("output z");
    }

    @Test
    void nobodyTakesTheMacOfAPortWithSecurity() {
        net.inject("free", from(MAC, udp("10.0.1.6")));
        var toIt = udp("10.0.1.9").from(PEER).to(MAC);
        assertThat(net.inject("z", toIt).outcome()).isEqualTo("output a");
    }

    @Test
    void aMacThatSeveralMayHaveIsWhereItSpokeLast() {
        net.change(t -> t.vm(
                "second",
                "b",
                "here",
                port -> port.setMac("02:00:00:00:00:06")
                        .addAddresses("10.0.1.6/24")
                        .setSecurity(true)
                        .addAllowedPairs(pair(SHARED, "10.0.1.100"))));
        var announce = Frames.arpRequest("10.0.1.100", "10.0.1.100").from(SHARED);
        net.inject("a", announce);
        assertThat(net.inject("z", udp("10.0.1.9").from(PEER).to(SHARED)).outcome())
                .isEqualTo("output a");
        net.inject("second", announce);
        assertThat(net.inject("z", udp("10.0.1.9").from(PEER).to(SHARED)).outcome())
                .isEqualTo("output second");
    }

    @Test
    void changedSecurityJudgesAnew() {
        net.learnMac("b", PEER, "z");
        outcome(from(MAC, udp("10.0.1.6")));
        assertThat(net.flows()).hasSize(1);
        net.change(t -> t.vm(
                "a",
                "b",
                "here",
                port -> port.setMac(MAC).addAddresses("10.0.1.6/24").setSecurity(true)));
        assertThat(net.flows()).isEmpty();
        assertThat(outcome(from(MAC, udp("10.0.1.6")))).isEqualTo("output z");
    }

    @Test
    void describedVmsAreNotAskedFor() {
        var asked = net.inject("a", Frames.arpRequest("10.0.1.5", "10.0.1.9").from(MAC));
        assertThat(asked.outcome()).isEqualTo("consumed");
        assertThat(asked.emitted())
                .singleElement()
                .asString()
                .contains("10.0.1.9", PEER)
                .endsWith("-> output a");
        net.change(t -> t.bridge("b2").join("b2", "r", "10.0.2.1/24").vm("o", "b2"));
        net.learnMac("b", PEER, "z");
        var routed = net.inject(
                "o", Frames.udp("10.0.2.5:1", "10.0.1.9:2").from(net.mac("o")).to(net.mac("r-b2")));
        assertThat(routed.outcome())
                .as("nor by the router")
                .contains("dst " + PEER)
                .endsWith("output z");
    }

    @Test
    void tunnelPacketsToHostsOfTheFabricDoNotLeaveARouter() {
        net.change(t -> t.uplink("up", "r", "here", "192.0.2.1/24").route("r", "0.0.0.0/0 port up via 192.0.2.254"));
        net.learnNeighbour("r", "192.0.2.254", "02:00:00:00:00:fe");
        var host = net.underlayOf("here");
        var vxlan = Frames.udp("10.0.1.5:40000", host + ":4789").from(MAC).to(net.mac("r-b"));
        assertThat(outcome(vxlan)).isEqualTo("drop tunnel-endpoint");
        assertThat(outcome(
                        Frames.udp("10.0.1.5:40000", host + ":4790").from(MAC).to(net.mac("r-b"))))
                .endsWith("output up");
        assertThat(outcome(Frames.udp("10.0.1.5:40000", "198.51.100.7:4789")
                        .from(MAC)
                        .to(net.mac("r-b"))))
                .endsWith("output up");
        var later = net.underlayOf("there");
        assertThat(outcome(
                        Frames.udp("10.0.1.5:40000", later + ":4789").from(MAC).to(net.mac("r-b"))))
                .as("no host yet")
                .endsWith("output up");
        net.change(t -> t.vm("far", "b", "there"));
        assertThat(outcome(
                        Frames.udp("10.0.1.5:40000", later + ":4789").from(MAC).to(net.mac("r-b"))))
                .isEqualTo("drop tunnel-endpoint");
    }
}
