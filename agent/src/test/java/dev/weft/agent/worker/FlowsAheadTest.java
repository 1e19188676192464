package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.Tag;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Tcp;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Connections through source translation to a VM outside, of a VM that lets only answers in; all on one host. */
class FlowsAheadTest {
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String GATE = "02:00:00:00:01:01";
    private static final String UP_MAC = "02:00:00:00:99:02";
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";
    private static final String PUBLIC = "203.0.113.10";
    private static final String SERVER = "8.8.8.8:443";
    private static final long SECOND = 1_000_000_000;

    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .router("r")
            .join("left", "r", GATE, "10.0.1.1/24")
            .vm("a", "left", WorkerBench.HERE, true)
            .uplink("up", "r", UP_MAC, WorkerBench.HERE, "203.0.113.2/24")
            .route("r", "0.0.0.0/0", "up", "203.0.113.1")
            .sourceNat("out", "r", "up", PUBLIC, "20000-20999");
    private WorkerBench here = new WorkerBench(new MemoryFabric(), "172.16.0.1", 1, 4096);
    private int a;
    private int up;

    @BeforeEach
    void build() {
        build(net);
    }

    @AfterEach
    void close() {
        here.close();
    }

    private void build(TestNetwork network) {
        here.build(network);
        a = here.attach(network, "a");
        up = here.attach(network, "up");
        int workers = here.workers.size();
        for (int i = 0; i < workers; i++) {
            grant(i, 20000 + i * 200);
        }
        learned("203.0.113.1", OUTSIDE_MAC, "up", "up");
        learned("10.0.1.5", A_MAC, "r-left", "a");
        knowsMac(A_MAC, "a");
    }

    private void grant(int worker, int first) {
        var address = IpAddress.parse(PUBLIC);
        here.tellOne(
                worker,
                new Command.BlockGranted(Tag.device(net.natId("out")), address.high(), address.low(), first, 200));
    }

    private void learned(String address, String mac, String port, String macPort) {
        var ip = IpAddress.parse(address);
        here.tell(new Command.NeighbourLearned(
                here.network.routerIndex(net.routerId("r")),
                ip.high(),
                ip.low(),
                MacAddress.parse(mac).bits(),
                here.network.portIndex(net.portId(port)),
                here.network.portIndex(net.portId(macPort))));
    }

    private void knowsMac(String mac, String port) {
        int left = here.network.bridgeIndex(net.bridgeId("left"));
        here.tell(new Command.MacLearned(
                left, 0, MacAddress.parse(mac).bits(), here.network.portIndex(net.portId(port))));
    }

    /** From the VM; as it came out, or null. */
    private Packet out(Frames frame) {
        here.send(a, frame.from(A_MAC).to(GATE).bytes());
        return parsed(here.receive(up));
    }

    /** From outside; as the VM gets it, or null. */
    private Packet in(Frames frame) {
        here.send(up, frame.from(OUTSIDE_MAC).to(UP_MAC).bytes());
        return parsed(here.receive(a));
    }

    private static Packet parsed(byte[] frame) {
        if (frame == null) {
            return null;
        }
        Packet packet = Frames.wrapped(frame);
        assertThat(PacketParser.parse(packet)).isZero();
        return packet;
    }

    private static Frames ask(int port) {
        return Frames.udp("10.0.1.5:" + port, SERVER);
    }

    private static Frames answer(Packet to) {
        return Frames.udp(SERVER, PUBLIC + ":" + to.key.l4Src());
    }

    private long upcalls() {
        return here.count(WorkerCounter.UPCALLS);
    }

    @Test
    void anAnswerMeetsItsFlowWithoutAnUpcall() {
        Packet asked = Objects.requireNonNull(out(ask(1000)));
        assertThat(upcalls()).isEqualTo(1);

        Packet answered = Objects.requireNonNull(in(answer(asked)));

        assertThat(answered.key.l4Dst()).isEqualTo(1000);
        assertThat(IpAddress.toString(answered.key.dstHigh(), answered.key.dstLow()))
                .isEqualTo("10.0.1.5");
        assertThat(upcalls()).isEqualTo(1);
        assertThat(here.count(WorkerCounter.INSTALLED)).as("there and back").isEqualTo(2);
    }

