package dev.weft.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.LocalStore;
import dev.weft.agent.socket.ControlClient;
import dev.weft.base.IpAddress;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.topology.PortBlockStore;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two agents with a real ZooKeeper: a VM at one, the tenant's way out at the other. */
class NatAgentsTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String GATE = "02:00:00:00:01:01";
    private static final String UP_MAC = "02:00:00:00:99:02";
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";
    private static final String PUBLIC = "203.0.113.10";
    private static final String SERVER = "8.8.8.8:53";

    @TempDir
    Path folder;

    private final MemoryFabric fabric = new MemoryFabric();
    private LocalStore store;
    private TestHost h1;
    private TestHost h2;
    private TestNetwork net;

    @BeforeEach
    void start() {
        store = LocalStore.start(folder.resolve("zk"));
        h1 = TestHost.start(fabric, folder, store.connectString(), "h1", "172.16.0.1");
        h2 = TestHost.start(fabric, folder, store.connectString(), "h2", "172.16.0.2");
    }

    @AfterEach
    void stop() {
        h1.close();
        h2.close();
        store.close();
    }

    private void build(String ports) {
        net = new TestNetwork("t")
                .bridge("left")
                .router("r")
                .join("left", "r", GATE, "10.0.1.1/24")
                .vm("a", "left", h1.id(), true)
                .uplink("up", "r", UP_MAC, h2.id(), "203.0.113.2/24")
                .route("r", "0.0.0.0/0", "up", "203.0.113.1")
                .sourceNat("out", "r", "up", PUBLIC, ports);
        store.store().apply(net.transaction());
        ready();
    }

    private void ready() {
        h1.port(net.portId("a"));
        h2.port(net.portId("up"));
        await().atMost(SOON)
                .until(() -> h1.agent().status().get("remote-ports").equals(1)
                        && h2.agent().status().get("remote-ports").equals(1));
        h1.send(
                net.portId("a"),
                Frames.arpRequest("10.0.1.5", "10.0.1.1").from(A_MAC).bytes());
        Objects.requireNonNull(h1.receive(net.portId("a"), SOON), "the router's ARP reply");
        h2.send(
                net.portId("up"),
                Frames.arpRequest("203.0.113.1", "203.0.113.2")
                        .from(OUTSIDE_MAC)
                        .bytes());
        Objects.requireNonNull(h2.receive(net.portId("up"), SOON), "the router's ARP reply");
    }

    private void fromA(int port) {
        h1.send(
                net.portId("a"),
                Frames.udp("10.0.1.5:" + port, SERVER).from(A_MAC).to(GATE).bytes());
    }

    /** UDP only: questions for neighbours are answered on the way. */
    private Packet outside() {
        while (true) {
            Packet packet = packet(h2.receive(net.portId("up"), SOON), h2);
            if (packet.key.protocol() == 17) {
                return packet;
            }
            answer(packet);
        }
    }

    private void answer(Packet packet) {
        if (packet.key.etherType() == 0x0806) {
            h2.send(
                    net.portId("up"),
                    Frames.arpReply("203.0.113.1", "203.0.113.2")
                            .from(OUTSIDE_MAC)
                            .to(UP_MAC)
                            .bytes());
        }
    }

    private Packet answered(int publicPort) {
        h2.send(
                net.portId("up"),
                Frames.udp(SERVER, PUBLIC + ":" + publicPort)
                        .from(OUTSIDE_MAC)
                        .to(UP_MAC)
                        .bytes());
        while (true) {
            Packet packet = packet(h1.receive(net.portId("a"), SOON), h1);
            if (packet.key.protocol() == 17) {
                return packet;
            }
            h1.send(
                    net.portId("a"),
                    Frames.arpReply("10.0.1.5", "10.0.1.1").from(A_MAC).to(GATE).bytes());
        }
    }

    private static Packet packet(byte[] frame, TestHost at) {
        Packet packet = Frames.wrapped(Objects.requireNonNull(
                frame, () -> "nothing came; " + at.agent().status()));
        assertThat(PacketParser.parse(packet)).isZero();
        return packet;
    }

    @Test
    void firstPacketWaitsForABlockThatThisHostThenOwns() throws Exception {
        build("20000-20999");
        fromA(1000);
        Packet out = outside();
        assertThat(IpAddress.toString(out.key.srcHigh(), out.key.srcLow())).isEqualTo(PUBLIC);
        assertThat(out.key.l4Src()).isBetween(20000, 20999);
        Packet back = answered(out.key.l4Src());
        assertThat(back.key.l4Dst()).isEqualTo(1000);

        List<PortBlockStore.Held> held = new PortBlockStore(store.connection())
                .held(net.natId("out"), IpAddress.parse(PUBLIC))
                .get();
        assertThat(held).singleElement().satisfies(block -> {
            assertThat(block.owner().host()).isEqualTo(h1.id());
            assertThat(block.owner().open()).isTrue();
        });
        assertThat(connections(h1)).singleElement().satisfies(row -> {
            assertThat(row.get("connection")).isEqualTo("udp 10.0.1.5:1000 > " + SERVER);
            assertThat(row.get("answer")).isEqualTo("udp " + SERVER + " > " + PUBLIC + ":" + out.key.l4Src());
            assertThat(row.get("told")).isEqualTo("172.16.0.2");
            assertThat(row.get("translations").toString()).contains("router r: source becomes " + PUBLIC);
        });
        assertThat(connections(h2)).as("h2 owns none").isEmpty();
    }

    @Test
    void restartedAgentGoesOnWithItsConnectionsAndItsBlocks() throws Exception {
        build("20000-20999");
        fromA(1000);
        Packet out = outside();

        h1.close();
        h1 = TestHost.start(fabric, folder, store.connectString(), "h1", "172.16.0.1");
        ready();

        assertThat(connections(h1)).as("from the journal").hasSize(1);
        assertThat(answered(out.key.l4Src()).key.l4Dst()).isEqualTo(1000);
        fromA(1000);
        assertThat(outside().key.l4Src()).as("the same port").isEqualTo(out.key.l4Src());
        for (int i = 0; i < 10; i++) {
            fromA(2000 + i);
            assertThat(outside().key.l4Src()).isNotEqualTo(out.key.l4Src());
        }
        var held = new PortBlockStore(store.connection())
                .held(net.natId("out"), IpAddress.parse(PUBLIC))
                .get();
        assertThat(held).as("one for each of two workers at most").hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void poolWithoutAnyPortLeftAnswersTheVm() throws Exception {
        build("20000-20000");
        var blocks = new PortBlockStore(store.connection());
        int size = blocks.blockSize(net.natId("out"), 16).get();
        blocks.claim(
                        new PortBlockStore.Block(net.natId("out"), IpAddress.parse(PUBLIC), 20000 / size),
                        new PortBlockStore.Owner(h2.id(), 0, 1, true))
                .get();

        fromA(1000);

        Packet error = packet(h1.receive(net.portId("a"), SOON), h1);
        assertThat(error.key.protocol()).as("ICMP").isOne();
        assertThat(h1.agent().status().get("drops").toString()).contains("nat-exhausted");
    }

    @Test
    void packetThatNeedsPortsIsNotRefusedWhileNobodyKnowsWhetherThereAreAny() {
        build("20000-20999");
        store.fail();
        await().atMost(SOON).until(() -> h1.agent().status().get("session").equals("suspended"));

        fromA(1000);
        await().atMost(SOON).until(() -> drops(h1).contains("parking-timeout"));
        assertThat(drops(h1)).doesNotContain("nat-exhausted");

        store.goOn();
        await().atMost(SOON).until(() -> h1.agent().status().get("session").equals("connected"));
        fromA(1000);
        assertThat(outside().key.l4Dst()).isEqualTo(53);
    }

    @Test
    void allAgentsHearOfAMemberThatDoesNotAnswer() throws Exception {
        int port;
        try (var listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            port = listening.getLocalPort();
            build("20000-20999");
            store.store()
                    .apply(net.balancer("front", "r", "203.0.113.80", "127.0.0.1", port)
                            .transaction());
            await().atMost(SOON).until(() -> refused(h1, "a") && !drops(h1).contains("no-member"));
        }
        await().atMost(SOON).until(() -> refused(h1, "a") && drops(h1).contains("no-member"));
        await().atMost(SOON).until(() -> refused(h2, "up") && drops(h2).contains("no-member"));
    }

    /** A SYN to the balancer gets nowhere: a loopback member is for the check alone. */
    private boolean refused(TestHost host, String port) {
        var syn = Frames.tcp((port.equals("a") ? "10.0.1.5:" : "203.0.113.1:") + 4000, "203.0.113.80:80")
                .flags(2);
        host.send(
                net.portId(port),
                (port.equals("a")
                                ? syn.from(A_MAC).to(GATE)
                                : syn.from(OUTSIDE_MAC).to(UP_MAC))
                        .bytes());
        return drops(host).contains("bad-destination") || drops(host).contains("no-member");
    }

    private static String drops(TestHost host) {
        return host.agent().status().get("drops").toString();
    }

    @SuppressWarnings("unchecked") // The rows are maps by text.
    private List<Map<String, Object>> connections(TestHost host) throws Exception {
        Path socket = folder.resolve(host == h1 ? "h1" : "h2").resolve("agent.sock");
        try (var client = ControlClient.connect(socket)) {
            return (List<Map<String, Object>>)
                    client.call("connections", Map.of()).get("connections");
        }
    }
}
