package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.Allocation;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.DropReason;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.state.StateMessage;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Serval connections of a guarded port, through whole workers of two hosts. */
class SalGuardWorkerTest {
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:01:06";
    private static final String C_MAC = "02:00:00:00:01:07";
    private static final String E_MAC = "02:00:00:00:01:09";
    private static final String A = "10.0.1.5";
    private static final String B = "10.0.1.6";
    private static final String C = "10.0.1.7";
    private static final String CLIENT = " nonce 00000000000000c1";
    private static final String SERVER = " nonce 00000000000000e1";

    private final MemoryFabric fabric = new MemoryFabric();
    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .vm("a", "left", WorkerBench.HERE, port -> port.setMac(A_MAC).addAddresses(A + "/24"))
            .vm("c", "left", WorkerBench.HERE, port -> port.setMac(C_MAC).addAddresses(C + "/24"))
            .vm("d", "left", WorkerBench.THERE, port -> port.setMac("02:00:00:00:01:08"))
            .vm("e", "left", WorkerBench.THERE, port -> port.setMac(E_MAC).setStateful(true))
            .vm(
                    "b",
                    "left",
                    WorkerBench.THERE,
                    port -> port.setMac(B_MAC).addAddresses(B + "/24").setServalGuard(true));
    private final WorkerBench here = new WorkerBench(fabric, "172.16.0.1", 2, 4096);
    private final WorkerBench there = new WorkerBench(fabric, "172.16.0.2", 3, 4096);
    private int a;
    private int b;
    private int c;
    private int d;
    private int e;

    @BeforeEach
    void build() {
        here.build(net);
        there.build(net);
        a = here.attach(net, "a");
        c = here.attach(net, "c");
        b = there.attach(net, "b");
        d = there.attach(net, "d");
        e = there.attach(net, "e");
        here.datapath.setPeers(Set.of(IpAddress.parse("172.16.0.2")));
        there.datapath.setPeers(Set.of(IpAddress.parse("172.16.0.1")));
        there.datapath.bindTunnelKey(77, b);
        there.datapath.bindTunnelKey(99, e);
        here.tell(remote("e", here, "172.16.0.2", 99));
        here.datapath.bindTunnelKey(88, a);
        here.tell(remote("b", here, "172.16.0.2", 77));
        there.tell(remote("a", there, "172.16.0.1", 88));
        for (WorkerBench bench : Set.of(here, there)) {
            learned(bench, A_MAC, "a");
            learned(bench, B_MAC, "b");
            learned(bench, E_MAC, "e");
        }
    }

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    private void learned(WorkerBench bench, String mac, String port) {
        int bridge = bench.network.bridgeIndex(net.bridgeId("left"));
        int index = bench.network.portIndex(net.portId(port));
        bench.tell(new Command.MacLearned(bridge, 0, MacAddress.parse(mac).bits(), index));
    }

    private Command remote(String port, WorkerBench at, String host, int key) {
        var address = IpAddress.parse(host);
        return new Command.RemotePort(at.network.portIndex(net.portId(port)), address.high(), address.low(), key);
    }

    private void send(WorkerBench from, int port, String srcMac, String dstMac, String words) {
        from.send(port, frame(srcMac, dstMac, words));
        here.turn();
        there.turn();
        here.turn();
    }

    private static byte[] frame(String srcMac, String dstMac, String words) {
        return PacketExpression.parse("sal " + words + " src-mac " + srcMac + " dst-mac " + dstMac);
    }

    private String text(WorkerBench at, int port) {
        return PacketExpression.print(Objects.requireNonNull(at.receive(port), "no frame"));
    }

    private void connect() {
        send(here, a, A_MAC, B_MAC, A + ":2 > " + B + ":0 flags syn verno 7" + CLIENT + " service 0x00004001");
        assertThat(text(there, b)).startsWith("sal 10.0.1.5:2 > 10.0.1.6:0 ").contains(" flags syn ");
        send(there, b, B_MAC, A_MAC, B + ":9 > " + A + ":2 flags syn,ack verno 50 ackno 8" + SERVER);
        assertThat(text(here, a)).contains(" flags ack,syn ");
    }

    private void fromPeer(String flags, String nonce) {
        send(here, a, A_MAC, B_MAC, A + ":2 > " + B + ":9 flags " + flags + nonce);
    }

    private void fromStranger(String flags, String nonce) {
        send(here, c, C_MAC, B_MAC, C + ":2 > " + B + ":9 flags " + flags + nonce);
    }

    @Test
    void aConnectionLivesAndEndsThroughTheGuard() {
        connect();
        fromPeer("ack", CLIENT);
        assertThat(text(there, b)).contains(" flags ack ");
        for (int i = 0; i < 3; i++) {
            send(here, a, A_MAC, B_MAC, A + ":2 > " + B + ":9 length 9");
            assertThat(text(there, b)).contains(" > 10.0.1.6:9 ");
        }
        long upcalls = here.count(WorkerCounter.UPCALLS);
        long far = there.count(WorkerCounter.UPCALLS);
        send(here, a, A_MAC, B_MAC, A + ":2 > " + B + ":9 length 9");
        assertThat(text(there, b)).contains(" > 10.0.1.6:9 ");
        assertThat(here.count(WorkerCounter.UPCALLS)).as("data is a flow").isEqualTo(upcalls);
        assertThat(there.count(WorkerCounter.UPCALLS)).isEqualTo(far);
        fromPeer("fin", CLIENT);
        assertThat(text(there, b)).contains(" flags fin ");
        assertThat(there.count(WorkerCounter.SAL_LET_IN)).isEqualTo(2);
        assertThat(there.count(WorkerCounter.TUNNEL_UPCALLS)).isZero();
    }

