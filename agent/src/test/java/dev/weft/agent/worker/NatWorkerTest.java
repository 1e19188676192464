package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.Tag;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.trace.PacketExpression;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Source translation in the workers of two hosts: the VM is here, the way out is there. */
class NatWorkerTest {
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:01:06";
    private static final String GATE = "02:00:00:00:01:01";
    private static final String UP_MAC = "02:00:00:00:99:02";
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";
    private static final String PUBLIC = "203.0.113.10";

    private final MemoryFabric fabric = new MemoryFabric();
    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .router("r")
            .join("left", "r", GATE, "10.0.1.1/24")
            .vm("a", "left", WorkerBench.HERE, true)
            .vm("b", "left", WorkerBench.HERE, false)
            .uplink("up", "r", UP_MAC, WorkerBench.THERE, "203.0.113.2/24")
            .route("r", "0.0.0.0/0", "up", "203.0.113.1")
            .sourceNat("out", "r", "up", PUBLIC, "20000-20999");
    private final WorkerBench here = new WorkerBench(fabric, "172.16.0.1", 4, 4096);
    private final WorkerBench there = new WorkerBench(fabric, "172.16.0.2", 3, 4096);
    private final Set<Integer> ports = new HashSet<>();
    private int a;
    private int b;
    private int up;

    @BeforeEach
    void build() {
        here.build(net);
        there.build(net);
        a = here.attach(net, "a");
        b = here.attach(net, "b");
        up = there.attach(net, "up");
        here.datapath.setPeers(Set.of(IpAddress.parse("172.16.0.2")));
        there.datapath.setPeers(Set.of(IpAddress.parse("172.16.0.1")));
        there.datapath.bindTunnelKey(77, up);
        here.datapath.bindTunnelKey(88, a);
        here.datapath.bindTunnelKey(89, b);
        here.tell(remote("up", here, "172.16.0.2", 77));
        there.tell(remote("a", there, "172.16.0.1", 88));
        there.tell(remote("b", there, "172.16.0.1", 89));
        for (WorkerBench bench : Set.of(here, there)) {
            int router = bench.network.routerIndex(net.routerId("r"));
            int left = bench.network.bridgeIndex(net.bridgeId("left"));
            int portA = bench.network.portIndex(net.portId("a"));
            int portB = bench.network.portIndex(net.portId("b"));
            bench.tell(new Command.MacLearned(left, 0, MacAddress.parse(A_MAC).bits(), portA));
            bench.tell(new Command.MacLearned(left, 0, MacAddress.parse(B_MAC).bits(), portB));
            learned(bench, router, "203.0.113.1", OUTSIDE_MAC, "up", "up");
            learned(bench, router, "10.0.1.5", A_MAC, "r-left", "a");
            learned(bench, router, "10.0.1.6", B_MAC, "r-left", "b");
        }
    }

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    private Command remote(String port, WorkerBench at, String host, int key) {
        var address = IpAddress.parse(host);
        return new Command.RemotePort(at.network.portIndex(net.portId(port)), address.high(), address.low(), key);
    }

    private void learned(WorkerBench bench, int router, String address, String mac, String port, String macPort) {
        var ip = IpAddress.parse(address);
        bench.tell(new Command.NeighbourLearned(
                router,
                ip.high(),
                ip.low(),
                MacAddress.parse(mac).bits(),
                bench.network.portIndex(net.portId(port)),
                bench.network.portIndex(net.portId(macPort))));
    }

    private void grant(int worker, int first, int count) {
        var address = IpAddress.parse(PUBLIC);
        here.workers
                .get(worker)
                .offer(new Command.BlockGranted(
                        Tag.device(net.natId("out")), address.high(), address.low(), first, count));
        turn();
    }

    private void turn() {
        here.turn();
        there.turn();
        here.turn();
    }

    private Packet fromA(Frames frame) {
        here.send(a, frame.from(A_MAC).to(GATE).bytes());
        turn();
        byte[] out = there.receive(up);
        return out == null ? null : parsed(out);
    }

    private Packet fromOutside(Frames frame) {
        there.send(up, frame.from(OUTSIDE_MAC).to(UP_MAC).bytes());
        turn();
        byte[] in = here.receive(a);
        return in == null ? null : parsed(in);
    }

