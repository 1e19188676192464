package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Frames;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which packets are too long for which way, and who says so. The tunnel of these networks takes 1450 octets. */
class PathMtuTest {
    private static final int HEADERS = 28; // IPv4 and UDP

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .vm("a", "b1")
            .vm("z", "b2")
            .vm("small", "b1", "here", port -> port.setMtu(1300))
            .vm("far", "b2", "there")
            .vm("far-small", "b1", "there", port -> port.setMtu(1200)));

    private static Frames packet(String to, int length) {
        return Frames.udp("10.0.1.5:1000", to + ":53").payload(length - HEADERS).dontFragment();
    }

    private Frames toRouter(Frames frame) {
        return frame.from(net.mac("a")).to(net.mac("r-b1"));
    }

    /** The MTUs of the outputs, 0 for any. */
    private List<Integer> mtus(Frames frame) {
        var actions = ((Verdict.Forward) net.inject("a", frame).verdict()).actions();
        List<Integer> mtus = new ArrayList<>();
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            int operation = ActionList.operation(actions.word(i));
            if (operation == ActionList.OUTPUT || operation == ActionList.TUNNEL) {
                mtus.add(ActionList.mtu(actions.word(i)));
            }
        }
        return mtus;
    }

    @Test
    void anOutputTakesWhatItsPortAndTheTunnelTake() {
        net.learnMac("b1", net.mac("small"), "small");
        net.learnMac("b1", net.mac("far-small"), "far-small");
        net.settle("far", "10.0.2.7");
        assertThat(mtus(packet("10.0.1.9", 100).from(net.mac("a")).to(net.mac("small"))))
                .containsExactly(1300);
        assertThat(mtus(packet("10.0.1.9", 100).from(net.mac("a")).to(net.mac("far-small"))))
                .as("the far host only delivers")
                .containsExactly(1200);
        assertThat(mtus(toRouter(packet("10.0.2.7", 100)))).containsExactly(1450);
        assertThat(mtus(packet("10.0.1.9", 100).from(net.mac("a")).to("02:00:00:00:00:77")))
                .as("a flood: the other host sees to its own ports")
                .containsExactlyInAnyOrder(1300, 1450);
    }

    @Test
    void aTagTakesItsRoomInTheTunnel() {
        net.change(t -> t.vm("trunk", "b1", "there", port -> port.addTrunk("10")));
        net.learnMac("b1", 10, net.mac("trunk"), "trunk");
        assertThat(mtus(packet("10.0.1.9", 100)
                        .from(net.mac("a"))
                        .to(net.mac("trunk"))
                        .vlan(10)))
                .containsExactly(1446);
    }

    @Test
    void aRoutersPortNarrowsAllThatLeavesByIt() {
        net.settle("far", "10.0.2.7");
        net.change(t -> t.join("b2", "r", 1400, "10.0.2.1/24"));
        assertThat(mtus(toRouter(packet("10.0.2.7", 100)))).containsExactly(1400);
    }

    @Test
    void theRouterSaysWhatTheLinkTakes() {
        net.settle("far", "10.0.2.7");
        net.change(t -> t.join("b2", "r", 1400, "10.0.2.1/24"));
        var sent = net.injectTooLong("a", toRouter(packet("10.0.2.7", 1401)));
        assertThat(sent.outcome()).isEqualTo("drop too-long");
        assertThat(sent.cacheable()).isFalse();
        assertThat(sent.emitted())
                .singleElement()
                .asString()
                .startsWith("r-b1 icmp unreachable 10.0.1.1 > 10.0.1.5")
                .contains("mtu 1400");
        assertThat(net.injectTooLong("a", toRouter(packet("10.0.2.7", 1400))).outcome())
                .endsWith("tunnel to far");
    }

    @Test
    void theRouterSaysWhatTheTunnelTakes() {
        net.settle("far", "10.0.2.7");
        var sent = net.injectTooLong("a", toRouter(packet("10.0.2.7", 1451)));
        assertThat(sent.outcome()).isEqualTo("drop too-long");
        assertThat(sent.emitted()).singleElement().asString().contains("mtu 1450");
        assertThat(net.injectTooLong("a", toRouter(packet("10.0.2.7", 1450))).outcome())
                .endsWith("tunnel to far");
    }

    @Test
    void whatMayBeFragmentedIsDroppedInSilence() {
        net.settle("far", "10.0.2.7");
        var packet = Frames.udp("10.0.1.5:1000", "10.0.2.7:53").payload(1451 - HEADERS);
        var sent = net.injectTooLong("a", toRouter(packet));
        assertThat(sent.outcome()).isEqualTo("drop too-long");
        assertThat(sent.emitted()).isEmpty();
    }

    @Test
    void onOneBridgeTheAnswerComesInTheNameOfTheReceiver() {
        net.learnMac("b1", net.mac("far-small"), "far-small");
        var sent = net.injectTooLong(
                "a", packet("10.0.1.9", 1201).from(net.mac("a")).to(net.mac("far-small")));
        assertThat(sent.outcome()).isEqualTo("drop too-long");
        assertThat(sent.emitted())
                .singleElement()
                .asString()
                .startsWith("a icmp unreachable 10.0.1.9 > 10.0.1.5")
                .contains("mtu 1200")
                .endsWith("-> output a");
        var six = Frames.udp("[fd00:1::5]:1", "[fd00:1::9]:2").payload(1200);
        sent = net.injectTooLong("a", six.from(net.mac("a")).to(net.mac("far-small")));
        assertThat(sent.emitted()).singleElement().asString().contains("mtu 1200");
    }

    @Test
    void nothingIsAnsweredAboutFloods() {
        var sent = net.injectTooLong(
                "a", packet("255.255.255.255", 1460).from(net.mac("a")).to("ff:ff:ff:ff:ff:ff"));
        assertThat(sent.emitted()).isEmpty();
    }

    @Test
    void aChangedMtuTakesItsFlowsAlong() {
        net.learnMac("b1", net.mac("small"), "small");
        mtus(packet("10.0.1.9", 100).from(net.mac("a")).to(net.mac("small")));
        assertThat(net.flows()).hasSize(1);
        net.change(t -> t.vm("small", "b1", "here", port -> port.setMtu(1280)));
        assertThat(net.flows()).isEmpty();
    }
}
