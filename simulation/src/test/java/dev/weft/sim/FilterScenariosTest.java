package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import dev.weft.topology.schema.Chain;
import org.junit.jupiter.api.Test;

/** Filters by family, MAC and connection, firewalls of routers and their logs, ports that go and move. */
class FilterScenariosTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("a", "b1")
            .vm("b", "b1")
            .vm("z", "b2"));

    FilterScenariosTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("b", "10.0.1.6", "fd00:1::6");
        net.settle("z", "10.0.2.9", "fd00:2::9");
    }

    private String aToB(Frames frame) {
        return net.inject("a", frame.from(net.mac("a")).to(net.mac("b"))).outcome();
    }

    private String bToA(Frames frame) {
        return net.inject("b", frame.from(net.mac("b")).to(net.mac("a"))).outcome();
    }

    private Topology.Sent aToZ(Frames frame) {
        return net.inject("a", frame.from(net.mac("a")).to(net.mac("r-b1")));
    }

    private Topology.Sent zToA(Frames frame) {
        return net.inject("z", frame.from(net.mac("z")).to(net.mac("r-b2")));
    }

    @Test
    void filtersVersionSixAndLeavesVersionFourAlone() {
        net.change(t -> t.chain("c", "ethertype ipv6 drop").hook("bridge", "b1", "inbound", "c"));
        assertThat(aToB(Frames.echoRequest("fd00:1::5", "fd00:1::6", 7, 1))).isEqualTo("drop rule");
        assertThat(aToB(Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 1))).isEqualTo("output b");
        net.change(t -> t.chain("c", "from fd00:1::5 to fd00:1::/64 protocol icmpv6 drop"));
        assertThat(aToB(Frames.echoRequest("fd00:1::5", "fd00:1::6", 7, 1))).isEqualTo("drop rule");
        assertThat(aToB(Frames.udp("[fd00:1::5]:1", "[fd00:1::6]:2"))).isEqualTo("output b");
    }

    @Test
    void aMaskedMacConditionTakesTheMacsUnderIt() {
        for (String word : new String[] {"src-mac", "dst-mac"}) {
            net.change(t -> t.chain("c", word + " 06:00:00:00:00:00/ff:ff:ff:ff:ff:00 drop")
                    .hook("bridge", "b1", "inbound", "c"));
            assertThat(aToB(Frames.udp("10.0.1.5:1", "10.0.1.6:2"))).as(word).isEqualTo("drop rule");
            net.change(t -> t.chain("c", word + " 0e:00:00:00:00:00/0f:00:00:00:00:00 drop"));
            assertThat(aToB(Frames.udp("10.0.1.5:1", "10.0.1.6:2"))).as(word).isEqualTo("output b");
            net.change(t -> t.chain("c", word + " 00:00:00:00:00:00/00:00:00:00:00:00 drop"));
            assertThat(aToB(Frames.udp("10.0.1.5:1", "10.0.1.6:2"))).as("all").isEqualTo("drop rule");
        }
    }

    @Test
    void aConnectionIsTrackedWhereAMacIsFiltered() {
        net.change(t -> t.chain("c", "connection answer accept", "src-mac " + net.mac("b") + " drop")
                .hook("bridge", "b1", "inbound", "c"));
        assertThat(bToA(Frames.udp("10.0.1.6:2", "10.0.1.5:1"))).isEqualTo("drop rule");
        assertThat(aToB(Frames.udp("10.0.1.5:1", "10.0.1.6:2"))).isEqualTo("output b");
        assertThat(bToA(Frames.udp("10.0.1.6:2", "10.0.1.5:1"))).isEqualTo("output a");
        assertThat(bToA(Frames.udp("10.0.1.6:3", "10.0.1.5:1"))).isEqualTo("drop rule");
    }

    @Test
    void aConnectionIsTrackedWhereANetworkIsFiltered() {
        net.change(t ->
                t.chain("c", "connection answer accept", "from 10.0.1.6 drop").hook("bridge", "b1", "inbound", "c"));
        assertThat(bToA(Frames.echoRequest("10.0.1.6", "10.0.1.5", 9, 1))).isEqualTo("drop rule");
        assertThat(aToB(Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 1))).isEqualTo("output b");
        assertThat(bToA(Frames.echoReply("10.0.1.6", "10.0.1.5", 7, 1))).isEqualTo("output a");
    }

    @Test
    void aFirewallIsPutBeforeARouterChangedAndTakenAway() {
        var web = Frames.tcp("10.0.1.5:4000", "10.0.2.9:80").flags(2);
        var ssh = Frames.tcp("10.0.1.5:4000", "10.0.2.9:22").flags(2);
        net.change(t -> t.chain("fw", "connection answer,related accept", "protocol tcp dport 80 accept", "drop")
                .hook("router", "r", "forward", "fw"));
        assertThat(aToZ(web).outcome()).endsWith("output z");
        assertThat(zToA(Frames.tcp("10.0.2.9:80", "10.0.1.5:4000").flags(18)).outcome())
                .endsWith("output a");
        assertThat(aToZ(ssh).outcome()).isEqualTo("drop rule");
        net.change(t -> t.chain("fw", "connection answer,related accept", "protocol tcp dport 22 accept", "drop"));
        assertThat(aToZ(ssh).outcome()).endsWith("output z");
        assertThat(aToZ(Frames.tcp("10.0.1.5:4001", "10.0.2.9:80").flags(2)).outcome())
                .isEqualTo("drop rule");
        net.change(t -> t.hook("router", "r", "forward", ""));
        assertThat(aToZ(Frames.tcp("10.0.1.5:4002", "10.0.2.9:80").flags(2)).outcome())
                .endsWith("output z");
    }

    @Test
    void twoFirewallsLogEachForItself() {
        net.change(t -> t.chain("accepts", "protocol tcp dport 80 accept", "protocol udp accept")
                .chain("drops", "protocol udp drop")
                .hook("router", "r", "inbound", "accepts")
                .hook("router", "r", "forward", "drops"));
        net.change(t -> t.chainLog("accepts", Chain.Log.ACCEPTED).chainLog("drops", Chain.Log.DROPPED));
        assertThat(aToZ(Frames.tcp("10.0.1.5:4000", "10.0.2.9:80").flags(2)).logged())
                .containsExactly("accepts 1 accept");
        assertThat(aToZ(Frames.udp("10.0.1.5:4000", "10.0.2.9:53")).logged())
                .containsExactly("accepts 2 accept", "drops 1 drop");
    }

    @Test
    void aLogThatIsSwitchedOnOrChangedCountsFromTheNextFlowOn() {
        net.change(t -> t.chain("fw", "protocol udp drop", "accept").hook("router", "r", "forward", "fw"));
        assertThat(aToZ(Frames.udp("10.0.1.5:1", "10.0.2.9:2")).logged()).isEmpty();
        net.change(t -> t.chainLog("fw", Chain.Log.DROPPED));
        assertThat(net.flows()).as("decided anew").isEmpty();
        assertThat(aToZ(Frames.udp("10.0.1.5:1", "10.0.2.9:2")).logged()).containsExactly("fw 1 drop");
        net.change(t -> t.chainLog("fw", Chain.Log.ACCEPTED));
        assertThat(aToZ(Frames.udp("10.0.1.5:1", "10.0.2.9:2")).logged()).isEmpty();
        assertThat(aToZ(Frames.tcp("10.0.1.5:1", "10.0.2.9:2")).logged()).containsExactly("fw 2 accept");
    }

    @Test
    void aPortThatIsDeletedIsNoLongerSentTo() {
        assertThat(aToB(Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 1))).isEqualTo("output b");
        net.change(t -> t.removePort("b"));
        assertThat(net.flows()).isEmpty();
        assertThat(net.inject(
                                "a",
                                Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 2)
                                        .from(net.mac("a"))
                                        .to(Topology.vmMac("b")))
                        .outcome())
                .doesNotContain("output b");
    }

    @Test
    void aPortThatMovesToAnotherHostIsFollowed() {
        assertThat(aToB(Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 1))).isEqualTo("output b");
        net.change(t -> t.vm("b", "b1", "there"));
        assertThat(aToB(Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 2))).isEqualTo("tunnel to b");
        net.change(t -> t.vm("b", "b1"));
        assertThat(aToB(Frames.echoRequest("10.0.1.5", "10.0.1.6", 7, 3))).isEqualTo("output b");
    }
}