    private static Packet parsed(byte[] frame) {
        Packet packet = Frames.wrapped(frame);
        assertThat(PacketParser.parse(packet)).isZero();
        assertThat(Checksum.isTransportValid(
                        packet.segment, packet.l3Offset, packet.l4Offset, packet.l3End, packet.key.protocol()))
                .isTrue();
        return packet;
    }

    private static String text(Packet packet) {
        return PacketExpression.print(packet.segment.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    }

    @Test
    void answersAreTranslatedBackAtTheOtherHostWhicheverWorkerTheyMeet() {
        for (int worker = 0; worker < 4; worker++) {
            grant(worker, 20000 + 200 * worker, 200);
        }
        for (int i = 0; i < 200; i++) {
            Packet out = Objects.requireNonNull(fromA(Frames.udp("10.0.1.5:" + (1000 + i), "8.8.8.8:53")));
            assertThat(text(out)).contains(PUBLIC);
            int port = out.key.l4Src();
            assertThat(ports.add(port)).as("port %d for two connections", port).isTrue();
            Packet back = Objects.requireNonNull(fromOutside(Frames.udp("8.8.8.8:53", PUBLIC + ":" + port)));
            assertThat(back.key.l4Dst()).isEqualTo(1000 + i);
            assertThat(text(back)).contains("10.0.1.5");
        }
        assertThat(here.count(WorkerCounter.TUNNEL_UPCALLS))
                .as("egress upcalls")
                .isZero();
        assertThat(there.count(WorkerCounter.TUNNEL_UPCALLS))
                .as("egress upcalls")
                .isZero();
    }

    @Test
    void fragmentsAreTranslatedWithTheirConnectionInBothDirections() {
        for (int worker = 0; worker < 4; worker++) {
            grant(worker, 20000 + 200 * worker, 200);
        }
        for (int i = 0; i < 20; i++) {
            Packet first = Objects.requireNonNull(fragment(i, 0, true), "the first fragment");
            int port = first.key.l4Src();
            assertThat(IpAddress.toString(first.key.srcHigh(), first.key.srcLow()))
                    .isEqualTo(PUBLIC);
            assertThat(port).isBetween(20000, 20799);
            Packet later = Objects.requireNonNull(fragment(i, 64, false), "the later fragment");
            assertThat(IpAddress.toString(later.key.srcHigh(), later.key.srcLow()))
                    .isEqualTo(PUBLIC);
            Packet whole = Objects.requireNonNull(
                    fromA(Frames.udp("10.0.1.5:" + (1000 + i), "8.8.8.8:53")), "an unfragmented packet");
            assertThat(whole.key.l4Src()).as("the same connection").isEqualTo(port);
            there.send(
                    up,
                    Frames.udp("8.8.8.8:53", PUBLIC + ":" + port)
                            .payload(56)
                            .fragment(100 + i, 0, true)
                            .from(OUTSIDE_MAC)
                            .to(UP_MAC)
                            .bytes());
            turn();
            Packet back = Frames.wrapped(Objects.requireNonNull(here.receive(a), "the answer's first fragment"));
            assertThat(PacketParser.parse(back)).isZero();
            assertThat(back.key.l4Dst()).isEqualTo(1000 + i);
            there.send(
                    up,
                    Frames.udp("8.8.8.8:53", PUBLIC + ":" + port)
                            .payload(56)
                            .fragment(100 + i, 64, false)
                            .from(OUTSIDE_MAC)
                            .to(UP_MAC)
                            .bytes());
            turn();
            Packet rest = Frames.wrapped(Objects.requireNonNull(here.receive(a), "the answer's later fragment"));
            assertThat(PacketParser.parse(rest)).isZero();
            assertThat(IpAddress.toString(rest.key.dstHigh(), rest.key.dstLow()))
                    .isEqualTo("10.0.1.5");
        }
        assertThat(here.count(WorkerCounter.HANDED_OVER)).isPositive();
    }

    /** From the VM, out of the uplink. */
    private Packet fragment(int id, int offset, boolean more) {
        here.send(
                a,
                Frames.udp("10.0.1.5:" + (1000 + id), "8.8.8.8:53")
                        .payload(56)
                        .fragment(id, offset, more)
                        .from(A_MAC)
                        .to(GATE)
                        .bytes());
        turn();
        byte[] out = there.receive(up);
        if (out == null) {
            return null;
        }
        Packet packet = Frames.wrapped(out);
        assertThat(PacketParser.parse(packet)).isZero();
        return packet;
    }

    @Test
    void packetWaitsForPortsAndGoesOnWithThem() {
        assertThat(fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"))).isNull();
        assertThat(here.lessons).hasSize(1).first().asString().startsWith("block for worker ");
        assertThat(here.count(WorkerCounter.PARKED)).isOne();
        int worker = here.lessons.getFirst().charAt("block for worker ".length()) - '0';
        grant(worker, 20000, 64);
        assertThat(text(parsed(Objects.requireNonNull(there.receive(up))))).contains(PUBLIC);
    }

    @Test
    void packetIsAnsweredWhenThereAreNoPortsToBeHad() {
        assertThat(fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"))).isNull();
        here.tell(new Command.BlocksExhausted(Tag.device(net.natId("out")), 1_000_000_000L));
        assertThat(there.receive(up)).isNull();
        byte[] error = Objects.requireNonNull(here.receive(a), "an ICMP error");
        assertThat(PacketExpression.print(error)).contains("icmp");
        assertThat(here.workers.stream()
                        .mapToLong(worker -> worker.counters().get(dev.weft.sim.DropReason.NAT_EXHAUSTED))
                        .sum())
                .isOne();
    }

    @Test
    void errorFromOutsideReachesTheVmWithWhatItSentAndRightChecksums() {
        for (int worker = 0; worker < 4; worker++) {
            grant(worker, 20000 + 200 * worker, 200);
        }
        Packet out = Objects.requireNonNull(
                fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53").payload(20)));
        var quoted = Frames.udp(PUBLIC + ":" + out.key.l4Src(), "8.8.8.8:53").payload(20);
        Packet error = Objects.requireNonNull(
                fromOutside(Frames.icmp("192.0.2.77", PUBLIC, 3, 4, 1400).payload(quoted.ipBytes())));
        assertThat(error.quote.present).isTrue();
        assertThat(IpAddress.toString(error.quote.srcHigh, error.quote.srcLow)).isEqualTo("10.0.1.5");
        assertThat(error.quote.l4Src).isEqualTo(1000);
        assertThat(error.quote.l4Dst).isEqualTo(53);
        assertThat(fromOutside(Frames.icmp("192.0.2.77", PUBLIC, 3, 4, 1400)
                        .payload(Frames.udp(PUBLIC + ":" + (out.key.l4Src() + 1), "8.8.8.8:53")
                                .ipBytes())))
                .as("forged")
                .isNull();
    }

    @Test
    void answerThatEndsAConnectionIsToldToItsOwner() {
        for (int worker = 0; worker < 4; worker++) {
            grant(worker, 20000 + 200 * worker, 200);
        }
        Packet out = Objects.requireNonNull(
                fromA(Frames.tcp("10.0.1.5:1000", "8.8.8.8:443").flags(2)));
        Objects.requireNonNull(fromA(Frames.tcp("10.0.1.5:1000", "8.8.8.8:443")));
        String server = "8.8.8.8:443";
        Objects.requireNonNull(
                fromOutside(Frames.tcp(server, PUBLIC + ":" + out.key.l4Src()).flags(4)));
        here.now += 5L * 60 * 1_000_000_000;
        there.now += 5L * 60 * 1_000_000_000;
        for (int i = 0; i < 40; i++) {
            here.now += 1_000_000_000;
            here.turn();
        }
        assertThat(here.count(WorkerCounter.CONNECTIONS))
                .as("a reset connection is remembered for minutes, not hours")
                .isZero();
    }

    @Test
    void answersOfWhatCameInUntranslatedLeaveUntranslatedFromTheOtherHost() {
        for (int i = 0; i < 20; i++) {
            String asker = "8.8.8.8:" + (2000 + i);
            there.send(
                    up,
                    Frames.udp(asker, "10.0.1.6:53")
                            .from(OUTSIDE_MAC)
                            .to(UP_MAC)
                            .bytes());
            turn();
            assertThat(here.receive(b)).as("the question").isNotNull();
            here.send(b, Frames.udp("10.0.1.6:53", asker).from(B_MAC).to(GATE).bytes());
            turn();
            assertThat(text(parsed(Objects.requireNonNull(there.receive(up), "the answer"))))
                    .contains("10.0.1.6:53 > " + asker);
        }
        assertThat(here.lessons).as("no public ports were asked for").isEmpty();
    }
}
