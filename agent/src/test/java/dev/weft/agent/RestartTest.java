package dev.weft.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.LocalStore;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Route;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two whole agents whose datapaths survive them, with a real ZooKeeper: one of them goes and comes back. */
class RestartTest {
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
    private TestHost h1;
    private TestHost h2;
    private TestNetwork net;

    @BeforeEach
    void start() {
        store = LocalStore.start(folder.resolve("zk"));
        h1 = startHost("h1", "172.16.0.1");
        h2 = startHost("h2", "172.16.0.2");
    }

    @AfterEach
    void stop() {
        h1.agent().remove();
        h2.agent().remove();
        store.close();
    }

    private TestHost startHost(String name, String underlay) {
        return TestHost.startSurviving(fabric, folder, store.connectString(), name, underlay);
    }

    private void restartH2() {
        h2 = startHost("h2", "172.16.0.2");
        await().atMost(LONG).until(() -> status(h2, "taking-over").equals(false));
    }

    private void build(boolean statefulB) {
        net = new TestNetwork("t")
                .bridge("left")
                .bridge("right")
                .router("r")
                .join("left", "r", LEFT_GATE, "10.0.1.1/24")
                .join("right", "r", RIGHT_GATE, "10.0.2.1/24")
                .vm("a", "left", h1.id(), false)
                .vm("b", "right", h2.id(), statefulB);
        long change = store.store().apply(net.transaction());
        await().atMost(SOON)
                .until(() -> (Long) status(h1, "change") >= change && (Long) status(h2, "change") >= change);
        h1.port(net.portId("a"));
        h2.port(net.portId("b"));
        await().atMost(SOON)
                .until(() -> status(h1, "remote-ports").equals(1)
                        && status(h2, "remote-ports").equals(1)
                        && status(h1, "flood-targets").equals(1)
                        && status(h2, "flood-targets").equals(1));
    }

    private static Object status(TestHost host, String name) {
        return Objects.requireNonNull(host.agent().status().get(name));
    }

    private static long counter(TestHost host, String name) {
        return (Long) Objects.requireNonNull(((Map<?, ?>) status(host, "worker-counters")).get(name));
    }

    private static Object keyOf(TestHost host, UUID port) {
        return ((List<?>) status(host, "ports"))
                .stream()
                        .map(row -> (Map<?, ?>) row)
                        .filter(row -> row.get("id").equals(port.toString()))
                        .map(row -> row.get("tunnel-key"))
                        .findFirst()
                        .orElseThrow();
    }

    /** VM b begins, so that both MACs and both directions are known; a stateful port has a connection of it. */
    private void meet() {
        h2.send(net.portId("b"), question(1));
        receivedSaying(h1, "a", "arp request");
        h1.send(
                net.portId("a"),
                Frames.arpReply(A, "10.0.1.1").from(A_MAC).to(LEFT_GATE).bytes());
        receivedSaying(h1, "a", "udp");
        h1.send(net.portId("a"), answer(1));
        receivedSaying(h2, "b", "arp request");
        h2.send(
                net.portId("b"),
                Frames.arpReply(B, "10.0.2.1").from(B_MAC).to(RIGHT_GATE).bytes());
        receivedSaying(h2, "b", "udp");
        talk();
    }

    private void talk() {
        h2.send(net.portId("b"), question(2));
        receivedSaying(h1, "a", "udp");
        h1.send(net.portId("a"), answer(2));
        receivedSaying(h2, "b", "udp");
    }

    private static byte[] question(int payload) {
        return Frames.udp(B + ":5000", A + ":53")
                .payload(payload)
                .from(B_MAC)
                .to(RIGHT_GATE)
                .bytes();
    }

    private static byte[] answer(int payload) {
        return Frames.udp(A + ":53", B + ":5000")
                .payload(payload)
                .from(A_MAC)
                .to(LEFT_GATE)
                .bytes();
    }

    private void receivedSaying(TestHost host, String port, String what) {
        String text = "";
        while (!text.contains(what)) {
            byte[] frame = host.receive(net.portId(port), SOON);
            assertThat(frame).as("'%s' at %s", what, port).isNotNull();
            text = PacketExpression.print(Objects.requireNonNull(frame));
        }
    }

    @Test
    void whatIsEstablishedGoesOnWhileAnAgentIsAwayAndAfter() {
        build(true);
        meet();
        Object key = keyOf(h2, net.portId("b"));
        int port = h2.port(net.portId("b"));
        long simulationsOfH1 = counter(h1, "simulations");
        long invalidatedOfH1 = counter(h1, "flows-invalidated");

        h2.close();
        talk();
        restartH2();

        talk();
        assertThat(keyOf(h2, net.portId("b"))).isEqualTo(key);
        assertThat(h2.port(net.portId("b"))).isEqualTo(port);
        assertThat(h2.datapath().flows())
                .isNotEmpty()
                .extracting(FlowDump::worker)
                .doesNotContain(-1);
        assertThat(counter(h2, "flows-adopted")).isPositive();
        assertThat(counter(h2, "simulations"))
                .as("nothing had to be simulated again")
                .isZero();
        assertThat(counter(h1, "simulations")).isEqualTo(simulationsOfH1);
        assertThat(counter(h1, "flows-invalidated")).as("h1 has not noticed").isEqualTo(invalidatedOfH1);
    }

