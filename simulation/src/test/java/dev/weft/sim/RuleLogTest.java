package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import dev.weft.topology.schema.Chain;
import org.junit.jupiter.api.Test;

/** Which decisions of chains are noted for a log, and which are not. */
class RuleLogTest {
    private final Topology net =
            Topology.build(t -> t.bridge("b1").vm("a", "b1").vm("b", "b1").chain("c", "dport 80 drop"));

    RuleLogTest() {
        net.settle("a");
        net.settle("b");
    }

    private void hook(String... rules) {
        net.change(t -> t.chain("c", rules).hook("port", "a", "inbound", "c"));
    }

    private Topology.Sent tcp(int port, int flags) {
        return net.inject(
                "a",
                Frames.tcp("10.0.1.5:1000", "10.0.1.6:" + port)
                        .flags(flags)
                        .from(net.mac("a"))
                        .to(net.mac("b")));
    }

    @Test
    void aRuleThatOnlyLogsGoesOnToTheNextOne() {
        hook("protocol tcp log", "dport 80 drop");
        assertThat(tcp(80, 2)).returns("drop rule", Topology.Sent::outcome);
        assertThat(tcp(80, 2).logged()).containsExactly("c 1 log");
        assertThat(tcp(81, 2)).returns("output b", Topology.Sent::outcome);
        assertThat(tcp(81, 2).logged()).containsExactly("c 1 log");
    }

    @Test
    void aRuleSaysWhatItDidAndIsNamed() {
        hook("dport 80 drop name web log", "dport 81 accept log", "dport 82 reject log", "log dport 83 return");
        assertThat(tcp(80, 2).logged()).containsExactly("c 1 (web) drop");
        assertThat(tcp(81, 2).logged()).containsExactly("c 2 accept");
        assertThat(tcp(82, 2).logged()).containsExactly("c 3 reject");
        assertThat(tcp(83, 2).logged()).containsExactly("c 4 return");
        assertThat(tcp(84, 2).logged()).isEmpty();
    }

    @Test
    void aChainLogsWhatItAcceptsOrDropsOrBoth() {
        hook("dport 80 drop", "dport 81 accept");
        net.change(t -> t.chainLog("c", Chain.Log.DROPPED));
        assertThat(tcp(80, 2).logged()).containsExactly("c 1 drop");
        assertThat(tcp(81, 2).logged()).isEmpty();
        net.change(t -> t.chainLog("c", Chain.Log.ACCEPTED));
        assertThat(tcp(80, 2).logged()).isEmpty();
        assertThat(tcp(81, 2).logged()).containsExactly("c 2 accept");
        assertThat(tcp(82, 2).logged()).as("at the end of the chain").containsExactly("c  accept");
        net.change(t -> t.chainLog("c", Chain.Log.ALL));
        assertThat(tcp(80, 2).logged()).containsExactly("c 1 drop");
        assertThat(tcp(82, 2).logged()).containsExactly("c  accept");
    }

    @Test
    void aJumpIsLoggedAlsoWhereItsChainIsPartOfThisOne() {
        net.change(t -> t.chain("inner", "dport 80 drop log")
                .chain("c", "protocol tcp jump inner log")
                .hook("port", "a", "inbound", "c"));
        assertThat(tcp(80, 2).logged()).containsExactly("c 1 jump", "inner 1 drop");
        net.change(t -> t.chain("c", "protocol tcp jump inner"));
        assertThat(tcp(80, 2).logged()).containsExactly("inner 1 drop");
    }

    @Test
    void ofAConnectionOnlyTheFirstPacketIsLogged() {
        hook("connection new accept log", "connection forward accept log");
        assertThat(tcp(80, 2).logged()).containsExactly("c 1 accept");
        assertThat(tcp(80, 16).logged()).isEmpty();
        assertThat(tcp(80, 1).logged()).isEmpty();
    }

    @Test
    void whatIsDroppedOfAKnownConnectionIsLogged() {
        hook("connection new accept", "tcp closing drop log");
        tcp(80, 2);
        tcp(80, 1);
        assertThat(tcp(80, 16).logged()).containsExactly("c 2 drop");
    }

    @Test
    void securityGroupsLogWhatTheyLetThroughAndWhatTheyDoNot() {
        net.change(t -> t.securityGroup("web", "in tcp 80", "log-all")
                .securityGroup("quiet", "in tcp 443", "in tcp 8443 log")
                .guard("b", "web", "quiet"));
        assertThat(tcp(80, 2).logged()).containsExactly("security group web, ingress 1 accept");
        assertThat(tcp(443, 2).logged()).isEmpty();
        assertThat(tcp(8443, 2).logged()).containsExactly("security group quiet, ingress 2 accept");
        assertThat(tcp(22, 2).logged()).singleElement().asString().endsWith("(others) drop");
    }

    @Test
    void logsChangeNeitherMaskNorOutcome() {
        hook("dport 81 accept", "protocol tcp accept");
        var before = tcp(80, 2);
        hook("dport 81 accept", "protocol tcp accept log");
        net.change(t -> t.chainLog("c", Chain.Log.ALL));
        var after = tcp(80, 2);
        assertThat(after.mask()).isEqualTo(before.mask());
        assertThat(after.outcome()).isEqualTo(before.outcome());
        assertThat(after.cacheable()).isTrue();
    }
}
