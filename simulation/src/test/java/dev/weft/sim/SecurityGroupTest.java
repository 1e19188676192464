package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.topology.schema.AllowedPair;
import dev.weft.topology.schema.Port;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What security groups let through, as users of Neutron know it: web servers, their clients, and others. */
class SecurityGroupTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("client", "b1", "here", has("client", "10.0.1.5/24", "fd00:1::5/64"))
            .vm("other", "b1", "here", has("other", "10.0.1.6/24"))
            .vm("web", "b2", "here", has("web", "10.0.2.9/24", "fd00:2::9/64"))
            .vm("far", "b2", "there", has("far", "10.0.2.7/24"))
            .securityGroup("clients")
            .securityGroup("servers", "in tcp 80 from group clients", "in icmp 8")
            .guard("client", "clients")
            .guard("web", "servers"));

    SecurityGroupTest() {
        net.settle("client");
        net.settle("other");
        net.settle("web");
        net.settle("far");
    }

    private static Consumer<Port.Builder> has(String name, String... addresses) {
        return port -> port.setMac(Topology.vmMac(name)).addAllAddresses(List.of(addresses));
    }

    private String send(String vm, Frames frame) {
        String gateway = vm.equals("client") || vm.equals("other") ? "r-b1" : "r-b2";
        return net.inject(vm, frame.from(net.mac(vm)).to(net.mac(gateway))).outcome();
    }

    private static Frames web(String from) {
        return Frames.tcp(from + ":1000", "10.0.2.9:80").flags(2);
    }

    @Test
    void letsInWhatARuleSaysAndNothingElse() {
        assertThat(send("client", web("10.0.1.5"))).endsWith("output web");
        assertThat(send("client", Frames.tcp("10.0.1.5:1000", "10.0.2.9:81").flags(2)))
                .isEqualTo("drop security-group");
        assertThat(send("other", web("10.0.1.6"))).as("not of the group").isEqualTo("drop security-group");
        assertThat(send("other", Frames.echoRequest("10.0.1.6", "10.0.2.9", 7, 1)))
                .endsWith("output web");
    }

    @Test
    void rulesAreOfBothFamilies() {
        assertThat(send(
                        "client",
                        Frames.tcp("[fd00:1::5]:1000", "[fd00:2::9]:80").flags(2)))
                .endsWith("output web");
        assertThat(send(
                        "client",
                        Frames.tcp("[fd00:1::77]:1000", "[fd00:2::9]:80").flags(2)))
                .isEqualTo("drop security-group");
        net.change(t -> t.securityGroup("servers", "in v4 tcp 80"));
        assertThat(send(
                        "client",
                        Frames.tcp("[fd00:1::5]:1000", "[fd00:2::9]:80").flags(2)))
                .isEqualTo("drop security-group");
        assertThat(send("client", web("10.0.1.5"))).endsWith("output web");
    }

    @Test
    void letsNothingInByDefaultButAnswers() {
        assertThat(send("web", Frames.udp("10.0.2.9:53", "10.0.1.5:1000"))).isEqualTo("drop security-group");
        assertThat(send("client", web("10.0.1.5"))).endsWith("output web");
        assertThat(send("web", Frames.tcp("10.0.2.9:80", "10.0.1.5:1000").flags(18)))
                .endsWith("output client");
        assertThat(send("web", Frames.tcp("10.0.2.9:80", "10.0.1.5:1001").flags(18)))
                .isEqualTo("drop security-group");
    }

    @Test
    void errorsAboutWhatAVmSentReachIt() {
        assertThat(send("client", web("10.0.1.5"))).endsWith("output web");
        var lost = net.inject(
                "client", web("10.0.1.5").ttl(1).from(net.mac("client")).to(net.mac("r-b1")));
        assertThat(lost.outcome()).isEqualTo("drop ttl-expired");
        assertThat(lost.emitted()).hasSize(1).first().asString().endsWith("-> output client");
    }

    @Test
    void arpAndNeighbourDiscoveryNeedNoRule() {
        net.change(t -> t.securityGroup("clients", "deny-egress"));
        var asks = Frames.arpRequest("10.0.1.99", "10.0.1.5").from("02:00:00:00:00:99");
        net.change(t -> t.vm("new", "b1"));
        assertThat(net.inject(
                                "new",
                                Frames.arpReply("10.0.1.99", "10.0.1.5")
                                        .from("02:00:00:00:00:99")
                                        .to(net.mac("client")))
                        .outcome())
                .isEqualTo("output client");
        assertThat(net.inject("new", asks).outcome())
                .as("the bridge answers for it")
                .isEqualTo("consumed");
        assertThat(net.inject(
                                "client",
                                Frames.arpRequest("10.0.1.5", "10.0.1.99").from(net.mac("client")))
                        .outcome())
                .contains("output new");
        assertThat(net.inject(
                                "client",
                                Frames.neighbourSolicitation("fd00:1::5", "fd00:1::99")
                                        .from(net.mac("client")))
                        .outcome())
                .contains("output new");
    }

    @Test
    void aClientAsksForItsAddressWithoutARule() {
        net.change(t -> t.securityGroup("clients", "deny-egress"));
        var discover =
                Frames.udp("0.0.0.0:68", "255.255.255.255:67").payload(244).from(net.mac("client"));
        assertThat(net.inject("client", discover.to("ff:ff:ff:ff:ff:ff")).outcome())
                .contains("output other");
        assertThat(net.inject(
                                "client",
                                Frames.udp("10.0.1.5:68", "10.0.1.6:69")
                                        .from(net.mac("client"))
                                        .to(net.mac("other")))
                        .outcome())
                .isEqualTo("drop security-group");
    }

    @Test
    void otherProtocolsThanIpDoNotPass() {
        var lldp = Frames.ethernet(0x88cc).payload(20).from(net.mac("other")).to(net.mac("client"));
        assertThat(net.inject("other", lldp).outcome()).isEqualTo("drop security-group");
    }

    @Test
    void egressIsOpenUntilARuleSaysWhatMayLeave() {
        assertThat(send("client", Frames.udp("10.0.1.5:1", "10.0.2.7:5"))).endsWith("tunnel to far");
        net.change(t -> t.securityGroup("clients", "out udp 53 to 10.0.2.0/24"));
        assertThat(send("client", Frames.udp("10.0.1.5:1", "10.0.2.7:5"))).isEqualTo("drop security-group");
        assertThat(send("client", Frames.udp("10.0.1.5:1", "10.0.2.7:53"))).endsWith("tunnel to far");
        net.change(t -> t.securityGroup("clients", "deny-egress"));
        assertThat(send("client", Frames.udp("10.0.1.5:1", "10.0.2.7:53"))).isEqualTo("drop security-group");
    }

    @Test
    void answersToWhatWasLetInMayLeave() {
        net.change(t -> t.securityGroup("servers", "in tcp 80", "deny-egress"));
        assertThat(send("web", Frames.tcp("10.0.2.9:80", "10.0.1.6:1000").flags(18)))
                .isEqualTo("drop security-group");
        assertThat(send("other", web("10.0.1.6"))).endsWith("output web");
        assertThat(send("web", Frames.tcp("10.0.2.9:80", "10.0.1.6:1000").flags(18)))
                .endsWith("output other");
    }

    @Test
    void whatAnyGroupOfAPortLetsThroughPasses() {
        net.change(t -> t.securityGroup("ssh", "in tcp 22 from 10.0.1.6").guard("web", "servers", "ssh"));
        var ssh = Frames.tcp("10.0.1.6:1000", "10.0.2.9:22").flags(2);
        assertThat(send("other", ssh)).endsWith("output web");
        assertThat(send("client", web("10.0.1.5"))).endsWith("output web");
        assertThat(send("client", Frames.tcp("10.0.1.5:1000", "10.0.2.9:22").flags(2)))
                .isEqualTo("drop security-group");
        net.change(t -> t.guard("web", "servers"));
        assertThat(send("other", ssh)).isEqualTo("drop security-group");
    }

    @Test
    void aPortThatJoinsTheRemoteGroupIsLetIn() {
        assertThat(send("other", web("10.0.1.6"))).isEqualTo("drop security-group");
        net.change(t -> t.guard("other", "clients"));
        assertThat(send("other", web("10.0.1.6"))).endsWith("output web");
        net.change(t -> t.guard("other"));
        assertThat(send("other", web("10.0.1.6"))).as("also what it had begun").isEqualTo("drop security-group");
    }

    @Test
    void allowedPairsOfAMemberCountAsItsAddresses() {
        net.change(t -> t.vm(
                        "other",
                        "b1",
                        "here",
                        port -> has("other", "10.0.1.6/24")
                                .andThen(more -> more.setSecurity(true)
                                        .addAllowedPairs(
                                                AllowedPair.newBuilder().setAddress("10.0.1.128/25")))
                                .accept(port))
                .guard("other", "clients"));
        assertThat(send("other", web("10.0.1.200"))).endsWith("output web");
        assertThat(send("other", web("10.0.1.100"))).isEqualTo("drop spoofed-address");
    }

    @Test
    void addressGroupsAndNetworksAreOneList() {
        net.change(t -> t.addressGroup("admins", "10.0.1.6", "fd00:1::/64")
                .securityGroup("servers", "in tcp 22 from 192.0.2.0/24 from addresses admins"));
        assertThat(send("other", Frames.tcp("10.0.1.6:1000", "10.0.2.9:22").flags(2)))
                .endsWith("output web");
        assertThat(send(
                        "client",
                        Frames.tcp("[fd00:1::5]:1000", "[fd00:2::9]:22").flags(2)))
                .as("a network of IPv4 beside a group that has IPv6")
                .endsWith("output web");
        assertThat(send("client", Frames.tcp("10.0.1.5:1000", "10.0.2.9:22").flags(2)))
                .isEqualTo("drop security-group");
    }

    @Test
    void aChangeOfMembersInvalidatesTheFlowsThatAskedForThemOnly() {
        net.change(t -> t.vm("third", "b2", "here", has("third", "10.0.2.20/24"))
                .securityGroup("open", "in tcp")
                .guard("third", "open"));
        net.settle("third");
        assertThat(send("client", Frames.tcp("10.0.1.5:1000", "10.0.2.9:80"))).endsWith("output web");
        assertThat(send("client", Frames.tcp("10.0.1.5:1000", "10.0.2.20:80"))).endsWith("output third");
        net.flows().removeIf(flow -> !flow.outcome().contains("output"));
        assertThat(net.flows()).hasSize(2);
        net.change(
                t -> t.vm("joins", "b1", "here", has("joins", "10.0.1.30/24")).guard("joins", "clients"));
        assertThat(net.flows())
                .extracting(Topology.Flow::outcome)
                .singleElement()
                .asString()
                .endsWith("output third");
    }

    @Test
    void aRuleThatGoesEndsWhatItLetIn() {
        assertThat(send("client", web("10.0.1.5"))).endsWith("output web");
        net.change(t -> t.securityGroup("servers", "in icmp 8"));
        assertThat(send("client", Frames.tcp("10.0.1.5:1000", "10.0.2.9:80"))).isEqualTo("drop security-group");
    }

    @Test
    void withoutStateAnswersNeedARule() {
        net.change(t -> t.securityGroup("clients", "stateless"));
        assertThat(send("client", web("10.0.1.5"))).endsWith("output web");
        assertThat(send("web", Frames.tcp("10.0.2.9:80", "10.0.1.5:1000").flags(18)))
                .isEqualTo("drop security-group");
        net.change(t -> t.securityGroup("clients", "stateless", "in tcp 1000 from group servers"));
        assertThat(send("web", Frames.tcp("10.0.2.9:80", "10.0.1.5:1000").flags(18)))
                .endsWith("output client");
    }

    @Test
    void theFirstPacketOfAConnectionMakesTheFlowOfAllOthers() {
        net.change(t -> t.securityGroup("clients", "out tcp"));
        var first = net.inject(
                "client",
                Frames.tcp("10.0.1.5:1000", "10.0.2.9:80")
                        .from(net.mac("client"))
                        .to(net.mac("r-b1")));
        assertThat(first.outcome()).endsWith("output web");
        assertThat(first.cacheable()).isTrue();
    }

    @Test
    void laterFragmentsPassWithTheirConnection() {
        net.change(t -> t.securityGroup("servers", "in udp 53"));
        assertThat(net.inject("client", laterFragment("10.0.2.9")).outcome()).isEqualTo("drop security-group");
        assertThat(send("client", Frames.udp("10.0.1.5:1000", "10.0.2.9:53"))).endsWith("output web");
        assertThat(net.inject("client", laterFragment("10.0.2.9")).outcome()).endsWith("output web");
        assertThat(net.inject("client", laterFragment("10.0.2.7")).outcome())
                .as("towards a port in no group")
                .endsWith("tunnel to far");
    }

    /** As the datapath hands it up when it knows the first one: with the ports of that. */
    private Packet laterFragment(String to) {
        Packet packet = Frames.udp("10.0.1.5:1000", to + ":53")
                .payload(64)
                .fragment(1, 8, false)
                .from(net.mac("client"))
                .to(net.mac("r-b1"))
                .packet();
        packet.key.setTransport(17, 0, FlowKey.LATER_FRAGMENT, 0, 1000, 53);
        return packet;
    }

    @Test
    void floodsFromOtherHostsAreHeldAgainstTheGroups() {
        var unknown =
                Frames.udp("10.0.2.7:1", "10.0.2.9:2").from(net.mac("far")).to("06:00:00:00:00:78");
        assertThat(net.injectFlood("b2", unknown).outcome()).isEqualTo("drop security-group");
        assertThat(send("web", Frames.udp("10.0.2.9:2", "10.0.2.7:1"))).isNotEmpty();
        var question =
                Frames.udp("10.0.2.9:2", "10.0.2.7:1").from(net.mac("web")).to(net.mac("far"));
        assertThat(net.inject("web", question).outcome()).isEqualTo("tunnel to far");
        assertThat(net.injectFlood("b2", unknown).outcome()).as("an answer").isEqualTo("output web");
    }

    @Test
    void aTraceNamesTheGroupAndTheRule() {
        assertThat(net.explain("client", web("10.0.1.5").from(net.mac("client")).to(net.mac("r-b1"))))
                .contains("security group servers, ingress", "rule 1 accepts");
        assertThat(net.explain("other", web("10.0.1.6").from(net.mac("other")).to(net.mac("r-b1"))))
                .contains("security groups servers, ingress", "(others) drops");
    }
}
