package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** What chains do with packets, as a specification. */
class ChainTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("a", "b1")
            .vm("b", "b1")
            .vm("z", "b2")
            .vm("far", "b2", "there"));

    ChainTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("b", "10.0.1.6", "fd00:1::6");
        net.settle("z", "10.0.2.9", "fd00:2::9");
        net.settle("far", "10.0.2.7");
    }

    private Frames bridged(Frames frame) {
        return frame.from(net.mac("a")).to(net.mac("b"));
    }

    private Frames routed(Frames frame) {
        return frame.from(net.mac("a")).to(net.mac("r-b1"));
    }

    private String send(Frames frame) {
        return net.inject("a", frame).outcome();
    }

    private static Frames tcp(int port) {
        return Frames.tcp("10.0.1.5:1000", "10.0.1.6:" + port);
    }

    private static Frames routedTcp(int port) {
        return Frames.tcp("10.0.1.5:1000", "10.0.2.9:" + port);
    }

    private void hook(String kind, String name, String field, String... rules) {
        net.change(t -> t.chain("c", rules).hook(kind, name, field, "c"));
    }

    private void assertDropsPort80Only(Frames to80, Frames to81) {
        assertThat(send(to80)).isEqualTo("drop rule");
        assertThat(send(to81)).contains("output");
    }

    @Test
    void filtersWhereAPacketComesInByAPort() {
        hook("port", "a", "inbound", "protocol tcp dport 80 drop");
        assertDropsPort80Only(bridged(tcp(80)), bridged(tcp(81)));
    }

    @Test
    void filtersWhereAPacketLeavesByAPort() {
        hook("port", "b", "outbound", "protocol tcp dport 80 drop");
        assertDropsPort80Only(bridged(tcp(80)), bridged(tcp(81)));
    }

    @Test
    void filtersAtTheSendingHostWhatLeavesAtAnother() {
        hook("port", "far", "outbound", "protocol tcp dport 80 drop");
        assertThat(send(routed(Frames.tcp("10.0.1.5:1", "10.0.2.7:80")))).isEqualTo("drop rule");
        assertThat(send(routed(Frames.tcp("10.0.1.5:1", "10.0.2.7:81")))).contains("tunnel to far");
    }

    @Test
    void filtersBeforeAndAfterABridge() {
        for (String field : new String[] {"inbound", "outbound"}) {
            hook("bridge", "b1", field, "protocol tcp dport 80 drop");
            assertDropsPort80Only(bridged(tcp(80)), bridged(tcp(81)));
            net.change(t -> t.hook("bridge", "b1", field, ""));
            assertThat(send(bridged(tcp(80)))).contains("output");
        }
    }

    @Test
    void filtersBeforeAndAfterARouter() {
        for (String field : new String[] {"local_redirect", "inbound", "forward", "outbound"}) {
            hook("router", "r", field, "protocol tcp dport 80 drop");
            assertDropsPort80Only(routed(routedTcp(80)), routed(routedTcp(81)));
            net.change(t -> t.hook("router", "r", field, ""));
            assertThat(send(routed(routedTcp(80)))).contains("output");
        }
    }

    @Test
    void filtersFloodsAtEachPort() {
        hook("port", "z", "outbound", "protocol udp drop");
        var unknown = Frames.udp("10.0.2.7:1", "10.0.2.44:2")
                .from("06:00:00:00:00:77")
                .to("06:00:00:00:00:78");
        assertThat(net.injectFlood("b2", unknown).outcome()).isEqualTo("drop rule");
        var other = Frames.tcp("10.0.2.7:1", "10.0.2.44:2")
                .from("06:00:00:00:00:77")
                .to("06:00:00:00:00:78");
        assertThat(net.injectFlood("b2", other).outcome()).isEqualTo("output z");
    }

    @Test
    void knowsNoOutPortOfAFlood() {
        hook("bridge", "b1", "outbound", "out b drop", "!out b accept", "drop");
        assertThat(send(bridged(tcp(80)))).isEqualTo("drop rule");
        var flooded = Frames.udp("10.0.1.5:1", "10.0.1.9:2").from(net.mac("a")).to("06:00:00:00:00:78");
        assertThat(net.explain("a", flooded)).contains("rule 3 drops");
    }

    @Test
    void takesTheFirstRuleThatMatches() {
        hook("port", "a", "inbound", "dport 80 accept", "dport 1-1000 drop", "accept");
        assertThat(send(bridged(tcp(80)))).contains("output");
        assertThat(send(bridged(tcp(79)))).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(1001)))).contains("output");
    }

    @Test
    void acceptsAtTheEndOfTheChain() {
        hook("port", "a", "inbound", "dport 80 drop");
        assertThat(send(bridged(tcp(81)))).contains("output");
    }

    @Test
    void returnGoesBackBehindTheJump() {
        net.change(t -> t.chain("inner", "dport 80 return", "dport 1-100 drop")
                .chain("c", "protocol tcp jump inner", "dport 80 drop")
                .hook("port", "a", "inbound", "c"));
        assertThat(net.explain("a", bridged(tcp(80)))).contains("chain inner", "rule 1 returns", "rule 2 drops");
        assertThat(send(bridged(tcp(50)))).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(101)))).contains("output");
        assertThat(send(bridged(Frames.udp("10.0.1.5:1", "10.0.1.6:50"))))
                .as("not under the jump's condition")
                .contains("output");
    }

    @Test
    void aChainThatSeveralJumpToActsAsOneThatOnlyOneDoes() {
        net.change(t -> t.chain("inner", "dport 80 return", "dport 1-100 drop")
                .chain("c", "protocol tcp jump inner", "dport 80 drop")
                .chain("other", "jump inner")
                .hook("port", "a", "inbound", "c")
                .hook("port", "b", "inbound", "other"));
        assertThat(send(bridged(tcp(80)))).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(50)))).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(101)))).contains("output");
        assertThat(send(bridged(Frames.udp("10.0.1.5:1", "10.0.1.6:50")))).contains("output");
        assertThat(net.inject("b", tcp(80).from(net.mac("b")).to(net.mac("a"))).outcome())
                .as("returns to the end")
                .contains("output a");
    }

    @Test
    void gotoDoesNotComeBack() {
        net.change(t -> t.chain("inner", "dport 80 return", "dport 81 drop")
                .chain("middle", "protocol tcp goto inner", "drop")
                .chain("c", "jump middle", "dport 80 drop")
                .hook("port", "a", "inbound", "c"));
        assertThat(send(bridged(tcp(80)))).as("behind the jump to middle").isEqualTo("drop rule");
        assertThat(send(bridged(tcp(81)))).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(82)))).as("not dropped by middle").contains("output");
    }

    @Test
    void invertsEachConditionAndTheWholeRule() {
        hook("port", "a", "inbound", "protocol tcp !dport 80 drop");
        assertThat(send(bridged(tcp(80)))).contains("output");
        assertThat(send(bridged(tcp(81)))).isEqualTo("drop rule");
        assertThat(send(bridged(Frames.udp("10.0.1.5:1", "10.0.1.6:50")))).contains("output");
        hook("port", "a", "inbound", "invert protocol tcp dport 80 drop");
        assertThat(send(bridged(tcp(80)))).contains("output");
        assertThat(send(bridged(Frames.udp("10.0.1.5:1", "10.0.1.6:50")))).isEqualTo("drop rule");
    }

    @Test
    void neitherAConditionNorItsOppositeHoldsOfAFieldThatIsNotThere() {
        hook("port", "a", "inbound", "!dport 80 drop", "!from 10.0.0.0/8 drop", "!icmp 8 drop");
        assertThat(send(bridged(Frames.echoRequest("10.0.1.5", "10.0.1.6", 1, 1))))
                .contains("output");
        assertThat(send(bridged(Frames.ethernet(0x88cc).payload(20)))).contains("output");
        assertThat(send(bridged(Frames.udp("[fd00:1::5]:1", "[fd00:1::6]:80"))))
                .as("an IPv4 network says nothing of IPv6")
                .contains("output");
    }

    @Test
    void filtersByEthertypeMacVlanAndDscp() {
        hook("port", "a", "inbound", "ethertype 0x88cc drop");
        assertThat(send(bridged(Frames.ethernet(0x88cc).payload(20)))).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(80)))).contains("output");
        hook("port", "a", "inbound", "dst-mac 06:00:00:00:00:00/ff:00:00:00:00:00 src-mac " + net.mac("a") + " drop");
        assertThat(send(bridged(tcp(80)))).isEqualTo("drop rule");
        hook("port", "a", "inbound", "vlan 5-7 drop");
        assertThat(send(bridged(tcp(80)).vlan(6))).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(80)).vlan(8))).isNotEqualTo("drop rule");
        hook("port", "a", "inbound", "vlan none drop");
        assertThat(send(bridged(tcp(80)).vlan(8))).isNotEqualTo("drop rule");
        assertThat(send(bridged(tcp(80)))).isEqualTo("drop rule");
    }

    @Test
    void matchesAddressesOfArpOnlyWhenToldSo() {
        hook("port", "a", "inbound", "from 10.0.1.5 drop");
        var asks = Frames.arpRequest("10.0.1.5", "10.0.1.6").from(net.mac("a"));
        assertThat(send(asks)).contains("output b");
        hook("port", "a", "inbound", "ethertype arp from 10.0.1.5 drop");
        assertThat(send(asks)).isEqualTo("drop rule");
        assertThat(send(bridged(tcp(80)))).contains("output b");
    }

    @Test
    void looksAtPortsOfPacketsThatHaveThemUnlessToldOtherwise() {
        hook("port", "a", "inbound", "protocol udp !dport 80 drop");
        var first = bridged(Frames.udp("10.0.1.5:1", "10.0.1.6:53").payload(64)).fragment(1, 0, true);
        var later = bridged(Frames.udp("10.0.1.5:1", "10.0.1.6:53").payload(64)).fragment(1, 8, true);
        assertThat(send(first)).isEqualTo("drop rule");
        assertThat(send(later)).as("has no ports").contains("output b");
        hook("port", "a", "inbound", "fragments LATER drop");
        assertThat(send(first)).contains("output b");
        assertThat(send(later)).isEqualTo("drop rule");
        hook("port", "a", "inbound", "fragments UNFRAGMENTED drop");
        assertThat(send(first)).contains("output b");
        assertThat(send(bridged(tcp(80)))).isEqualTo("drop rule");
    }

    @Test
    void matchesIcmpByTypeAndCode() {
        hook("port", "a", "inbound", "protocol icmp icmp 8 drop");
        assertThat(send(bridged(Frames.echoRequest("10.0.1.5", "10.0.1.6", 1, 1))))
                .isEqualTo("drop rule");
        assertThat(send(bridged(Frames.echoReply("10.0.1.5", "10.0.1.6", 1, 1))))
                .contains("output b");
    }

    @Test
    void matchesPortsAndGroupsOfPorts() {
        net.change(t -> t.portGroup("web", "b")
                .chain("c", "out-group web !in a drop", "in a out b dport 80 drop")
                .hook("bridge", "b1", "outbound", "c"));
        assertDropsPort80Only(bridged(tcp(80)), bridged(tcp(81)));
        net.change(t -> t.portGroup("all", "a").chain("c", "in-group all dport 80 drop"));
        assertDropsPort80Only(bridged(tcp(80)), bridged(tcp(81)));
    }

    @Test
    void matchesAddressGroups() {
        net.change(t -> t.addressGroup("web", "10.0.1.6", "10.0.2.0/28", "fd00:1::/64")
                .chain("c", "to-group web drop")
                .hook("port", "a", "inbound", "c"));
        assertThat(send(bridged(tcp(80)))).isEqualTo("drop rule");
        assertThat(send(routed(Frames.tcp("10.0.1.5:1", "10.0.2.7:80")))).isEqualTo("drop rule");
        net.change(t -> t.addressGroup("web", "10.0.1.7"));
        assertThat(send(bridged(tcp(80)))).contains("output b");
    }

    @Test
    void knowsWhatThePacketHasPassed() {
        hook("port", "z", "outbound", "crossed-router r crossed-bridge b1 crossed-port a dport 80 drop");
        assertDropsPort80Only(routed(routedTcp(80)), routed(routedTcp(81)));
        hook("port", "z", "outbound", "crossed-port b drop");
        assertThat(send(routed(routedTcp(80)))).contains("output z");
    }

    @Test
    void looksIntoIcmpErrors() {
        hook("port", "a", "inbound", "quoted-from 10.0.1.6 drop");
        var error = bridged(Frames.icmpError("10.0.1.5", "10.0.1.6", Frames.udp("10.0.1.6:1", "10.0.1.5:2")));
        var sent = net.inject("a", error);
        assertThat(sent.outcome()).isEqualTo("drop rule");
        assertThat(sent.cacheable()).as("what is quoted is in no flow key").isFalse();
        assertThat(send(bridged(tcp(80)))).contains("output b");
        assertThat(net.flows()).as("others are").hasSize(1);
    }

    @Test
    void redirectsOutOfAPortAndIntoOne() {
        hook("bridge", "b1", "inbound", "dport 80 redirect-out z");
        assertThat(send(bridged(tcp(80)))).isEqualTo("output z");
        hook("bridge", "b1", "inbound", "dport 80 redirect-in z");
        var sent = send(bridged(tcp(80)));
        assertThat(sent)
                .as("as if z had sent it: flooded on b2")
                .contains("flood b2")
                .doesNotContain("output b");
    }

    @Test
    void endsARedirectInACircle() {
        hook("port", "b", "outbound", "redirect-out b");
        assertThat(send(bridged(tcp(80)))).isEqualTo("drop loop");
    }

    @Test
    void aRouterRefusesInItsOwnName() {
        hook("router", "r", "forward", "dport 80 reject", "protocol udp reject");
        var tcp = net.inject("a", routed(routedTcp(80)));
        assertThat(tcp.outcome()).isEqualTo("drop refused");
        assertThat(tcp.cacheable()).isFalse();
        assertThat(tcp.emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r-b1 tcp 10.0.2.9:80 > 10.0.1.5:1000")
                .contains("rst")
                .endsWith("-> output a");
        var udp = net.inject("a", routed(Frames.udp("10.0.1.5:1", "10.0.2.9:2")));
        assertThat(udp.emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r-b1 icmp unreachable 10.0.1.1 > 10.0.1.5")
                .endsWith("-> output a");
    }

    @Test
    void behindARouterTheRouterAnswersForARefusal() {
        hook("port", "z", "outbound", "reject");
        assertThat(net.inject("a", routed(routedTcp(80))).emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r-b1 tcp 10.0.2.9:80 > 10.0.1.5:1000")
                .endsWith("-> output a");
    }

    @Test
    void onABridgeTheAnswerComesInTheNameOfTheReceiver() {
        hook("port", "b", "outbound", "reject");
        assertThat(net.inject("a", bridged(tcp(80))).emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("a tcp 10.0.1.6:80 > 10.0.1.5:1000")
                .endsWith("-> output a");
        assertThat(net.inject("a", bridged(Frames.udp("[fd00:1::5]:1", "[fd00:1::6]:2")))
                        .emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("a icmp6 unreachable fd00:1::6 > fd00:1::5")
                .endsWith("-> output a");
        assertThat(net.inject("a", bridged(tcp(80)).flags(4)).emitted())
                .as("a reset is not answered")
                .isEmpty();
    }

    @Test
    void neighbourDiscoveryPassesARoutersChains() {
        hook("router", "r", "inbound", "drop");
        var asks = Frames.neighbourSolicitation("fd00:1::5", "fd00:1::1").from(net.mac("a"));
        assertThat(send(asks)).isEqualTo("consumed");
        assertThat(send(routed(Frames.udp("[fd00:1::5]:1", "[fd00:2::9]:2")))).isEqualTo("drop rule");
    }

    @Test
    void whatAPortSendsItselfDoesNotPassItsChain() {
        net.change(t -> t.chain("none", "drop").hook("port", "a", "outbound", "none"));
        hook("port", "a", "inbound", "dport 80 reject");
        assertThat(net.inject("a", bridged(tcp(80))).emitted())
                .hasSize(1)
                .first()
                .asString()
                .endsWith("-> output a");
    }

    @Test
    void aChangeOfAChainConcernsTheFlowsThatConsultedItOnly() {
        net.change(t -> t.chain("other", "dport 99 drop").hook("port", "b", "inbound", "other"));
        hook("port", "a", "inbound", "dport 80 drop");
        send(bridged(tcp(81)));
        net.inject("b", tcp(81).from(net.mac("b")).to(net.mac("a")));
        assertThat(net.flows()).hasSize(2);
        net.change(t -> t.chain("c", "dport 80 drop", "dport 82 drop"));
        assertThat(net.flows())
                .hasSize(1)
                .first()
                .extracting(Topology.Flow::name)
                .isEqualTo("b");
        assertThat(net.change(t -> t.chain("other", "dport 99 drop")).isEmpty())
                .as("nothing changed")
                .isTrue();
    }

    @Test
    void aFlowCoversAllThatTheRulesDoNotTellApart() {
        hook("port", "a", "inbound", "to 192.0.2.0/24 dport 80 drop");
        var sent = net.inject("a", routed(routedTcp(80)));
        var other = routed(routedTcp(4242)).packet();
        other.key.setIngress(net.portIndex("a") + 1, 0);
        assertThat(net.flows().getFirst().key().matches(other.key, sent.mask()))
                .as("ports are not looked at")
                .isTrue();
    }

    @Test
    void tracesNameChainAndRule() {
        hook("port", "a", "inbound", "dport 80 name no-web drop");
        assertThat(net.explain("a", bridged(tcp(80)))).contains("chain c", "rule 1 (no-web) drops");
    }
}
