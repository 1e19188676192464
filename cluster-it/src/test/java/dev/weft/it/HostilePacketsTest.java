package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.base.IpAddress;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.state.Connection;
import dev.weft.state.RecordCodec;
import dev.weft.state.StateMessage;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Host;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Truncated and lying packets into a running agent, from its VMs and through the tunnel: counted by reason, dropped, and
 * the workers go on. {@code -Dweft.seed=N} replays another seed.
 */
@Timeout(120)
class HostilePacketsTest {
    private static final long SEED = Long.getLong("weft.seed", 20260101);
    private static final int FRAMES = 40_000;
    private static final int STATE_FRAMES = 10_000;
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String MAC_A = "02:00:00:00:01:05";
    private static final String MAC_B = "02:00:00:00:02:09";
    private static final String GATEWAY = "02:00:00:00:ff:01";
    private static final String RIGHT_GATEWAY = "02:00:00:00:ff:02";
    private static final IpAddress STRANGER = IpAddress.parse("172.16.0.77");
    private static final IpAddress FRIEND = IpAddress.parse("172.16.0.78");

    @TempDir
    static Path folder;

    private static MemoryCloud cloud;
    private static int a;
    private static int b;
    private static int number;

    @BeforeAll
    static void build() {
        cloud = MemoryCloud.start(folder, "h1", "h2");
        cloud.store()
                .apply(Transaction.builder()
                        .put(Host.newBuilder()
                                .setId(UUID.randomUUID().toString())
                                .setName("friend")
                                .setUnderlay(FRIEND.toString())
                                .build())
                        .build());
        cloud.apply("""
                tenant: red
                bridges:
                  - {name: left, neighbours: [{address: 10.0.1.5, mac: "%s"}]}
                  - {name: right, neighbours: [{address: 10.0.2.9, mac: "%s"}]}
                routers: [{name: router}]
                ports:
                  - {name: a, bridge: left, host: h1, interface: a}
                  - {name: b, bridge: right, host: h2, interface: b}
                  - {name: c, bridge: left, host: h2, interface: c, stateful: true}
                  - {name: left-up, bridge: left, peer: left-gateway}
                  - {name: right-up, bridge: right, peer: right-gateway}
                  - {name: left-gateway, router: router, mac: "%s", addresses: [10.0.1.1/24, "fd00:1::1/64"]}
                  - {name: right-gateway, router: router, mac: "%s", addresses: [10.0.2.1/24, "fd00:2::1/64"]}
                """.formatted(MAC_A, MAC_B, GATEWAY, RIGHT_GATEWAY));
        await().atMost(SOON)
                .until(() -> cloud.port("h1", "a").isPresent()
                        && cloud.port("h2", "b").isPresent());
        a = cloud.port("h1", "a").getAsInt();
        b = cloud.port("h2", "b").getAsInt();
        assertGoodPacketsPass();
    }

    @AfterAll
    static void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @Test
    void lyingPacketsFromAVmAreCountedByReasonAndEndNoWorker() {
        var mutations = new Mutations(new SplittableRandom(SEED), MAC_A, GATEWAY);
        Map<String, Long> expected = new java.util.TreeMap<>();
        AgentStatus before = status("h1");
        for (int i = 0; i < FRAMES; i++) {
            byte[] frame = mutations.next();
            Malformed why = malformed(frame);
            if (why != null) {
                expected.merge(why.label(), 1L, Long::sum);
            }
            cloud.datapath("h1").send(a, frame);
        }

        assertThat(expected).as("seed %d finds many kinds of lies", SEED).hasSizeGreaterThan(12);
        AgentStatus after = status("h1");
        expected.forEach((reason, times) -> assertThat(after.counter("drops", reason) - before.counter("drops", reason))
                .as("seed %d, drops as %s", SEED, reason)
                .isGreaterThanOrEqualTo(times));
        assertThat(after.counter("worker-counters", "simulations") - before.counter("worker-counters", "simulations"))
                .as("lies that only a simulation could see through reached the worker")
                .isGreaterThan(1000);
        assertNoFault();
        assertGoodPacketsPass();
    }

    @Test
    void lyingPacketsThroughTheTunnelEndNoWorker() {
        var mutations = new Mutations(new SplittableRandom(SEED + 1), MAC_B, MAC_A);
        AgentStatus before = status("h1");
        try (var friend = new MemoryDatapath(DatapathConfig.of(1, FRIEND), cloud.fabric())) {
            var random = new SplittableRandom(SEED + 2);
            List<Integer> keys = new ArrayList<>(List.of(0, 0x12_3456));
            // The keys of ports and of floods lie close to each other, in the epoch of the host.
            for (int i = 0; i < 8; i++) {
                keys.add((keys("h1").getFirst() & 0xff_0000) + i);
            }
            for (int i = 0; i < FRAMES; i++) {
                tunnel(friend, keys.get(random.nextInt(keys.size())), mutations.next());
            }
        }

        AgentStatus after = status("h1");
        assertThat(after.counter("drops", "stale-key")).isGreaterThan(before.counter("drops", "stale-key"));
        assertThat(after.counter("datapath-counters", "delivered"))
                .as("some found the key of a's port")
                .isGreaterThan(before.counter("datapath-counters", "delivered"));
        assertThat(after.counter("drops", "truncated-ipv4"))
                .as("some found the key of a flood, which looks inside")
                .isGreaterThan(before.counter("drops", "truncated-ipv4"));
        assertNoFault();
        assertGoodPacketsPass();
    }

