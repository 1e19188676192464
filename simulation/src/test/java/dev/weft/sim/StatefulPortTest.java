package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** What a stateful port lets in, as a specification. */
class StatefulPortTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24")
            .join("b2", "r", "10.0.2.1/24")
            .statefulVm("a", "b1", "here")
            .vm("z", "b2")
            .vm("far", "b2", "there")
            .statefulVm("s", "b2", "there"));

    StatefulPortTest() {
        net.settle("a", "10.0.1.5");
        net.settle("z", "10.0.2.9");
        net.settle("far", "10.0.2.7");
        net.settle("s", "10.0.2.6");
    }

    private Frames out(Frames frame) {
        return frame.from(net.mac("a")).to(net.mac("r-b1"));
    }

    private Frames in(Frames frame) {
        return frame.from(net.mac("z")).to(net.mac("r-b2"));
    }

    @Test
    void letsInAnswersOnly() {
        var question = out(Frames.udp("10.0.1.5:1000", "10.0.2.9:53"));
        var answer = in(Frames.udp("10.0.2.9:53", "10.0.1.5:1000"));
        var before = net.inject("z", answer);
        assertThat(before.outcome()).isEqualTo("drop stateful");
        assertThat(net.flows()).hasSize(1);
        assertThat(net.inject("a", question).outcome()).endsWith("output z");
        assertThat(net.flows())
                .as("the drop rested on there being no connection")
                .extracting(Topology.Flow::name)
                .doesNotContain("z");
        assertThat(net.inject("z", answer).outcome()).endsWith("output a");
        assertThat(net.inject("z", in(Frames.udp("10.0.2.9:54", "10.0.1.5:1000")))
                        .outcome())
                .isEqualTo("drop stateful");
    }

    @Test
    void knowsTcpAndEchoApart() {
        net.inject("a", out(Frames.echoRequest("10.0.1.5", "10.0.2.9", 7, 1)));
        assertThat(net.inject("z", in(Frames.echoReply("10.0.2.9", "10.0.1.5", 7, 1)))
                        .outcome())
                .endsWith("output a");
        assertThat(net.inject("z", in(Frames.echoReply("10.0.2.9", "10.0.1.5", 8, 1)))
                        .outcome())
                .isEqualTo("drop stateful");
        assertThat(net.inject("z", in(Frames.echoRequest("10.0.2.9", "10.0.1.5", 7, 1)))
                        .outcome())
                .as("a question is no answer")
                .isEqualTo("drop stateful");
        net.inject("a", out(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").flags(2)));
        assertThat(net.inject("z", in(Frames.tcp("10.0.2.9:80", "10.0.1.5:1000")))
                        .outcome())
                .endsWith("output a");
    }

    @Test
    void namesTheHostThatWillSeeTheAnswer() {
        var packet = out(Frames.udp("10.0.1.5:1000", "10.0.2.7:53")).packet();
        packet.key.setIngress(net.portIndex("a") + 1, 0);
        var out = new Outcome();
        net.simulator().simulate(packet, net.portIndex("a"), net.now, out);
        assertThat(out.hasConnection()).isTrue();
        assertThat(out.interestedCount()).isOne();
        assertThat(out.connection().forward.srcPort()).isEqualTo(1000);
        assertThat(out.connection().answer.srcPort()).isEqualTo(53);
    }

    @Test
    void guardsAStatefulPortOfAnotherHostHere() {
        var sent = net.inject(
                "z", Frames.udp("10.0.2.9:1", "10.0.2.6:2").from(net.mac("z")).to(net.mac("s")));
        assertThat(sent.outcome()).isEqualTo("drop stateful");
    }

    @Test
    void letsInErrorsAboutWhatItsVmSent() {
        net.inject("a", out(Frames.udp("10.0.1.5:1000", "10.0.2.9:53").ttl(9)));
        net.failNeighbour("r", "10.0.2.77");
        var lost = net.inject("a", out(Frames.udp("10.0.1.5:1000", "10.0.2.77:53")));
        assertThat(lost.outcome()).isEqualTo("drop host-unreachable");
        assertThat(lost.emitted()).hasSize(1).first().asString().endsWith("-> output a");
    }

    @Test
    void keepsOutErrorsAboutNothing() {
        var sent = net.inject("z", in(Frames.icmp("10.0.2.9", "10.0.1.5", 3, 1, 0)));
        assertThat(sent.outcome()).isEqualTo("drop stateful");
    }

    @Test
    void answersItsPingOfTheRouter() {
        var sent = net.inject("a", out(Frames.echoRequest("10.0.1.5", "10.0.1.1", 7, 1)));
        assertThat(sent.emitted()).hasSize(1).first().asString().endsWith("-> output a");
    }

    @Test
    void letsInArpButNoOtherProtocols() {
        var arp = Frames.arpRequest("10.0.1.8", "10.0.1.5").from("02:00:00:00:00:88");
        net.change(t -> t.vm("c", "b1"));
        assertThat(net.inject("c", arp).outcome()).isEqualTo("output a");
        var other =
                Frames.ethernet(0x88cc).payload(20).from("02:00:00:00:00:88").to(net.mac("a"));
        assertThat(net.inject("c", other).outcome()).isEqualTo("drop stateful");
    }

    @Test
    void provesTheWholeTuple() {
        var sent =
                net.inject("a", out(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").flags(2)));
        assertThat(sent.mask().word(3)
                        & sent.mask().word(4)
                        & sent.mask().word(5)
                        & sent.mask().word(6))
                .isEqualTo(-1L);
        long flags = FlowKey.TCP_SYN | FlowKey.TCP_OPENS;
        assertThat(sent.mask().word(7) | 0xff_0000_0000_0000L)
                .as("all but DSCP")
                .isEqualTo(0xffff_ff00_ffff_ffffL | flags << 32);
    }

    @Test
    void refusalsReachTheVmThatIsRefused() {
        for (String where : new String[] {"router r forward", "port z outbound", "bridge b2 inbound"}) {
            String[] words = where.split(" ");
            net.change(t -> t.chain("no", "dport 80 reject").hook(words[0], words[1], words[2], "no"));
            assertThat(net.inject(
                                    "a",
                                    out(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80")
                                            .flags(2)))
                            .emitted())
                    .as(where)
                    .singleElement()
                    .asString()
                    .startsWith("r-b1 tcp 10.0.2.9:80 > 10.0.1.5:1000")
                    .endsWith("-> output a");
            assertThat(net.inject("a", out(Frames.udp("10.0.1.5:1000", "10.0.2.9:80")))
                            .emitted())
                    .as(where)
                    .singleElement()
                    .asString()
                    .startsWith("r-b1 icmp unreachable 10.0.1.1 > 10.0.1.5")
                    .endsWith("-> output a");
            net.change(t -> t.hook(words[0], words[1], words[2], ""));
        }
    }

    @Test
    void refusalsReachTheVmThatIsRefusedThroughTranslation() {
        net.change(t -> t.router("far")
                .joinRouters("r", "192.0.2.1/24", "far", "192.0.2.2/24")
                .route("r", "0.0.0.0/0 port r-far via 192.0.2.2")
                .route("far", "0.0.0.0/0 reject")
                .nat("r", "out", "source from 10.0.0.0/8 out of r-far to 192.0.2.10")
                .chain("no", "dport 80 reject")
                .hook("router", "far", "inbound", "no"));
        net.grant("out", "192.0.2.10", 20000, 64);
        assertThat(net.inject(
                                "a",
                                out(Frames.tcp("10.0.1.5:1000", "198.51.100.7:80")
                                        .flags(2)))
                        .emitted())
                .singleElement()
                .asString()
                .contains("set-dst 10.0.1.5")
                .contains("set-l4-dst 1000")
                .endsWith("output a");
        assertThat(net.inject("a", out(Frames.udp("10.0.1.5:1000", "198.51.100.7:80")))
                        .emitted())
                .singleElement()
                .asString()
                .contains("set-dst 10.0.1.5")
                .endsWith("output a");
    }

    @Test
    void refusalOfWhatNobodyAskedForIsNoWayIn() {
        net.change(t -> t.chain("no", "dport 80 reject").hook("router", "r", "forward", "no"));
        assertThat(net.inject("z", in(Frames.tcp("10.0.2.9:1000", "10.0.1.5:80").flags(2)))
                        .emitted())
                .singleElement()
                .asString()
                .endsWith("-> output z");
        assertThat(net.inject("z", in(Frames.tcp("10.0.1.5:1000", "10.0.2.9:80").flags(2)))
                        .emitted())
                .as("a reset towards a VM in whose name somebody else asked")
                .noneMatch(emit -> emit.endsWith("output a"));
    }
}
