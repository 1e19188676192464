package dev.weft.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.LocalStore;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.topology.Transaction;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two whole agents in this process with a real ZooKeeper; a VM on each, a router between them. */
class TwoAgentsTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration LONG = Duration.ofSeconds(40);
    private static final Duration QUIET = Duration.ofMillis(300);
    private static final String LEFT_GATE = "02:00:00:00:01:01";
    private static final String RIGHT_GATE = "02:00:00:00:02:01";
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:02:09";
    private static final String A = "10.0.1.5";
    private static final String B = "10.0.2.9";

    @TempDir
    Path folder;

    private final MemoryFabric fabric = new MemoryFabric();
    private LocalStore store;
    private Relay wireOfH2;
    private TestHost h1;
    private TestHost h2;
    private TestNetwork net;

    @BeforeEach
    void start() {
        store = LocalStore.start(folder.resolve("zk"));
        wireOfH2 = new Relay(store.port());
        h1 = TestHost.start(fabric, folder, store.connectString(), "h1", "172.16.0.1");
        h2 = TestHost.start(fabric, folder, wireOfH2.address(), "h2", "172.16.0.2");
    }

    @AfterEach
    void stop() {
        h1.close();
        h2.close();
        wireOfH2.close();
        store.close();
    }

    private void build(boolean statefulA) {
        net = new TestNetwork("t")
                .bridge("left")
                .bridge("right")
                .router("r")
                .join("left", "r", LEFT_GATE, "10.0.1.1/24")
                .join("right", "r", RIGHT_GATE, "10.0.2.1/24")
                .vm("a", "left", h1.id(), statefulA)
                .vm("b", "right", h2.id(), false);
        apply();
    }

    private void apply() {
        long change = store.store().apply(net.transaction());
        await().atMost(SOON).until(() -> change(h1) >= change && change(h2) >= change);
        // Both know each other's keys: the right bridge's flood key is what the first ARP needs.
        h1.port(net.portId("a"));
        h2.port(net.portId("b"));
        await().atMost(SOON).until(() -> knowsTheOther(h1) && knowsTheOther(h2));
    }

    private static long change(TestHost host) {
        return (Long) host.agent().status().get("change");
    }

    private static boolean knowsTheOther(TestHost host) {
        Map<String, Object> status = host.agent().status();
        return status.get("remote-ports").equals(1)
                && status.get("flood-targets").equals(1);
    }

    @Test
    void theFirstPacketOfAPingCrossesTwoHostsAndItsAnswerComesBack() {
        build(false);

        h1.send(net.portId("a"), echoRequest(1));

        Packet arp = received(h2, "b");
        assertThat(text(arp)).contains("arp request").contains("10.0.2.1").contains(B);
        h2.send(
                net.portId("b"),
                Frames.arpReply(B, "10.0.2.1").from(B_MAC).to(RIGHT_GATE).bytes());
        Packet echo = received(h2, "b");
        assertThat(text(echo)).contains("echo-request").contains(A + " > " + B);
        assertThat(echo.ttl).isEqualTo(63);
        h2.send(net.portId("b"), echoReply(1));
        Packet question = received(h1, "a");
        assertThat(text(question)).contains("arp request").contains("10.0.1.1").contains(A);
        h1.send(
                net.portId("a"),
                Frames.arpReply(A, "10.0.1.1").from(A_MAC).to(LEFT_GATE).bytes());
        assertThat(text(received(h1, "a"))).contains("echo-reply").contains(B + " > " + A);
        assertThat(h1.egressUpcalls()).as("egress upcalls at h1").isZero();
        assertThat(h2.egressUpcalls()).as("egress upcalls at h2").isZero();
    }

    @Test
    void anAnswerOnTheSameBridgeFindsItsWayBeforeAnyTableCouldSayIt() {
        net = new TestNetwork("t").bridge("left").vm("a", "left", h1.id(), true).vm("b", "left", h2.id(), false);
        apply();
        store.fail();

        h1.send(net.portId("a"), Frames.arpRequest(A, "10.0.1.9").from(A_MAC).bytes());
        assertThat(text(received(h2, "b"))).contains("arp request");
        h2.send(
                net.portId("b"),
                Frames.arpReply("10.0.1.9", A).from(B_MAC).to(A_MAC).bytes());
        assertThat(text(received(h1, "a"))).contains("arp reply");
        h1.send(
                net.portId("a"),
                Frames.echoRequest(A, "10.0.1.9", 7, 1).from(A_MAC).to(B_MAC).bytes());
        assertThat(text(received(h2, "b"))).contains("echo-request");
        h2.send(
                net.portId("b"),
                Frames.echoReply("10.0.1.9", A, 7, 1).from(B_MAC).to(A_MAC).bytes());
        assertThat(text(received(h1, "a"))).contains("echo-reply");
        assertThat(h1.egressUpcalls() + h2.egressUpcalls()).as("egress upcalls").isZero();
    }

    @Test
    void theUnderlayMayBeIpv6() {
        h1.close();
        h2.close();
        h1 = TestHost.start(fabric, folder, store.connectString(), "h1", "fd00:16::1");
        h2 = TestHost.start(fabric, folder, wireOfH2.address(), "h2", "fd00:16::2");
        build(true);
        meet();
        ping(2);
        assertThat(h1.egressUpcalls() + h2.egressUpcalls()).as("egress upcalls").isZero();
        assertThat(h1.agent().status()).containsEntry("underlay", "fd00:16::1");
    }

    @Test
    void theSecondPacketCausesNoUpcall() {
        build(false);
        meet();
        ping(2);
        long before = upcalls(h1) + upcalls(h2);

        ping(3);
        ping(4);

        assertThat(upcalls(h1) + upcalls(h2)).isEqualTo(before);
    }

    @Test
    void onlyAnswersReachAStatefulPort() {
        build(true);
        meet();

        h2.send(net.portId("b"), udp(B, 53, A, 1000).from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(h1.receive(net.portId("a"), QUIET))
                .as("nobody asked for this")
                .isNull();
        h1.send(net.portId("a"), udp(A, 1000, B, 53).from(A_MAC).to(LEFT_GATE).bytes());
        assertThat(text(received(h2, "b"))).contains("udp");
        h2.send(net.portId("b"), udp(B, 53, A, 1000).from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(text(received(h1, "a"))).contains("udp").contains(B + ":53 > " + A + ":1000");
        h2.send(net.portId("b"), udp(B, 53, A, 1001).from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(h1.receive(net.portId("a"), QUIET)).as("another port").isNull();
        assertThat(drops(h2)).containsKey("stateful");
    }

    @Test
    void anOutageOfTheStoreLongerThanTheSessionStopsNoPacket() {
        build(true);
        store.fail();
        await().atMost(SOON)
                .until(() -> session(h1).equals("lost") && session(h2).equals("lost"));

        // A new flow between known ports, with nobody's MAC known yet: the answer to h1's question is heard at h2.
        meet();
        ping(2);
        h1.send(net.portId("a"), udp(A, 1000, B, 53).from(A_MAC).to(LEFT_GATE).bytes());
        assertThat(text(received(h2, "b"))).contains("udp");
        h2.send(net.portId("b"), udp(B, 53, A, 1000).from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(text(received(h1, "a"))).contains("udp");

        store.goOn();
        await().atMost(LONG)
                .until(() -> session(h1).equals("connected") && session(h2).equals("connected"));
        long change =
                store.store().apply(new TestNetwork("other").bridge("spare").transaction());
        await().atMost(LONG).until(() -> change(h1) >= change && change(h2) >= change);
        ping(3);
        await().atMost(LONG).until(() -> knowsTheOther(h1) && knowsTheOther(h2));
        ping(4);
    }

    @Test
    void aHostThatIsCutFromTheStoreIsSentToAsLongAsItsDatapathAnswers() {
        build(false);
        meet();

        wireOfH2.cut();
        await().atMost(LONG).until(() -> session(h2).equals("lost"));
        await().during(Duration.ofMillis(1_500))
                .atMost(LONG)
                .until(() -> h1.agent().status().get("remote-ports").equals(1));
        ping(2);

        wireOfH2.mend();
        await().atMost(LONG).until(() -> session(h2).equals("connected"));
        await().atMost(LONG).until(() -> knowsTheOther(h1) && knowsTheOther(h2));
        ping(3);
    }

    @Test
    void othersStopSendingToAHostThatIsGoneAndStartAgainWhenItIsBack() {
        build(false);
        meet();

        wireOfH2.cut();
        fabric.setWeather((fromHigh, fromLow, toHigh, toLow, key) -> MemoryFabric.Fate.LOSE);
        // Session time-out 1 s, a tick of the server, and a second.
        await().atMost(Duration.ofMillis(2_500))
                .until(() -> h1.agent().status().get("remote-ports").equals(0));
        h1.send(net.portId("a"), echoRequest(2));
        assertThat(h2.receive(net.portId("b"), QUIET)).isNull();

        fabric.setWeather((fromHigh, fromLow, toHigh, toLow, key) -> MemoryFabric.Fate.DELIVER);
        wireOfH2.mend();
        await().atMost(LONG).until(() -> knowsTheOther(h1) && knowsTheOther(h2));
        ping(3);
    }

    @Test
    void anAgentThatStopsTakesItsEntriesAlongAtOnce() {
        build(false);
        meet();

        h2.close();

        await().atMost(Duration.ofMillis(900))
                .until(() -> h1.agent().status().get("remote-ports").equals(0));
    }

    @Test
    void aVmWhoseInterfaceVanishesIsNoLongerSentTo() {
        build(false);
        meet();

        h2.datapath().vanish(h2.port(net.portId("b")));

        await().atMost(SOON).until(() -> h1.agent().status().get("remote-ports").equals(0));
    }

    @Test
    void aPortThatIsUnboundAndBoundAgainAtOnceIsBack() {
        build(false);
        meet();
        var bound = store.store().snapshot().port(net.portId("b")).orElseThrow();

        store.store()
                .apply(Transaction.builder()
                        .put(bound.toBuilder().clearHostId().clearInterface().build())
                        .build());
        store.store().apply(Transaction.builder().put(bound).build());

        await().atMost(LONG).until(() -> knowsTheOther(h1) && knowsTheOther(h2));
        await().atMost(LONG).until(() -> h2.datapath().ports().size() == 1);
        h1.send(net.portId("a"), echoRequest(2));
        String first = text(received(h2, "b"));
        if (first.contains("arp request")) {
            h2.send(
                    net.portId("b"),
                    Frames.arpReply(B, "10.0.2.1").from(B_MAC).to(RIGHT_GATE).bytes());
            receivedSaying(h2, "b", "echo-request", "seq 2");
        }
    }

    /** VM a pings VM b for the first time, each being asked for its MAC. */
    private void meet() {
        h1.send(net.portId("a"), echoRequest(1));
        assertThat(text(received(h2, "b"))).contains("arp request").contains(B);
        h2.send(
                net.portId("b"),
                Frames.arpReply(B, "10.0.2.1").from(B_MAC).to(RIGHT_GATE).bytes());
        assertThat(text(received(h2, "b"))).contains("echo-request");
        h2.send(net.portId("b"), echoReply(1));
        assertThat(text(received(h1, "a"))).contains("arp request").contains(A);
        h1.send(
                net.portId("a"),
                Frames.arpReply(A, "10.0.1.1").from(A_MAC).to(LEFT_GATE).bytes());
        assertThat(text(received(h1, "a"))).contains("echo-reply");
    }

    private void ping(int sequence) {
        h1.send(net.portId("a"), echoRequest(sequence));
        receivedSaying(h2, "b", "echo-request", "seq " + sequence);
        h2.send(net.portId("b"), echoReply(sequence));
        receivedSaying(h1, "a", "echo-reply", "seq " + sequence);
    }

    private static Frames udp(String src, int srcPort, String dst, int dstPort) {
        return Frames.udp(src + ":" + srcPort, dst + ":" + dstPort).payload(20);
    }

    private static long upcalls(TestHost host) {
        return (Long) ((Map<?, ?>) host.agent().status().get("worker-counters")).get("upcalls");
    }

    @SuppressWarnings("unchecked") // Drops are by text.
    private static Map<String, Long> drops(TestHost host) {
        return (Map<String, Long>) host.agent().status().get("drops");
    }

    private static String session(TestHost host) {
        return (String) host.agent().status().get("session");
    }

    private byte[] echoRequest(int sequence) {
        return Frames.echoRequest(A, B, 7, sequence).from(A_MAC).to(LEFT_GATE).bytes();
    }

    private byte[] echoReply(int sequence) {
        return Frames.echoReply(B, A, 7, sequence).from(B_MAC).to(RIGHT_GATE).bytes();
    }

    private Packet received(TestHost host, String port) {
        return packet(Objects.requireNonNull(
                host.receive(net.portId(port), SOON),
                () -> "nothing reached " + port + "; " + host.agent().status()));
    }

    /** Frames before it are passed over: an outage leaves parked packets and repeated questions. */
    private void receivedSaying(TestHost host, String port, String what, String more) {
        String frame = text(received(host, port));
        while (!frame.contains(what) || !frame.contains(more)) {
            frame = text(received(host, port));
        }
    }

    private static Packet packet(byte[] frame) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        assertThat(PacketParser.parse(packet)).isZero();
        return packet;
    }

    private static String text(Packet packet) {
        return PacketExpression.print(
                packet.segment.asSlice(packet.offset, packet.length).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    }
}