    @Test
    void onlyTheAnswerOfWhoWasAskedMeetsAFlow() {
        Packet asked = Objects.requireNonNull(out(ask(1000)));

        assertThat(in(Frames.udp("8.8.4.4:443", PUBLIC + ":" + asked.key.l4Src())))
                .as("from another address")
                .isNull();
        assertThat(in(Frames.udp("8.8.8.8:444", PUBLIC + ":" + asked.key.l4Src())))
                .as("from another port")
                .isNull();
        assertThat(upcalls()).isEqualTo(3);
    }

    @Test
    void aConnectionCountsAsAnsweredOnceUseIsRead() throws Exception {
        Packet asked = Objects.requireNonNull(out(ask(1000)));
        pass(20 * SECOND);
        assertThat(shown().answered()).as("before").isFalse();
        Objects.requireNonNull(in(answer(asked)));

        pass(20 * SECOND);

        assertThat(shown().answered()).isTrue();
        assertThat(upcalls()).isEqualTo(1);
    }

    @Test
    void flowsOfAnswersGoWithTheirConnection() {
        Packet asked = Objects.requireNonNull(out(ask(1000)));
        here.build(net.drops("up", "udp"));
        pass(SECOND);

        assertThat(in(answer(asked))).isNull();
        assertThat(here.count(WorkerCounter.CONNECTIONS)).isZero();
    }

    @Test
    void anAnswerOfAnotherWorkerIsLeftToThatOne() {
        here.close();
        here = new WorkerBench(new MemoryFabric(), "172.16.0.1", 4, 4096);
        build(net);
        for (int i = 0; i < 40; i++) {
            Packet asked = Objects.requireNonNull(out(ask(1000 + i)));
            long before = here.count(WorkerCounter.EXISTED);
            assertThat(Objects.requireNonNull(in(answer(asked))).key.l4Dst()).isEqualTo(1000 + i);
            assertThat(here.count(WorkerCounter.EXISTED)).isEqualTo(before);
        }
        assertThat(here.count(WorkerCounter.INSTALLED)).isEqualTo(80);
    }

    @Test
    void anAnswerWhoseSenderIsNotKnownYetComesUpToBeLearned() {
        var bridged = new TestNetwork("t")
                .bridge("left")
                .vm("a", "left", WorkerBench.HERE, true)
                .vm("b", "left", WorkerBench.HERE, false);
        here.close();
        here = new WorkerBench(new MemoryFabric(), "172.16.0.1", 1, 4096);
        here.build(bridged);
        a = here.attach(bridged, "a");
        int b = here.attach(bridged, "b");
        here.send(
                a,
                Frames.udp("10.0.1.5:1000", "10.0.1.9:53")
                        .from(A_MAC)
                        .to(OUTSIDE_MAC)
                        .bytes());
        assertThat(here.receive(b)).as("flooded").isNotNull();

        here.send(
                b,
                Frames.udp("10.0.1.9:53", "10.0.1.5:1000")
                        .from(OUTSIDE_MAC)
                        .to(A_MAC)
                        .bytes());

        assertThat(here.receive(a)).isNotNull();
        assertThat(upcalls()).isEqualTo(2);
        assertThat(here.lessons).containsExactly("mac", "mac");
    }

