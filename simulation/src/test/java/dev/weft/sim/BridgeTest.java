package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** What a bridge does, as a specification. */
class BridgeTest {
    private static final String SEED = "02:00:00:00:00:99";

    private final Topology net = Topology.build(t -> t.bridge("b", "10.0.1.99=" + SEED, "fd00:1::99=" + SEED)
            .router("r")
            .join("b", "r", "10.0.1.1/24", "fd00:1::1/64")
            .vm("a", "b")
            .vm("z", "b")
            .vm("far", "b", "there")
            .vm("off", "b", "yonder"));

    private Frames udp(String from, String to) {
        return Frames.udp("10.0.1.5:1000", "10.0.1.9:53").from(net.mac(from)).to(net.mac(to));
    }

    @Test
    void floodsWhatItDoesNotKnowOncePerHostAndNeverBack() {
        var sent = net.inject("a", udp("a", "z"));
        assertThat(sent.outcome()).startsWith("output z, flood b, flood b");
        assertThat(sent.outcome()).doesNotContain("output a");
        assertThat(sent.cacheable()).isTrue();
    }

    @Test
    void forwardsToWhereItLearnedTheMac() {
        net.inject("z", udp("z", "a"));
        assertThat(net.inject("a", udp("a", "z")).outcome()).isEqualTo("output z");
    }

    @Test
    void forgetsTheFloodWhenItLearns() {
        net.inject("a", udp("a", "z"));
        assertThat(net.flows()).hasSize(1);
        net.inject("z", udp("z", "a"));
        assertThat(net.flows())
                .as("the flood rested on not knowing z")
                .extracting(Topology.Flow::name)
                .containsExactly("z");
    }

    @Test
    void sendsToTheHostOfAPort() {
        net.learnMac("b", net.mac("far"), "far");
        assertThat(net.inject("a", udp("a", "far")).outcome()).isEqualTo("tunnel to far");
    }

    @Test
    void dropsForAHostThatIsDownUntilItIsBack() {
        net.learnMac("b", net.mac("far"), "far");
        net.lose("far");
        assertThat(net.inject("a", udp("a", "far")).outcome()).isEqualTo("drop not-located");
        assertThat(net.flows()).hasSize(1);
        net.change(t -> t.vm("far", "b", "there"));
        assertThat(net.flows()).isEmpty();
        assertThat(net.inject("a", udp("a", "far")).outcome()).isEqualTo("tunnel to far");
    }

    @Test
    void dropsWhatIsForThePortItCameFrom() {
        net.learnMac("b", net.mac("z"), "a");
        assertThat(net.inject("a", udp("a", "z")).outcome()).isEqualTo("drop same-port");
    }

    @Test
    void dropsAGroupSource() {
        assertThat(net.inject("a", udp("a", "z").from("03:00:00:00:00:01")).outcome())
                .isEqualTo("drop group-source-mac");
    }

    @Test
    void letsTheRouterAnswerForItsOwnAddress() {
        var sent = net.inject("a", Frames.arpRequest("10.0.1.5", "10.0.1.1").from(net.mac("a")));
        assertThat(sent.outcome()).isEqualTo("consumed");
        assertThat(sent.emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r-b arp reply 10.0.1.1")
                .contains(net.mac("r-b"))
                .endsWith("-> output a");
        assertThat(net.tables().neighbourCount())
                .as("the router learned the asker")
                .isOne();
    }

    @Test
    void answersForSeededNeighbours() {
        var sent = net.inject("a", Frames.arpRequest("10.0.1.5", "10.0.1.99").from(net.mac("a")));
        assertThat(sent.outcome()).isEqualTo("consumed");
        assertThat(sent.emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("a arp reply 10.0.1.99")
                .contains(SEED)
                .endsWith("-> output a");
    }

    @Test
    void answersSolicitationsForSeededNeighboursAndTheRouter() {
        var seeded = net.inject(
                "a", Frames.neighbourSolicitation("fd00:1::5", "fd00:1::99").from(net.mac("a")));
        assertThat(seeded.outcome()).isEqualTo("consumed");
        assertThat(seeded.emitted())
                .hasSize(1)
                .first()
                .asString()
                .contains("fd00:1::99")
                .endsWith("-> output a");
        var router = net.inject(
                "a", Frames.neighbourSolicitation("fd00:1::5", "fd00:1::1").from(net.mac("a")));
        assertThat(router.emitted())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("r-b")
                .endsWith("-> output a");
        assertThat(net.tables().neighbourCount()).isOne();
    }

    @Test
    void floodsQuestionsForOthersWithoutCachingThem() {
        var sent = net.inject("a", Frames.arpRequest("10.0.1.5", "10.0.1.9").from(net.mac("a")));
        assertThat(sent.outcome()).isEqualTo("output z, flood b, flood b");
        assertThat(sent.cacheable()).isFalse();
    }

    @Test
    void passesTaggedFramesByWhatTheirVlanTaught() {
        net.inject("z", udp("z", "a").vlan(7));
        assertThat(net.inject("a", udp("a", "z").vlan(7)).outcome()).isEqualTo("output z");
        assertThat(net.inject("a", udp("a", "z")).outcome())
                .as("untagged is another VLAN")
                .startsWith("output z, fl");
    }

    @Test
    void neverAnswersTaggedQuestions() {
        var sent = net.inject(
                "a",
                Frames.arpRequest("10.0.1.5", "10.0.1.1").from(net.mac("a")).vlan(7));
        assertThat(sent.outcome()).isEqualTo("output z, flood b, flood b");
        assertThat(sent.emitted()).isEmpty();
    }

    @Test
    void deliversAFloodFromAnotherHostToItsOwnPortsOnly() {
        assertThat(net.injectFlood("b", udp("far", "nobody")).outcome().split(", "))
                .containsExactlyInAnyOrder("output a", "output z");
    }

    @Test
    void spansBridgesJoinedToEachOther() {
        var wide = Topology.build(t -> t.bridge("b1")
                .bridge("b2")
                .joinBridges("b1", "b2")
                .vm("a", "b1")
                .vm("z", "b2"));
        var there = Frames.udp("10.0.1.5:1", "10.0.1.9:2").from(wide.mac("a")).to(wide.mac("z"));
        var back = Frames.udp("10.0.1.9:2", "10.0.1.5:1").from(wide.mac("z")).to(wide.mac("a"));
        assertThat(wide.inject("a", there).outcome()).isEqualTo("output z");
        assertThat(wide.inject("z", back).outcome()).isEqualTo("output a");
        assertThat(wide.explain("a", there)).contains("is on port b1-b2");
    }

    @Test
    void endsALoopOfBridges() {
        var ring = Topology.build(t -> t.bridge("b1")
                .bridge("b2")
                .bridge("b3")
                .joinBridges("b1", "b2")
                .joinBridges("b2", "b3")
                .joinBridges("b3", "b1")
                .vm("a", "b1")
                .vm("z", "b2"));
        var sent = ring.inject(
                "a", Frames.udp("10.0.1.5:1", "10.0.1.9:2").from(ring.mac("a")).to("02:00:00:00:00:77"));
        assertThat(sent.outcome()).isEqualTo("drop loop");
    }

    @Test
    void proveUnicastByMacsAndVlanAlone() {
        net.learnMac("b", net.mac("z"), "z");
        var sent = net.inject("a", udp("a", "z"));
        assertThat(sent.mask().word(1)).as("destination MAC, no ethertype").isEqualTo(~0xffffL);
        for (int word = 3; word < 10; word++) {
            assertThat(sent.mask().word(word)).as("word " + word).isZero();
        }
    }
}
