package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.Allocation;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.DropReason;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.trace.PacketExpression;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WorkerTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final String LEFT_GATE = "02:00:00:00:01:01";
    private static final String RIGHT_GATE = "02:00:00:00:02:01";
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:02:09";
    private static final String A = "10.0.1.5";
    private static final String B = "10.0.2.9";

    private final MemoryFabric fabric = new MemoryFabric();
    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .bridge("right")
            .router("r")
            .join("left", "r", LEFT_GATE, "10.0.1.1/24")
            .join("right", "r", RIGHT_GATE, "10.0.2.1/24", "10.0.128.1/17")
            .vm("a", "left", WorkerBench.HERE, false)
            .vm("b", "right", WorkerBench.HERE, false);
    private WorkerBench bench = new WorkerBench(fabric, "172.16.0.1", 2, 4096);
    private int a;
    private int b;

    private void build() {
        bench.build(net);
        a = bench.attach(net, "a");
        b = bench.attach(net, "b");
        bench.now += SECOND;
        bench.turn();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void aPacketWaitsForTheMacOfItsDestinationAndGoesOnWhenItIsKnown() {
        build();

        bench.send(a, echo(1));

        assertThat(text(b)).contains("arp request").contains(B);
        assertThat(bench.receive(b)).isNull();
        assertThat(bench.count(WorkerCounter.PARKED)).isEqualTo(1);
        bench.send(b, Frames.arpReply(B, "10.0.2.1").from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(text(b)).contains("echo-request").contains("ttl 63");
        assertThat(bench.lessons).contains("neighbour " + B);
    }

    @Test
    void aSilentNeighbourIsAskedFiveTimesAndThenSaidToBeUnreachable() {
        build();
        learnA();

        bench.send(a, echo(1));
        var seen = new ArrayList<String>();
        for (int i = 0; i < 130; i++) {
            bench.now += SECOND / 20;
            bench.turn();
            for (byte[] frame = bench.receive(b); frame != null; frame = bench.receive(b)) {
                seen.add(PacketExpression.print(frame));
            }
        }

        assertThat(seen).hasSize(5).allMatch(question -> question.contains("arp request"));
        assertThat(text(a)).contains("icmp").contains("unreachable");
        assertThat(bench.dropped(WorkerDrop.PARKING_TIMEOUT)).isZero();
    }

    @Test
    void theNextPacketOfAFlowCausesNoUpcall() {
        build();
        learnA();
        learnB();
        bench.send(a, echo(1));
        long before = bench.count(WorkerCounter.UPCALLS);

        bench.send(a, echo(2));

        assertThat(bench.count(WorkerCounter.UPCALLS)).isEqualTo(before);
        assertThat(text(b)).contains("seq 1");
        assertThat(text(b)).contains("seq 2");
    }

    @Test
    void aBurstOfOneNewFlowIsSimulatedOnce() {
        build();
        learnA();
        learnB();

        for (int i = 0; i < 20; i++) {
            bench.datapath.send(a, echo(i));
        }
        bench.turn();

        assertThat(bench.count(WorkerCounter.UPCALLS)).isEqualTo(20);
        assertThat(bench.count(WorkerCounter.SIMULATIONS)).isEqualTo(1);
        assertThat(bench.count(WorkerCounter.REPEATED)).isEqualTo(19);
        for (int i = 0; i < 20; i++) {
            assertThat(text(b)).contains("seq " + i).contains("ttl 63");
        }
    }

    @Test
    void aBurstAfterAChangeIsSimulatedAnew() {
        build();
        learnA();
        learnB();
        bench.send(a, echo(1));
        var address = IpAddress.parse(B);
        bench.tell(new Command.NeighbourForgotten(
                router(), address.high(), address.low(), mac(B_MAC), routerPort("right")));

        bench.send(a, echo(2));

        assertThat(bench.count(WorkerCounter.REPEATED)).isZero();
        assertThat(bench.count(WorkerCounter.PARKED)).isEqualTo(1);
    }

    @Test
    void useThatIsReadInPartsKeepsEveryUsedFlow() {
        build();
        learnA();
        bench.datapath.setSink(b, (segment, offset, length) -> {});
        for (int i = 0; i < 6_000; i++) {
            neighbour("right", address(i), B_MAC);
        }

        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < 6_000; i++) {
                bench.datapath.send(a, udp(i));
                if (i % 32 == 0) {
                    bench.turn();
                }
            }
            bench.now += 10 * SECOND;
            bench.turn();
        }

        assertThat(bench.count(WorkerCounter.IDLE)).isZero();
        assertThat(bench.count(WorkerCounter.INSTALLED)).isEqualTo(6_000);
    }

    @Test
    void aFullBookLetsTheMostIdleFlowsGo() {
        bench.close();
        bench = new WorkerBench(fabric, "172.16.0.1", 1, 100);
        build();
        learnA();
        bench.datapath.setSink(b, (segment, offset, length) -> {});
        for (int i = 0; i < 200; i++) {
            neighbour("right", address(i), B_MAC);
            bench.send(a, udp(i));
        }

        assertThat(bench.datapath.flows()).hasSize(100);
        assertThat(bench.count(WorkerCounter.EVICTED)).isEqualTo(100);
    }

    @Test
    void anotherTunnelMtuConcernsTheFlowsThatGoThroughTheTunnelAndNoOthers() {
        net.vm("far", "right", WorkerBench.THERE, false);
        build();
        learnA();
        learnB();
        var there = IpAddress.parse("172.16.0.2");
        bench.tell(new Command.RemotePort(bench.network.portIndex(net.portId("far")), there.high(), there.low(), 77));
        neighbour("right", "10.0.2.77", "02:00:00:00:02:77", "far");
        bench.send(a, echo(1));
        bench.send(
                a,
                Frames.echoRequest(A, "10.0.2.77", 7, 1)
                        .from(A_MAC)
                        .to(LEFT_GATE)
                        .bytes());
        assertThat(bench.datapath.flows()).hasSize(2);

        bench.tell(new Command.TunnelMtu(1300));

        assertThat(bench.datapath.flows())
                .singleElement()
                .satisfies(flow -> assertThat(flow.actions().toString()).contains("output"));
    }

    @Test
    void aForgottenNeighbourTakesItsFlowsAlongAndNoOthers() {
        build();
        learnA();
        learnB();
        bench.send(a, echo(1));
        bench.send(b, Frames.echoReply(B, A, 7, 1).from(B_MAC).to(RIGHT_GATE).bytes());
        int flows = bench.datapath.flows().size();

        var address = IpAddress.parse(B);
        bench.tell(new Command.NeighbourForgotten(
                router(), address.high(), address.low(), mac(B_MAC), routerPort("right")));

        assertThat(bench.datapath.flows()).hasSize(flows - 1);
    }

    @Test
    void idleFlowsGoAndUsedOnesStay() {
        build();
        learnA();
        learnB();
        bench.send(a, echo(1));
        bench.send(b, Frames.echoReply(B, A, 7, 1).from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(bench.datapath.flows()).hasSize(2);

        for (int i = 0; i < 31; i++) {
            bench.now += SECOND;
            bench.send(a, echo(i));
        }

        assertThat(bench.datapath.flows()).hasSize(1);
    }

    @Test
    void malformedAndStrayFramesAreCountedByReason() {
        build();
        bench.datapath.bindTunnelKey(77, dev.weft.datapath.Datapath.TO_WORKER);
        bench.datapath.setPeers(java.util.Set.of(IpAddress.parse("172.16.0.2")));
        bench.tell(new Command.NoLocalPort(bench.network.portIndex(net.portId("b"))));

        bench.send(b, echo(1));

        assertThat(bench.dropped(WorkerDrop.UNBOUND_PORT)).isEqualTo(1);
    }

    @Test
    void theVirtualNetworkAnswersOnePortWithSoManyErrorsASecond() {
        build();
        learnA();

        for (int i = 0; i < 50; i++) {
            bench.send(
                    a,
                    Frames.udp(A + ":1000", "203.0.113.9:" + i)
                            .from(A_MAC)
                            .to(LEFT_GATE)
                            .ttl(1)
                            .bytes());
        }

        assertThat(bench.workers.stream()
                                .mapToLong(w -> w.counters().get(DropReason.TTL_EXPIRED))
                                .sum()
                        + bench.workers.stream()
                                .mapToLong(w -> w.counters().get(DropReason.NO_ROUTE))
                                .sum())
                .isEqualTo(50);
        assertThat(bench.dropped(WorkerDrop.EMIT_BUDGET)).isEqualTo(50 - 2 * 10);
    }

    @Test
    void aTraceSeesWhatTheWorkerKnowsAndChangesNothing() throws Exception {
        build();
        learnB();
        var answer = new CompletableFuture<dev.weft.agent.trace.TraceResult>();

        bench.tell(new Command.Inspect(bench.network.portIndex(net.portId("a")), echo(1), answer));

        assertThat(answer.get(1, TimeUnit.SECONDS).verdict()).isEqualTo("forward");
        assertThat(bench.receive(b)).isNull();
        assertThat(bench.datapath.flows()).isEmpty();
        assertThat(bench.lessons).isEmpty();
    }

    @Test
    void newFlowsAllocateNothing() {
        build();
        learnA();
        for (int i = 0; i < 10_000; i++) {
            neighbour("right", address(i), B_MAC);
        }
        bench.datapath.setSink(b, (segment, offset, length) -> {});
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            frames.add(Frames.udp(A + ":1000", address(i) + ":53")
                    .from(A_MAC)
                    .to(LEFT_GATE)
                    .bytes());
        }
        var segments =
                frames.stream().map(java.lang.foreign.MemorySegment::ofArray).toList();
        Runnable round = () -> {
            for (int i = 0; i < segments.size(); i++) {
                var segment = segments.get(i);
                bench.datapath.send(a, segment, 0, (int) segment.byteSize());
                bench.now += 1000;
                bench.turn();
            }
        };
        for (int i = 0; i < 20; i++) {
            round.run();
        }
        long installed = bench.count(WorkerCounter.INSTALLED);
        long upcalls = bench.count(WorkerCounter.UPCALLS);

        long bytes = Allocation.bytes(round);
        for (int i = 0; i < 20 && bytes != 0; i++) {
            bytes = Allocation.bytes(round); // On a busy machine the compiler is late.
        }

        assertThat(bench.count(WorkerCounter.INSTALLED) - installed)
                .as("every packet was a new flow")
                .isEqualTo(bench.count(WorkerCounter.UPCALLS) - upcalls)
                .isGreaterThanOrEqualTo(10_000);
        assertThat(bytes).isZero();
    }

    private static byte[] udp(int i) {
        return Frames.udp(A + ":1000", address(i) + ":53")
                .from(A_MAC)
                .to(LEFT_GATE)
                .bytes();
    }

    private static String address(int i) {
        return "10.0." + (129 + i / 250) + "." + (2 + i % 250);
    }

    private void learnA() {
        neighbour("left", A, A_MAC);
    }

    private void learnB() {
        neighbour("right", B, B_MAC);
    }

    private void neighbour(String side, String address, String mac) {
        neighbour(side, address, mac, side.equals("left") ? "a" : "b");
    }

    private void neighbour(String side, String address, String mac, String vm) {
        var ip = IpAddress.parse(address);
        bench.tell(new Command.NeighbourLearned(router(), ip.high(), ip.low(), mac(mac), routerPort(side), -1));
        bench.tell(new Command.MacLearned(
                bench.network.bridgeIndex(net.bridgeId(side)), 0, mac(mac), bench.network.portIndex(net.portId(vm))));
    }

    private int router() {
        return bench.network.routerIndex(net.routerId("r"));
    }

    private int routerPort(String side) {
        return bench.network.portIndex(net.portId("r-" + side));
    }

    private static long mac(String text) {
        return MacAddress.parse(text).bits();
    }

    private static byte[] echo(int sequence) {
        return Frames.echoRequest(A, B, 7, sequence).from(A_MAC).to(LEFT_GATE).bytes();
    }

    private String text(int port) {
        return PacketExpression.print(Objects.requireNonNull(bench.receive(port), "no frame"));
    }
}
