package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.agent.control.FabricMirror.FloodId;
import dev.weft.agent.control.FabricMirror.Location;
import dev.weft.agent.worker.Command;
import dev.weft.base.IpAddress;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FabricMirrorTest {
    private static final UUID HERE = new UUID(1, 1);
    private static final UUID H2 = new UUID(2, 2);
    private static final UUID H3 = new UUID(3, 3);
    private static final long H2_LOW = IpAddress.parse("172.16.0.2").low();
    private static final long H3_LOW = IpAddress.parse("172.16.0.3").low();

    private final MemoryDatapath datapath =
            new MemoryDatapath(DatapathConfig.of(1, IpAddress.parse("172.16.0.1")), new MemoryFabric());
    private final MemoryTopologyStore store = new MemoryTopologyStore();
    private final List<Command> told = new ArrayList<>();
    private final FabricMirror mirror = new FabricMirror(HERE, datapath, told::add);
    private final TestNetwork net =
            new TestNetwork("t").bridge("left").vm("a", "left", HERE, false).vm("b", "left", H2, false);
    private VirtualNetwork network = VirtualNetwork.EMPTY;

    @AfterEach
    void close() {
        datapath.close();
        store.close();
    }

    private void build() {
        store.apply(Transaction.builder()
                .put(host(HERE, "here", 1))
                .put(host(H2, "h2", 2))
                .put(host(H3, "h3", 3))
                .build());
        store.apply(net.transaction());
        show();
    }

    private void show() {
        network = VirtualNetwork.compile(store.snapshot(), network);
        mirror.topology(network, store.snapshot());
    }

    private static Host host(UUID id, String name, int number) {
        return Host.newBuilder()
                .setId(id.toString())
                .setName(name)
                .setUnderlay("172.16.0." + number)
                .build();
    }

    private int b() {
        return network.portIndex(net.portId("b"));
    }

    @Test
    void aKeyThatCameBeforeItsPortWaitsForIt() {
        mirror.portKey(new Location(net.portId("b"), H2), 9);
        assertThat(told).isEmpty();

        build();

        assertThat(told).containsExactly(new Command.RemotePort(b(), 0, H2_LOW, 9));
        assertThat(mirror.counts()).isEqualTo(new FabricBoard.Counts(2, 1, 0));
    }

    @Test
    void whileAPortMovesTheTopologySaysWhichHostIsRight() {
        build();
        mirror.portKey(new Location(net.portId("b"), H2), 9);
        mirror.portKey(new Location(net.portId("b"), H3), 5);
        assertThat(told).containsExactly(new Command.RemotePort(b(), 0, H2_LOW, 9));

        store.apply(Transaction.builder().put(boundTo(H3)).build());
        show();
        mirror.portGone(new Location(net.portId("b"), H2));

        assertThat(told).last().isEqualTo(new Command.RemotePort(b(), 0, H3_LOW, 5));
        assertThat(told).hasSize(2);
    }

    private Port boundTo(UUID host) {
        Port port = store.snapshot().port(net.portId("b")).orElseThrow();
        return port.toBuilder().setHostId(host.toString()).build();
    }

    @Test
    void whatIsSaidAgainIsNotToldAgain() {
        build();
        mirror.floodKey(new FloodId(net.bridgeId("left"), 0, H2), 4);
        mirror.floodKey(new FloodId(net.bridgeId("left"), 0, H2), 4);
        show();
        mirror.floodKey(new FloodId(net.bridgeId("left"), 0, HERE), 4);

        assertThat(told)
                .containsExactly(
                        new Command.FloodTarget(network.bridgeIndex(net.bridgeId("left")), 0, H2, 0, H2_LOW, 4));
    }

    @Test
    void whatIsGoneIsTakenBack() {
        build();
        mirror.portKey(new Location(net.portId("b"), H2), 9);
        mirror.floodKey(new FloodId(net.bridgeId("left"), 0, H2), 4);
        told.clear();

        mirror.portGone(new Location(net.portId("b"), H2));
        mirror.floodGone(new FloodId(net.bridgeId("left"), 0, H2));

        assertThat(told)
                .containsExactly(
                        new Command.NoRemotePort(b()),
                        new Command.NoFloodTarget(network.bridgeIndex(net.bridgeId("left")), 0, H2));
    }
}
