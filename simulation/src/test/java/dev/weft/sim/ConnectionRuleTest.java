package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** Rules that ask for the connection of a packet know it, wherever they stand and whatever else they ask. */
class ConnectionRuleTest extends NatNetwork {
    private static final Frames QUESTION = Frames.udp("10.0.1.5:1000", "10.0.2.9:53");
    private static final Frames ANSWER = Frames.udp("10.0.2.9:53", "10.0.1.5:1000");

    private void hook(String kind, String name, String field, String... rules) {
        net.change(t -> t.chain("c", rules).hook(kind, name, field, "c"));
    }

    @Test
    void whatTheVmBeganIsAnsweredThoughOnlyItsOutboundChainAsks() {
        hook("port", "a", "outbound", "connection answer accept", "drop");
        assertThat(fromC(ANSWER)).isEqualTo("drop rule");
        assertThat(fromA(QUESTION)).endsWith("output c");
        assertThat(fromC(ANSWER)).endsWith("output a");
    }

    @Test
    void vmMayAnswerThoughOnlyItsInboundChainAsks() {
        hook("port", "c", "inbound", "connection answer accept", "drop");
        assertThat(fromC(ANSWER)).isEqualTo("drop rule");
        assertThat(fromA(QUESTION)).endsWith("output c");
        assertThat(fromC(ANSWER)).endsWith("output a");
    }

    @Test
    void ruleAboutAnswersOfOnePortKnowsThem() {
        hook("router", "r", "forward", "sport 53 connection answer reject");
        assertThat(fromA(QUESTION)).endsWith("output c");
        assertThat(fromC(ANSWER)).isEqualTo("drop refused");
    }

    @Test
    void ruleOfAnotherChainKnowsThemToo() {
        net.change(t -> t.chain("answers", "sport 53 connection answer drop")
                .chain("first", "from 10.0.2.0/24 jump answers")
                .chain("second", "to 192.0.2.0/24 jump answers")
                .hook("router", "r", "inbound", "first")
                .hook("router", "r", "outbound", "second"));
        assertThat(fromA(QUESTION)).endsWith("output c");
        assertThat(fromC(ANSWER)).isEqualTo("drop rule");
    }

    @Test
    void chainThatBeginsToAskMakesItsPacketsKnown() {
        hook("router", "r", "forward", "dport 99 drop");
        fromA(QUESTION);
        assertThat(net.tables().connections().size()).isZero();
        assertThat(net.flows()).hasSize(1);
        net.change(t -> t.chain("c", "dport 99 drop", "sport 53 connection answer accept", "sport 53 drop"));
        assertThat(net.flows()).as("decided again").isEmpty();
        fromA(QUESTION);
        assertThat(net.tables().connections().size()).isOne();
        assertThat(fromC(ANSWER)).endsWith("output a");
    }

    @Test
    void rulesSeeWhoAnswersBehindATranslatedDestination() {
        net.change(t -> t.nat("r", "web", "destination for 203.0.113.9 tcp 80 to 10.0.1.5 ports 8080"));
        hook(
                "router",
                "r",
                "forward",
                "to 10.0.1.5 accept",
                "from 10.0.1.5 sport 8080 connection answer accept",
                "drop");
        assertThat(fromOutside(Frames.tcp("198.51.100.7:4000", "203.0.113.9:80").flags(2)))
                .endsWith("output a");
        assertThat(fromA(Frames.tcp("10.0.1.5:8080", "198.51.100.7:4000").flags(0x12)))
                .contains("set-src 203.0.113.9")
                .contains("set-l4-src 80")
                .endsWith("output up");
    }
}
