package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpPrefix;
import dev.weft.sim.packet.Frames;
import org.junit.jupiter.api.Test;

/** A change invalidates the flows it concerns and no others. */
class DeltaTest {
    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24")
            .join("b2", "r", "10.0.2.1/24")
            .vm("a", "b1")
            .vm("z", "b2")
            .vm("y", "b2"));

    DeltaTest() {
        net.settle("a", "10.0.1.5");
        net.settle("z", "10.0.2.9");
        net.settle("y", "10.0.2.8");
        inject("10.0.2.9");
    }

    private void inject(String destination) {
        var frame =
                Frames.udp("10.0.1.5:1", destination + ":2").from(net.mac("a")).to(net.mac("r-b1"));
        assertThat(net.inject("a", frame).cacheable()).isTrue();
    }

    @Test
    void newRouteInvalidatesOnlyFlowsItCovers() {
        var delta = net.change(t -> t.route("r", "10.0.3.0/24 blackhole"));
        assertThat(delta.routes()).extracting(RouteChange::prefix).containsExactly(IpPrefix.parse("10.0.3.0/24"));
        assertThat(delta.tags()).isEmpty();
        assertThat(net.flows()).as("unrelated prefix").hasSize(1);
        net.change(t -> t.route("r", "10.0.2.8/29 blackhole"));
        assertThat(net.flows()).as("covers 10.0.2.9").isEmpty();
    }

    @Test
    void shorterRouteChangesNothing() {
        net.change(t -> t.route("r", "10.0.0.0/16 blackhole"));
        assertThat(net.flows()).hasSize(1);
    }

    @Test
    void anotherPortOfTheBridgeConcernsFloodsOnly() {
        inject("10.0.2.8");
        net.change(t -> t.vm("x", "b2"));
        assertThat(net.flows()).hasSize(2);
        net.change(t -> t.removePort("x"));
        assertThat(net.flows()).hasSize(2);
        net.change(t -> t.removePort("y"));
        assertThat(net.flows()).hasSize(1);
    }

    @Test
    void seedsConcernTheirAddressOnly() {
        inject("10.0.2.8");
        net.change(t -> t.bridge("b2", "10.0.2.8=02:00:00:00:00:88"));
        assertThat(net.flows()).hasSize(1);
    }

    @Test
    void namesNothingWhenOnlyANameChanges() {
        var before = net.network();
        assertThat(net.change(t -> t.bridge("unrelated")).isEmpty()).isTrue();
        assertThat(net.network().bridge(net.bridgeIndex("b1")))
                .as("shared, not rebuilt")
                .isSameAs(before.bridge(net.bridgeIndex("b1")));
    }

    @Test
    void keepsIndicesForGood() {
        int port = net.portIndex("y");
        net.change(t -> t.removePort("y"));
        net.change(t -> t.vm("new", "b2"));
        assertThat(net.portIndex("new")).isNotEqualTo(port);
        net.change(t -> t.vm("y", "b2"));
        assertThat(net.portIndex("y")).isEqualTo(port);
    }
}
