package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.agent.trace.TraceResult;
import dev.weft.base.Allocation;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.DropReason;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.topology.schema.ServiceRule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Packets that name a service, through a whole worker. */
class ServiceWorkerTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final String LEFT_GATE = "02:00:00:00:01:01";
    private static final String RIGHT_GATE = "02:00:00:00:02:01";
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:02:09";
    private static final String A = "10.0.1.5";
    private static final String B = "10.0.2.9";
    private static final String WEB = "0x00004001/32";
    private static final ServiceRule TO_B =
            ServiceRule.newBuilder().setAddress(B).build();
    private static final ServiceRule DELAY =
            ServiceRule.newBuilder().setAction(ServiceRule.Action.DELAY).build();

    private final MemoryFabric fabric = new MemoryFabric();
    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .bridge("right")
            .router("r")
            .join("left", "r", LEFT_GATE, "10.0.1.1/24")
            .join("right", "r", RIGHT_GATE, "10.0.2.1/24")
            .vm("a", "left", WorkerBench.HERE, false)
            .vm("b", "right", WorkerBench.HERE, false);
    private final WorkerBench bench = new WorkerBench(fabric, "172.16.0.1", 2, 4096);
    private int a;
    private int b;

    @AfterEach
    void close() {
        bench.close();
    }

    private void build(ServiceRule rule) {
        bench.build(net.service("r", WEB, rule));
        a = bench.attach(net, "a");
        b = bench.attach(net, "b");
        bench.now += SECOND;
        bench.turn();
    }

    private void learn() {
        bench.send(a, Frames.arpRequest(A, "10.0.1.1").from(A_MAC).bytes());
        bench.send(b, Frames.arpRequest(B, "10.0.2.1").from(B_MAC).bytes());
        text(a);
        text(b);
    }

    private String text(int port) {
        return PacketExpression.print(Objects.requireNonNull(bench.receive(port), "no frame"));
    }

    private static byte[] syn(int flow) {
        return PacketExpression.parse("sal 10.0.1.5:" + flow + " > 10.0.1.1:0 flags syn verno 7 service 0x00004001"
                + " src-mac " + A_MAC + " dst-mac " + LEFT_GATE);
    }

    @Test
    void aSynGoesToTheInstanceAndTheConnectionIsAFlow() {
        build(TO_B);
        learn();
        bench.send(a, syn(2));
        assertThat(text(b))
                .startsWith("sal 10.0.1.5:2 > 10.0.2.9:0 src-mac " + RIGHT_GATE + " dst-mac " + B_MAC + " ttl 63 ")
                .endsWith(" service 0x00004001 source 10.0.1.5,10.0.1.1");
        assertThat(bench.receive(b)).isNull();
        byte[] data = PacketExpression.parse(
                "sal 10.0.1.5:2 > 10.0.2.9:3 length 9 src-mac " + A_MAC + " dst-mac " + LEFT_GATE);
        bench.send(a, data);
        long upcalls = bench.count(WorkerCounter.UPCALLS);
        bench.send(a, data);
        assertThat(bench.count(WorkerCounter.UPCALLS)).isEqualTo(upcalls);
        assertThat(text(b)).contains(" > 10.0.2.9:3 ");
        assertThat(text(b)).contains(" > 10.0.2.9:3 ");
    }

    @Test
    void aSynWaitsForTheMacOfItsInstance() {
        build(TO_B);
        bench.send(a, syn(2));
        assertThat(text(b)).contains("arp request").contains(B);
        assertThat(bench.receive(b)).isNull();
        bench.send(b, Frames.arpReply(B, "10.0.2.1").from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(text(b)).contains(" > 10.0.2.9:0 ").endsWith(" source 10.0.1.5,10.0.1.1");
        assertThat(bench.receive(b)).isNull();
    }

    @Test
    void aDelayedSynGoesOnWhenItsServiceHasAnInstance() {
        build(DELAY);
        learn();
        bench.send(a, syn(2));
        bench.send(a, syn(3));
        assertThat(bench.receive(b)).isNull();
        assertThat(bench.count(WorkerCounter.PARKED)).isEqualTo(2);
        assertThat(bench.lessons).contains("service 0x00004001 delayed by 0");
        bench.build(net.service("r", WEB, TO_B));
        assertThat(text(b)).contains(" > 10.0.2.9:0 ");
        assertThat(text(b)).contains(" > 10.0.2.9:0 ");
        assertThat(bench.receive(b)).isNull();
    }

    @Test
    void aDelayedConnectionThatDoesNotSpeakServalGoesOnToo() {
        net.service("r", WEB, DELAY).serviceAddress("web", "r", "0x00004001", "10.96.0.80", 80);
        build(DELAY);
        learn();
        bench.send(a, tcp(2));
        assertThat(bench.receive(b)).isNull();
        assertThat(bench.count(WorkerCounter.PARKED)).isEqualTo(1);
        bench.build(net.service("r", WEB, TO_B));
        assertThat(text(b)).startsWith("tcp 10.0.1.5:1000 > 10.0.2.9:80 ");
        bench.send(
                b,
                Frames.tcp("10.0.2.9:80", "10.0.1.5:1000")
                        .flags(18)
                        .from(B_MAC)
                        .to(RIGHT_GATE)
                        .bytes());
        assertThat(text(a)).startsWith("tcp 10.96.0.80:80 > 10.0.1.5:1000 ");
        bench.send(a, tcp(16));
        assertThat(text(b)).startsWith("tcp 10.0.1.5:1000 > 10.0.2.9:80 ");
        long upcalls = bench.count(WorkerCounter.UPCALLS);
        bench.send(a, tcp(16));
        assertThat(text(b)).startsWith("tcp 10.0.1.5:1000 > 10.0.2.9:80 ");
        assertThat(bench.count(WorkerCounter.UPCALLS)).as("a flow").isEqualTo(upcalls);
    }

    private static byte[] tcp(int flags) {
        return Frames.tcp("10.0.1.5:1000", "10.96.0.80:80")
                .flags(flags)
                .from(A_MAC)
                .to(LEFT_GATE)
                .bytes();
    }

    @Test
    void aDelayedSynIsDroppedByAnotherRuleOrWhenItsTimeIsOver() {
        build(DELAY);
        learn();
        bench.send(a, syn(2));
        bench.build(net.service(
                "r",
                WEB,
                ServiceRule.newBuilder().setAction(ServiceRule.Action.DROP).build()));
        assertThat(bench.dropped(DropReason.SERVICE_DROPPED)).isEqualTo(1);
        bench.build(net.service("r", WEB, DELAY));
        bench.send(a, syn(3));
        bench.now += 60 * SECOND;
        bench.turn();
        assertThat(bench.dropped(WorkerDrop.PARKING_TIMEOUT)).isEqualTo(1);
        assertThat(bench.receive(b)).isNull();
    }

    @Test
    void rulesOfOtherServicesLeaveADelayedSynWaiting() {
        build(DELAY);
        learn();
        bench.send(a, syn(2));
        ServiceRule again = DELAY.toBuilder().setPriority(7).build();
        bench.build(net.service("r", WEB, again));
        assertThat(bench.dropped(WorkerDrop.PARKING_REFUSED)).isZero();
        bench.build(net.service("r", WEB, TO_B));
        assertThat(text(b)).contains(" > 10.0.2.9:0 ");
    }

    @Test
    void traceShowsTheWholeWayAndCountsNothing() throws Exception {
        build(TO_B);
        learn();
        var answer = new CompletableFuture<TraceResult>();
        bench.tell(new Command.Inspect(bench.network.portIndex(net.portId("a")), syn(2), answer));
        TraceResult trace = answer.get(10, TimeUnit.SECONDS);
        assertThat(trace.verdict()).isEqualTo("goes on as another packet");
        assertThat(TraceResult.text(trace.toMap()))
                .contains("rule: forward to 10.0.2.9")
                .contains("goes on instead")
                .contains("output " + b);
        assertThat(bench.receive(b)).isNull();
    }

    @Test
    void showsItsRulesAndWhatTheyWereUsedFor() throws Exception {
        build(TO_B);
        learn();
        bench.send(a, syn(2));
        List<ServicePage.Row> rows = new ArrayList<>();
        List<ServicePage.Totals> totals = new ArrayList<>();
        for (int worker = 0; worker < 2; worker++) {
            var answer = new CompletableFuture<ServicePage>();
            bench.tellOne(worker, new Command.ShowServices(0, 0, 10, answer));
            ServicePage page = answer.get(10, TimeUnit.SECONDS);
            assertThat(page.nextTable()).isEqualTo(1);
            rows.addAll(page.rows());
            totals.addAll(page.totals());
        }
        assertThat(rows).hasSize(2).allMatch(row -> row.target().equals("forward to 10.0.2.9") && row.counts());
        assertThat(rows.stream().mapToLong(ServicePage.Row::packets).sum()).isEqualTo(1);
        assertThat(totals.stream()
                        .mapToLong(ServicePage.Totals::resolvedPackets)
                        .sum())
                .isEqualTo(1);
        var end = new CompletableFuture<ServicePage>();
        bench.tellOne(0, new Command.ShowServices(1, 0, 10, end));
        assertThat(end.get(10, TimeUnit.SECONDS).nextTable()).isEqualTo(ServicePage.END);
    }

    @Test
    void aSynAllocatesNothing() {
        build(TO_B);
        learn();
        bench.datapath.setSink(b, (segment, offset, length) -> {});
        List<MemorySegment> syns = IntStream.range(0, 2_000)
                .mapToObj(flow -> MemorySegment.ofArray(syn(flow)))
                .toList();
        Runnable round = () -> {
            for (int i = 0; i < syns.size(); i++) {
                var segment = syns.get(i);
                bench.datapath.send(a, segment, 0, (int) segment.byteSize());
                bench.now += 1000;
                bench.turn();
            }
        };
        for (int i = 0; i < 30; i++) {
            round.run();
        }
        assertThat(Allocation.bytes(round)).as("bytes for %d SYNs", syns.size()).isZero();
    }
}