    @Test
    void lyingStateMessagesAreCountedAndEndNoWorker() {
        var random = new SplittableRandom(SEED + 3);
        var mutations = new Mutations(random, MAC_B, MAC_A);
        AgentStatus before = status("h1");
        try (var friend = new MemoryDatapath(DatapathConfig.of(1, FRIEND), cloud.fabric())) {
            List<byte[]> valid = stateMessages();
            for (int i = 0; i < STATE_FRAMES; i++) {
                tunnel(friend, Datapath.STATE_KEY, mutations.next(valid.get(random.nextInt(valid.size()))));
            }
        }

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(status("h1").counter("drops", "bad-state"))
                        .isGreaterThan(before.counter("drops", "bad-state")));
        assertNoFault();
        assertGoodPacketsPass();
    }

    @Test
    void aStrangersPacketsAreRefusedAndCounted() {
        AgentStatus before = status("h1");
        try (var stranger = new MemoryDatapath(DatapathConfig.of(1, STRANGER), cloud.fabric())) {
            for (int key : keys("h1")) {
                tunnel(
                        stranger,
                        key,
                        Frames.udp("10.0.2.9:1", "10.0.1.5:2")
                                .from(MAC_B)
                                .to(MAC_A)
                                .bytes());
            }
        }

        assertThat(status("h1").counter("drops", "unknown-peer") - before.counter("drops", "unknown-peer"))
                .isEqualTo(keys("h1").size());
    }

    private static List<byte[]> stateMessages() {
        var connection = new Connection();
        var buffer = MemorySegment.ofArray(new byte[2 * StateMessage.MAX_LENGTH]);
        List<byte[]> messages = new ArrayList<>();
        messages.add(copy(buffer, RecordCodec.write(buffer, 0, connection, 1, false)));
        IpAddress asked = IpAddress.parse("10.0.2.9");
        messages.add(copy(
                buffer,
                StateMessage.writeNeighbourAnswer(
                        buffer, 0, 0, 1, 2, asked.high(), asked.low(), 0x0200_0000_0209L, 1, 2, 3, 4)));
        return messages;
    }

    private static byte[] copy(MemorySegment buffer, int length) {
        return buffer.asSlice(0, length).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    }

    private static void tunnel(MemoryDatapath from, int key, byte[] frame) {
        IpAddress to = IpAddress.parse("172.16.0.1");
        var actions = new ActionList();
        actions.tunnel(to.high(), to.low(), key, 0);
        from.worker(0).execute(MemorySegment.ofArray(frame), 0, frame.length, 0, actions);
    }

    /** The host's own tunnel keys of its ports. */
    private static List<Integer> keys(String host) {
        return List.copyOf(((List<?>) status(host).document().get("ports"))
                .stream()
                        .map(port -> ((Map<?, ?>) port).get("tunnel-key"))
                        .map(key -> ((Number) key).intValue())
                        .toList());
    }

    private static AgentStatus status(String host) {
        return new AgentStatus(cloud.agent(host).status());
    }

    /** Null for a frame the parser understands. */
    private static @org.jspecify.annotations.Nullable Malformed malformed(byte[] frame) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        int code = PacketParser.parse(packet);
        return code == Malformed.OK ? null : Malformed.of(code);
    }

    private static void assertNoFault() {
        for (String host : List.of("h1", "h2")) {
            assertThat(status(host).counter("drops", "internal-error")).as(host).isZero();
            assertThat(status(host).counter("worker-counters", "faulty-commands"))
                    .as(host)
                    .isZero();
        }
    }

    /** A packet no flow knows yet, from VM to VM over both hosts, and one back. */
    private static void assertGoodPacketsPass() {
        assertPasses("h1", a, MAC_A, "h2", b, "10.0.1.5", "10.0.2.9");
        assertPasses("h2", b, MAC_B, "h1", a, "10.0.2.9", "10.0.1.5");
    }

    private static void assertPasses(
            String fromHost, int from, String mac, String toHost, int to, String source, String destination) {
        String gateway = source.startsWith("10.0.1.") ? GATEWAY : RIGHT_GATEWAY;
        // A port that was just flooded may have used up its upcalls of this second: try each second anew.
        await().atMost(SOON).pollInterval(Duration.ofMillis(250)).untilAsserted(() -> {
            byte[] payload = ("good " + ++number).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            cloud.datapath(fromHost)
                    .send(
                            from,
                            Frames.udp(source + ":" + (2000 + number), destination + ":53")
                                    .from(mac)
                                    .to(gateway)
                                    .payload(payload)
                                    .bytes());
            assertThat(arrives(toHost, to, payload)).isTrue();
        });
    }

    private static boolean arrives(String host, int port, byte[] payload) {
        long deadline = NanoClock.SYSTEM.nanoTime() + Duration.ofMillis(200).toNanos();
        while (NanoClock.SYSTEM.nanoTime() - deadline < 0) {
            byte[] frame = cloud.datapath(host).receive(port);
            if (frame != null
                    && frame.length >= payload.length
                    && Arrays.equals(payload, Arrays.copyOfRange(frame, frame.length - payload.length, frame.length))) {
                return true;
            }
        }
        return false;
    }
}