    @Test
    void whatAServerSendsToASynDoesNotOpenTheConnection() throws Exception {
        Packet syn = Objects.requireNonNull(out(tcp(Tcp.SYN)));
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.SYN | Tcp.ACK)));
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.ACK)));
        pass(20 * SECOND);
        assertThat(shown().state()).isEqualTo("opening");

        Objects.requireNonNull(out(tcp(Tcp.ACK)));
        pass(20 * SECOND);

        assertThat(shown().state()).isEqualTo("open");
    }

    @Test
    void aTcpConnectionIsOneUpcall() {
        Packet syn = Objects.requireNonNull(out(tcp(Tcp.SYN)));
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.SYN | Tcp.ACK)));
        Objects.requireNonNull(out(tcp(Tcp.ACK)));
        Objects.requireNonNull(out(tcp(Tcp.ACK | Tcp.PSH)));
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.ACK | Tcp.PSH)));
        Objects.requireNonNull(out(tcp(Tcp.FIN | Tcp.ACK)));
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.FIN | Tcp.ACK)));
        Objects.requireNonNull(out(tcp(Tcp.ACK)));

        assertThat(upcalls()).isEqualTo(1);
        assertThat(here.count(WorkerCounter.INSTALLED)).isEqualTo(2);
    }

    @Test
    void finIsSeenWithoutAnUpcall() throws Exception {
        opened();
        assertThat(shown().state()).isEqualTo("open");

        Objects.requireNonNull(out(tcp(Tcp.FIN | Tcp.ACK)));
        pass(20 * SECOND);

        assertThat(shown().state()).isEqualTo("closing");
        assertThat(upcalls()).isEqualTo(1);
        pass(5 * 60 * SECOND);
        assertThat(here.count(WorkerCounter.CONNECTIONS))
                .as("forgotten in minutes")
                .isZero();
    }

    @Test
    void aResetByTheOtherSideIsSeenWithoutAnUpcall() throws Exception {
        Packet syn = opened();

        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.RST)));
        pass(20 * SECOND);

        assertThat(shown().state()).isEqualTo("closing");
        assertThat(upcalls()).isEqualTo(1);
    }

    @Test
    void aForgedResetTakesNothingFromAConnectionInUse() throws Exception {
        Packet syn = opened();
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.RST)));

        for (int i = 0; i < 60; i++) {
            pass(10 * SECOND);
            assertThat(out(tcp(Tcp.ACK))).as("after %d s", 10 * i).isNotNull();
            assertThat(in(tcpAnswer(syn, Tcp.ACK))).isNotNull();
        }

        assertThat(shown().state()).isEqualTo("closing");
    }

    @Test
    void synOnAClosedConnectionComesUp() throws Exception {
        Packet syn = opened();
        Objects.requireNonNull(out(tcp(Tcp.FIN | Tcp.ACK)));
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.FIN | Tcp.ACK)));

        Packet again = Objects.requireNonNull(out(tcp(Tcp.SYN)));
        assertThat(upcalls()).isEqualTo(2);
        Objects.requireNonNull(in(tcpAnswer(again, Tcp.SYN | Tcp.ACK)));
        Objects.requireNonNull(out(tcp(Tcp.ACK)));
        pass(20 * SECOND);

        assertThat(shown().state())
                .as("the flags of the one before are not this one's")
                .isEqualTo("open");
        assertThat(upcalls()).isEqualTo(2);
    }

    @Test
    void aPortIsGivenOutAgainOnlyAfterTheFlowsOfItsConnectionAreGone() {
        Packet syn = opened();
        Objects.requireNonNull(out(tcp(Tcp.FIN | Tcp.ACK)));
        pass(6 * 60 * SECOND);
        assertThat(here.count(WorkerCounter.CONNECTIONS)).isZero();

        assertThat(in(tcpAnswer(syn, Tcp.ACK)))
                .as("an answer that comes too late")
                .isNull();
    }

    @Test
    void aStormOfConnectionsThatAreResetStaysWithinItsBounds() {
        for (int round = 0; round < 20; round++) {
            for (int client = 0; client < 16; client++) {
                Packet syn = Objects.requireNonNull(
                        out(Frames.tcp("10.0.1.5:" + (1000 + client), SERVER).flags(Tcp.SYN)));
                Objects.requireNonNull(in(tcpAnswer(syn, Tcp.RST | Tcp.ACK)));
            }
        }
        pass(SECOND);

        assertThat(upcalls()).as("a SYN each").isEqualTo(20 * 16);
        assertThat(here.datapath.statistics().flows()).isEqualTo(2 * 16);
        assertThat(here.count(WorkerCounter.CONNECTIONS)).isEqualTo(16);
    }

    /** By both sides. */
    private Packet opened() {
        Packet syn = Objects.requireNonNull(out(tcp(Tcp.SYN)));
        Objects.requireNonNull(in(tcpAnswer(syn, Tcp.SYN | Tcp.ACK)));
        Objects.requireNonNull(out(tcp(Tcp.ACK)));
        pass(20 * SECOND);
        return syn;
    }

    private static Frames tcp(int flags) {
        return Frames.tcp("10.0.1.5:1000", SERVER).flags(flags);
    }

    private static Frames tcpAnswer(Packet to, int flags) {
        return Frames.tcp(SERVER, PUBLIC + ":" + to.key.l4Src()).flags(flags);
    }

    /** In steps, so that use is read meanwhile. */
    private void pass(long nanos) {
        for (long passed = 0; passed < nanos; passed += SECOND / 4) {
            here.now += SECOND / 4;
            here.turn();
        }
    }

    private ConnectionPage.Row shown() throws Exception {
        var page = new CompletableFuture<ConnectionPage>();
        here.tellOne(0, new Command.ShowConnections(0, 1 << 16, page));
        assertThat(page.get().rows()).hasSize(1);
        return page.get().rows().getFirst();
    }
}
