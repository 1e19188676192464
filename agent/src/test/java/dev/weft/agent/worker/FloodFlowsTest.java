package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Frames;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FloodFlowsTest {
    private static final int KEY = 77;
    private static final IpAddress HERE = IpAddress.parse("172.16.0.1");
    private static final IpAddress THERE = IpAddress.parse("172.16.0.2");

    private final MemoryFabric fabric = new MemoryFabric();
    private final WorkerBench bench = new WorkerBench(fabric, "172.16.0.1", 2, 4096);
    private final MemoryDatapath other = new MemoryDatapath(DatapathConfig.of(1, THERE), fabric);
    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .vm("a", "left", WorkerBench.HERE, false)
            .vm("b", "left", WorkerBench.HERE, true);

    @AfterEach
    void close() {
        bench.close();
        other.close();
    }

    private void build() {
        bench.build(net);
        bench.datapath.setPeers(Set.of(THERE));
        bench.datapath.bindTunnelKey(KEY, Datapath.TO_WORKER);
        bench.tell(new Command.FloodKey(bench.network.bridgeIndex(net.bridgeId("left")), 0, KEY));
    }

    @Test
    void theFirstFloodOfAKindThatEveryKernelSendsNeedsNoSimulationAtItsEgress() {
        build();
        int a = bench.attach(net, "a");
        int b = bench.attach(net, "b"); // stateful: it tells kinds of frames apart

        flood(Frames.arpRequest("10.0.0.1", "10.0.0.2"));
        flood(Frames.neighbourSolicitation("fd00::1", "fd00::2"));
        flood(Frames.icmp("fe80::1", "ff02::2", 133, 0, 0));
        flood(Frames.icmp("fe80::1", "ff02::16", 143, 0, 0).payload(20));

        assertThat(bench.datapath.statistics().tunnelUpcalls()).isZero();
        assertThat(frames(a)).isEqualTo(4);
        assertThat(frames(b))
                .as("solicitations of neighbours and routers are let in")
                .isBetween(2, 3);
    }

    @Test
    void aPortThatComesAndGoesChangesTheFlowsAtOnce() {
        build();
        int a = bench.attach(net, "a");
        flood(Frames.arpRequest("10.0.0.1", "10.0.0.2"));
        assertThat(frames(a)).isEqualTo(1);

        bench.tell(new Command.NoLocalPort(bench.network.portIndex(net.portId("a"))));
        flood(Frames.arpRequest("10.0.0.1", "10.0.0.2"));

        assertThat(frames(a)).isZero();
        assertThat(bench.datapath.statistics().tunnelUpcalls()).isZero();
    }

    @Test
    void anotherHostThatJoinsTheBridgeDoesNotTakeTheFlowAway() {
        build();
        int a = bench.attach(net, "a");
        bench.tell(new Command.FloodTarget(
                bench.network.bridgeIndex(net.bridgeId("left")), 0, WorkerBench.THERE, THERE.high(), THERE.low(), 9));

        flood(Frames.arpRequest("10.0.0.1", "10.0.0.2"));

        assertThat(frames(a)).isEqualTo(1);
        assertThat(bench.datapath.statistics().tunnelUpcalls()).isZero();
    }

    @Test
    void aFloodFlowThatWasIdleForLongIsThereForTheNextFlood() {
        build();
        int a = bench.attach(net, "a");
        for (int i = 0; i < 40; i++) {
            bench.now += 1_000_000_000L;
            bench.turn();
        }

        flood(Frames.arpRequest("10.0.0.1", "10.0.0.2"));

        assertThat(frames(a)).isEqualTo(1);
        assertThat(bench.datapath.statistics().tunnelUpcalls()).isZero();
    }

    @Test
    void floodsOfAVlanAreInItsFormAtEachPortWithoutSimulation() {
        var vlans = new TestNetwork("v")
                .bridge("b")
                .vm("access", "b", WorkerBench.HERE, port -> port.setVlan(10))
                .vm("trunk", "b", WorkerBench.HERE, port -> port.addTrunk("10-11"));
        bench.build(vlans);
        bench.datapath.setPeers(Set.of(THERE));
        bench.datapath.bindTunnelKey(KEY, Datapath.TO_WORKER);
        bench.datapath.bindTunnelKey(KEY + 1, Datapath.TO_WORKER);
        int bridge = bench.network.bridgeIndex(vlans.bridgeId("b"));
        bench.tell(new Command.FloodKey(bridge, 10, KEY));
        bench.tell(new Command.FloodKey(bridge, 0, KEY + 1));
        int access = bench.attach(vlans, "access");
        int trunk = bench.attach(vlans, "trunk");

        flood(KEY, Frames.arpRequest("10.0.0.1", "10.0.0.2"));
        assertThat(frames(access)).isEqualTo(1);
        assertThat(frames(trunk)).isEqualTo(1);

        flood(KEY + 1, Frames.arpRequest("10.0.0.1", "10.0.0.2").vlan(11));
        assertThat(frames(access)).as("of VLAN 11").isZero();
        assertThat(frames(trunk)).isEqualTo(1);
        assertThat(bench.datapath.statistics().tunnelUpcalls()).isZero();
    }

    private void flood(Frames frame) {
        flood(KEY, frame);
    }

    private void flood(int key, Frames frame) {
        byte[] octets = frame.bytes();
        var actions = new ActionList();
        actions.tunnel(HERE.high(), HERE.low(), key, 0);
        other.worker(0).execute(MemorySegment.ofArray(octets), 0, octets.length, 0, actions);
        bench.turn();
    }

    private int frames(int port) {
        int count = 0;
        while (bench.receive(port) != null) {
            count++;
        }
        return count;
    }
}