    private static byte[] serval(String words, String srcMac, String dstMac) {
        return PacketExpression.parse("sal " + words + " src-mac " + srcMac + " dst-mac " + dstMac);
    }

    @Test
    void aServalGuardKnowsItsConnectionsWhenTheAgentIsBack() {
        build(true);
        meet();
        UUID a = net.portId("a");
        h2.send(
                net.portId("b"),
                serval(
                        B + ":5 > " + A + ":0 flags syn verno 70 nonce 00000000000000c1 service 0x00004001",
                        B_MAC,
                        RIGHT_GATE));
        receivedSaying(h1, "a", " flags syn ");
        String toB = A + ":9 > " + B + ":5 flags ";
        h1.send(a, serval(toB + "syn,ack verno 500 ackno 71 nonce 00000000000000e1", A_MAC, LEFT_GATE));
        receivedSaying(h2, "b", " flags ack,syn ");

        h2.close();
        restartH2();

        h1.send(a, serval(toB + "fin verno 501 nonce 00000000000000ff", A_MAC, LEFT_GATE));
        h1.send(a, serval(toB + "fin verno 501 nonce 00000000000000e1", A_MAC, LEFT_GATE));
        receivedSaying(h2, "b", "nonce 00000000000000e1");
        assertThat(((Map<?, ?>) status(h2, "drops")).get("sal-forged-fin")).isEqualTo(1L);
    }

    @Test
    void aRuleThatChangedMeanwhileHoldsWhenTheAgentIsBack() {
        build(false);
        meet();

        h2.close();
        store.store()
                .apply(Transaction.builder()
                        .put(Route.newBuilder()
                                .setId(UUID.randomUUID().toString())
                                .setTenantId(net.tenantId().toString())
                                .setRouterId(net.routerId("r").toString())
                                .setDestination(A + "/32")
                                .setAction(Route.Action.BLACKHOLE)
                                .build())
                        .build());
        h2.send(net.portId("b"), question(3));
        receivedSaying(h1, "a", "udp");
        restartH2();

        assertThat(counter(h2, "flows-outdated")).isPositive();
        h2.send(net.portId("b"), question(4));
        assertThat(h1.receive(net.portId("a"), QUIET)).isNull();
    }

    @Test
    void anAgentMayBeAwayForLongerThanItsSession() {
        build(true);
        meet();
        long invalidatedOfH1 = counter(h1, "flows-invalidated");

        h2.close();
        // The session time-out is 1 s, and the server looks twice in that time.
        await().during(Duration.ofSeconds(3))
                .atMost(LONG)
                .until(() -> status(h1, "remote-ports").equals(1));
        talk();
        restartH2();

        talk();
        assertThat(counter(h2, "flows-adopted")).isPositive();
        assertThat(counter(h1, "flows-invalidated")).as("h1 has not noticed").isEqualTo(invalidatedOfH1);
    }

    @Test
    void aHostThatGoesDownWhileItsAgentIsAwayIsNoLongerSentTo() {
        build(false);
        meet();

        h2.close();
        await().during(Duration.ofSeconds(3))
                .atMost(LONG)
                .until(() -> status(h1, "remote-ports").equals(1));
        fabric.setWeather((fromHigh, fromLow, toHigh, toLow, key) -> MemoryFabric.Fate.LOSE);

        await().atMost(Duration.ofSeconds(3))
                .until(() -> status(h1, "remote-ports").equals(0));
        fabric.setWeather((fromHigh, fromLow, toHigh, toLow, key) -> MemoryFabric.Fate.DELIVER);
    }

    @Test
    void withoutTheStoreAnAgentGoesOnWithWhatTheOneBeforeHadRead() {
        build(false);
        meet();
        h2.close();
        store.fail();

        restartH2();

        assertThat(status(h2, "stale")).isEqualTo(true);
        assertThat(counter(h2, "flows-adopted")).isPositive();
        talk();
        h2.send(
                net.portId("b"),
                Frames.udp(B + ":6000", A + ":99").from(B_MAC).to(RIGHT_GATE).bytes());
        receivedSaying(h1, "a", B + ":6000");

        store.goOn();
        await().atMost(LONG).until(() -> status(h2, "stale").equals(false));
        long change =
                store.store().apply(new TestNetwork("other").bridge("spare").transaction());
        await().atMost(LONG).until(() -> (Long) status(h2, "change") >= change);
        talk();
    }

    @Test
    void removingAnAgentTakesEverythingAway() {
        build(false);
        meet();
        Object key = keyOf(h2, net.portId("b"));

        h2.agent().remove();

        await().atMost(SOON).until(() -> status(h1, "remote-ports").equals(0));
        assertThat(folder.resolve("h2").resolve("session")).doesNotExist();
        restartH2();
        await().atMost(SOON).until(() -> status(h1, "remote-ports").equals(1));
        assertThat(keyOf(h2, net.portId("b"))).as("of another epoch").isNotEqualTo(key);
    }
}