    @Test
    void aStrangerEndsAndMovesNothing() {
        connect();
        fromStranger("rst", " nonce 00000000000000aa");
        fromStranger("rst", "");
        fromStranger("fin", " nonce 00000000000000aa");
        fromStranger("rsyn", " nonce 00000000000000aa");
        assertThat(there.receive(b)).isNull();
        assertThat(there.dropped(DropReason.SAL_FORGED_RST)).isEqualTo(2);
        assertThat(there.dropped(DropReason.SAL_FORGED_FIN)).isEqualTo(1);
        assertThat(there.dropped(DropReason.SAL_FORGED_RSYN)).isEqualTo(1);
        fromPeer("rst", CLIENT);
        assertThat(text(there, b)).contains(" flags rst ");
    }

    @Test
    void aStrangerOfTheSameHostIsNoBetter() {
        connect();
        send(there, d, "02:00:00:00:01:08", B_MAC, "10.0.1.8:2 > 10.0.1.6:9 flags rst" + SERVER.replace("e1", "e2"));
        assertThat(there.receive(b)).isNull();
        assertThat(there.dropped(DropReason.SAL_FORGED_RST)).isEqualTo(1);
    }

    @Test
    void aPeerThatMovedIsKnownByItsNonce() {
        connect();
        fromStranger("rsyn", CLIENT);
        assertThat(text(there, b)).startsWith("sal 10.0.1.7:2 > 10.0.1.6:9 ").contains(" flags rsyn ");
    }

    @Test
    void aPortThatIsNowElsewhereIsForgotten() {
        connect();
        there.tell(new Command.NoLocalPort(there.network.portIndex(net.portId("b"))));
        fromPeer("fin", CLIENT);
        assertThat(there.dropped(DropReason.NOT_LOCATED)).isEqualTo(1);
        there.tell(new Command.LocalPort(there.network.portIndex(net.portId("b")), b));
        fromPeer("fin", CLIENT);
        assertThat(there.dropped(DropReason.SAL_FORGED_FIN)).isEqualTo(1);
    }

    @Test
    void onePortCannotMakeAGuardJudgeWithoutEnd() {
        connect();
        for (int i = 0; i < 1500; i++) {
            here.send(c, frame(C_MAC, B_MAC, C + ":2 > " + B + ":9 flags rst"));
            there.turn();
        }
        assertThat(here.dropped(WorkerDrop.EMIT_BUDGET)).isEqualTo(500);
        assertThat(there.dropped(DropReason.SAL_FORGED_RST)).isEqualTo(1000);
    }

    /** Flow ids make SYN and SYN-ACK packets of different workers; what the port began is known to one of them. */
    @Test
    void aStatefulPortHearsTheAnswersToAllItsSyns() {
        for (int flow = 1; flow <= 20; flow++) {
            String syn = "10.0.1.9:" + flow + " > " + A + ":0 flags syn verno 7" + CLIENT + " service 0x00004001";
            send(there, e, E_MAC, A_MAC, syn);
            assertThat(text(here, a)).contains(" flags syn ");
            String answer = A + ":" + (100 + flow) + " > 10.0.1.9:" + flow + " flags syn,ack verno 50 ackno 8" + SERVER;
            send(here, a, A_MAC, E_MAC, answer);
            assertThat(text(there, e)).contains(" flags ack,syn ");
            send(here, a, A_MAC, E_MAC, A + ":" + (100 + flow) + " > 10.0.1.9:" + flow + " length 5");
            assertThat(text(there, e)).contains(" length 5");
        }
        send(here, c, C_MAC, E_MAC, C + ":101 > 10.0.1.9:1 length 5");
        assertThat(there.receive(e)).isNull();
    }

    @Test
    void anotherHostCannotSpeakForAVm() {
        UUID port = net.portId("b");
        byte[] answer = frame(B_MAC, A_MAC, B + ":9 > " + A + ":2 flags syn,ack" + SERVER);
        var message = MemorySegment.ofArray(new byte[StateMessage.MAX_GUARDED_LENGTH]);
        int length = StateMessage.writeGuarded(
                message,
                0,
                port.getMostSignificantBits(),
                port.getLeastSignificantBits(),
                true,
                MemorySegment.ofArray(answer),
                0,
                answer.length);
        var actions = new ActionList();
        var to = IpAddress.parse("172.16.0.2");
        actions.tunnel(to.high(), to.low(), Datapath.STATE_KEY, 0);
        here.datapath.worker(0).execute(message, 0, length, 0, actions);
        there.turn();
        assertThat(there.dropped(WorkerDrop.BAD_STATE)).isEqualTo(1);
        assertThat(there.count(WorkerCounter.SAL_FLOWS)).isZero();
    }

    @Test
    void aJudgedPacketAllocatesNothing() {
        connect();
        there.datapath.setSink(b, (segment, offset, length) -> {});
        var fin = MemorySegment.ofArray(frame(A_MAC, B_MAC, A + ":2 > " + B + ":9 flags fin" + CLIENT));
        Runnable round = () -> {
            for (int i = 0; i < 1_000; i++) {
                here.datapath.send(a, fin, 0, (int) fin.byteSize());
                here.now += 2_000_000;
                there.now += 2_000_000;
                here.turn();
                there.turn();
            }
        };
        for (int i = 0; i < 100; i++) {
            round.run();
        }
        assertThat(Allocation.bytes(round)).as("bytes for 1,000 packets").isZero();
    }
}
