package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Host;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LocalViewTest {
    private static final UUID HERE = new UUID(1, 1);
    private static final UUID THERE = new UUID(2, 2);

    @Test
    void aHostFollowsWhatItsOwnPortsCanReachAndNothingElse() {
        var joined = new TestNetwork("one")
                .bridge("left")
                .bridge("right")
                .router("r")
                .join("left", "r", "02:00:00:00:01:01", "10.0.1.1/24")
                .join("right", "r", "02:00:00:00:01:02", "10.0.2.1/24")
                .vm("a", "left", HERE, false)
                .vm("b", "right", THERE, false);
        var apart = new TestNetwork("two").bridge("far").vm("c", "far", THERE, false);
        try (var store = new MemoryTopologyStore()) {
            store.apply(hosts());
            store.apply(joined.transaction());
            store.apply(apart.transaction());

            var view = LocalView.of(store.snapshot(), HERE, Map.of());

            assertThat(view.ports()).containsOnlyKeys(joined.portId("a"));
            assertThat(view.bridges()).containsExactlyInAnyOrder(joined.bridgeId("left"), joined.bridgeId("right"));
            assertThat(view.routers()).containsExactly(joined.routerId("r"));
            assertThat(view.floods()).containsExactly(new FloodDomain(joined.bridgeId("left"), 0));
            assertThat(LocalView.of(store.snapshot(), new UUID(3, 3), Map.of())).isEqualTo(LocalView.EMPTY);
        }
    }

    @Test
    void aHostTakesFloodsOfTheVlansThatItsPortsAreIn() {
        var net = new TestNetwork("one")
                .bridge("b")
                .vm("access", "b", HERE, port -> port.setVlan(10))
                .vm("trunk", "b", HERE, port -> port.addTrunk("20-30").setNativeVlan(7))
                .vm("there", "b", THERE, port -> port.setVlan(11));
        try (var store = new MemoryTopologyStore()) {
            store.apply(hosts());
            store.apply(net.transaction());
            assertThat(LocalView.of(store.snapshot(), HERE, Map.of()).floods())
                    .containsExactlyInAnyOrder(
                            new FloodDomain(net.bridgeId("b"), 10),
                            new FloodDomain(net.bridgeId("b"), 0),
                            new FloodDomain(net.bridgeId("b"), 7));
        }
    }

    private static Transaction hosts() {
        return Transaction.builder()
                .put(host(HERE, "here", 1))
                .put(host(THERE, "there", 2))
                .build();
    }

    private static Host host(UUID id, String name, int number) {
        return Host.newBuilder()
                .setId(id.toString())
                .setName(name)
                .setUnderlay("172.16.0." + number)
                .build();
    }
}
