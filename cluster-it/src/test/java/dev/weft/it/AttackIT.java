package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Vm;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.sim.packet.Frames;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * One VM attacks, over the best datapath of this machine. Meanwhile nobody else loses a packet, a connection, or the
 * chance of a new one: neither its neighbour on the same bridge and host, nor another tenant's VMs with the same addresses.
 * What is dropped has its reason. Limits are small, so that an attack reaches them on any machine. The tests share the
 * set-up.
 */
@Timeout(120)
class AttackIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int FRAMES = 2_000;
    private static final int WAYS = 16;
    private static final String ATTACKER = "10.0.1.66";
    private static final String NEIGHBOUR = "10.0.1.5";
    private static final String SERVER = "10.0.1.9";
    private static final String ATTACKER_MAC = "02:00:00:00:01:66";
    private static final String SERVER_MAC = "02:00:00:00:01:09";
    private static final String NEIGHBOUR_MAC = "02:00:00:00:01:05";

    private static TestCloud cloud;
    private static Vm attacker;
    private static Vm loopOne;
    private static Vm loopTwo;
    private static List<Bystander> bystanders = List.of();

    @BeforeAll
    static void build() throws IOException {
        cloud = TestCloud.withHosts(Duration.ofSeconds(6), "h1", "h2")
                .onDatapath("auto")
                .configured("""
                weft.agent.limits {
                  upcalls-per-second = 1000, floods-per-second = 200, errors-per-second = 20
                  connections = 2048, connections-per-port = 256, stateful-ports = 16
                }
                """);
        attacker = cloud.vm("h1", "attacker", ATTACKER_MAC, ATTACKER + "/24");
        loopOne = cloud.vm("h1", "loop1", "02:00:00:00:01:71");
        loopTwo = cloud.vm("h1", "loop2", "02:00:00:00:01:72");
        Vm neighbour = cloud.vm("h1", "neighbour", NEIGHBOUR_MAC, NEIGHBOUR + "/24");
        Vm server = cloud.vm("h2", "server", SERVER_MAC, SERVER + "/24");
        Vm clerk = cloud.vm("h1", "clerk", NEIGHBOUR_MAC, NEIGHBOUR + "/24");
        Vm desk = cloud.vm("h2", "desk", SERVER_MAC, SERVER + "/24");
        for (Vm vm : List.of(server, desk)) {
            cloud.program(vm, "echo-" + vm.name(), "busybox", "nc", "-ll", "-p", "7000", "-e", "cat");
        }
        cloud.start();
        cloud.apply(network("acme", List.of(attacker, loopOne, loopTwo, neighbour, server)));
        cloud.apply(network("other", List.of(clerk, desk)));
        await().atMost(SOON).until(() -> TestCloud.ping(neighbour, SERVER) && TestCloud.ping(clerk, SERVER));
        await().atMost(SOON).until(() -> TestCloud.ping(attacker, SERVER));
        bystanders = List.of(new Bystander(neighbour), new Bystander(clerk));
    }

    @AfterAll
    static void close() throws IOException {
        for (Bystander each : bystanders) {
            each.close();
        }
        if (cloud != null) {
            cloud.close();
        }
    }

    private static String network(String tenant, List<Vm> vms) {
        var yaml = new StringBuilder("""
                tenant: %s
                bridges: [{name: net}]
                chains:
                  - name: guard
                    rules:
                      - {match: {connection: [forward, answer, related]}, action: accept}
                      - {match: {ethertype: [arp]}, action: accept}
                      - {match: {protocol: [icmp], icmp: [8]}, action: accept}
                      - {match: {protocol: [tcp], destination_port: [7000, 7001]}, action: accept}
                      - {match: {protocol: [udp], destination_port: [9000]}, action: accept}
                      - {match: {protocol: [tcp]}, action: reject}
                      - {action: drop}
                ports:
                """.formatted(tenant));
        for (Vm vm : vms) {
            boolean loops = vm == loopOne || vm == loopTwo;
            String security =
                    loops ? "" : ", mac: \"%s\", addresses: [%s/24], security: true".formatted(vm.mac(), addressOf(vm));
            yaml.append("  - {name: %s, bridge: net, host: %s, interface: %s%s%s}\n"
                    .formatted(
                            vm.name(),
                            vm.host().name(),
                            vm.hostInterface(),
                            security,
                            vm.host().name().equals("h2") ? ", outbound_chain: guard" : ""));
        }
        return yaml.toString();
    }

    private static String addressOf(Vm vm) {
        return vm == attacker ? ATTACKER : vm.mac().equals(SERVER_MAC) ? SERVER : NEIGHBOUR;
    }

    @Test
    void stormOfConnectionsAndResets() {
        var ways =
                Executors.newFixedThreadPool(WAYS, Thread.ofPlatform().daemon().factory());
        try {
            unharmedBy(() -> CompletableFuture.allOf(IntStream.range(0, WAYS)
                            .mapToObj(way -> CompletableFuture.runAsync(AttackIT::connectAndReset, ways))
                            .toArray(CompletableFuture[]::new))
                    .join());
        } finally {
            ways.shutdownNow();
        }
        assertThat(workerCounter("h1", "connections-evicted"))
                .as("its own make room for its own")
                .isPositive();
    }

    private static void connectAndReset() {
        NetworkNamespace.named(attacker.namespace()).run(() -> {
            for (int i = 0; i < 20; i++) {
                try (var socket = new Socket()) {
                    socket.setSoLinger(true, 0);
                    socket.connect(new InetSocketAddress(SERVER, 7000), 2_000);
                } catch (IOException refused) {
                    // its budget is used up: its own trouble
                }
            }
        });
    }

    @Test
    void fullTableOfConnections() {
        int[] port = {1};
        unharmedBy(() -> send(FRAMES / 4, i -> {
            port[0] = port[0] % 60_000 + 1;
            return mine(Frames.udp(ATTACKER + ":" + port[0], SERVER + ":9000"));
        }));
        assertThat(workerCounter("h1", "connections-evicted")).isPositive();
        assertThat(((List<?>) cloud.ask("h1", "connections", "--port", "acme/attacker")
                        .get("connections")))
                .as("the attacker's share")
                .hasSizeBetween(200, 256);
    }

    @Test
    void scanOfPorts() {
        int[] port = {1};
        unharmedBy(() -> send(FRAMES, i -> {
            port[0] = port[0] % 60_000 + 1;
            return mine(Frames.tcp(ATTACKER + ":" + (1024 + i), SERVER + ":" + port[0]))
                    .flags(2);
        }));
        assertThat(drops("h1", "refused") + drops("h1", "rule")).isPositive();
        assertThat(drops("h1", "upcall-budget")).isPositive();
    }

    @Test
    void falseAddresses() {
        unharmedBy(() -> {
            send(FRAMES, i -> mine(Frames.udp("10.0.1." + (i % 60 + 1) + ":" + i, SERVER + ":9000")));
            send(
                    FRAMES,
                    i -> mine(Frames.udp(NEIGHBOUR + ":1", SERVER + ":9000")).from(0x0200_0000_0000L + i));
            send(FRAMES, i -> mine(Frames.arpReply(SERVER, NEIGHBOUR)).to(NEIGHBOUR_MAC));
            send(FRAMES, i -> Frames.arpRequest(NEIGHBOUR, SERVER).from(ATTACKER_MAC));
        });
        assertThat(drops("h1", "spoofed-address")).isPositive();
        assertThat(drops("h1", "spoofed-mac")).isPositive();
        assertThat(drops("h1", "spoofed-neighbour")).isPositive();
    }

    @Test
    void forgedErrorsAboutConnectionsOfOthers() {
        int open = bystanders.getFirst().localPort();
        unharmedBy(() -> {
            send(FRAMES / 4, i -> error(Frames.tcp(SERVER + ":7000", NEIGHBOUR + ":" + (20_000 + i))));
            send(FRAMES / 4, i -> error(Frames.tcp(SERVER + ":7000", NEIGHBOUR + ":" + open)));
        });
        assertThat(drops("h1", "rule")).as("about connections that are none").isPositive();
    }

    private static Frames error(Frames about) {
        return mine(Frames.icmpError(ATTACKER, SERVER, about));
    }

    @Test
    void floodOfFragments() {
        byte[] part = new byte[64];
        unharmedBy(() -> {
            send(
                    FRAMES,
                    i -> mine(Frames.udp(ATTACKER + ":5", SERVER + ":9000"))
                            .payload(part)
                            .fragment(i, 0, true));
            send(
                    FRAMES,
                    i -> mine(Frames.udp(ATTACKER + ":5", SERVER + ":9000"))
                            .payload(part)
                            .fragment(i + 30_000, 800, false));
            send(
                    FRAMES,
                    i -> mine(Frames.ip(ATTACKER, SERVER, 6))
                            .payload(new byte[8])
                            .fragment(i, 0, true));
        });
        assertThat(drops("h1", "tiny-fragment") + drops("h1", "truncated-tcp"))
                .as("a first one without its ports")
                .isPositive();
        assertThat(drops("h1", "rule")).as("later ones of nothing").isPositive();
    }

    @Test
    void bridgeThatJoinsTwoPortsOfOneBridge() {
        cloud.in(
                loopOne,
                "link add loop type veth peer name loop netns " + loopTwo.namespace(),
                "link add br0 type bridge forward_delay 0",
                "link set loop master br0 up",
                "link set eth0 master br0",
                "link set br0 up");
        cloud.in(
                loopTwo,
                "link add br0 type bridge forward_delay 0",
                "link set loop master br0 up",
                "link set eth0 master br0",
                "link set br0 up");
        try {
            unharmedBy(() -> {
                send(50, i -> Frames.arpRequest(ATTACKER, "10.0.1." + (100 + i)).from(ATTACKER_MAC));
                await().atMost(SOON).until(() -> drops("h1", "flood-over-limit") > 0);
            });
        } finally {
            cloud.in(loopOne, "link delete loop");
        }
    }

    // The attacker.

    /** Makes the frame with that number. */
    @FunctionalInterface
    private interface Maker {
        Frames make(int number);
    }

    private static Frames mine(Frames frame) {
        return frame.from(ATTACKER_MAC).to(SERVER_MAC);
    }

    private static void send(int count, Maker maker) {
        try (var wire = Capture.at(attacker, Vm.INTERFACE)) {
            for (int i = 0; i < count; i++) {
                wire.send(maker.make(i).bytes());
            }
        }
    }

    // The others.

    /** Attacks again and again until each bystander has had its say. */
    private static void unharmedBy(Runnable attack) {
        List<CompletableFuture<Void>> watching = new ArrayList<>();
        for (Bystander each : bystanders) {
            watching.add(CompletableFuture.runAsync(each::assertNoLoss));
            watching.add(CompletableFuture.runAsync(each::assertNewConnections));
        }
        var all = CompletableFuture.allOf(watching.toArray(CompletableFuture[]::new));
        do {
            attack.run();
        } while (!all.isDone());
        all.join();
        bystanders.forEach(Bystander::assertConnected);
    }

    /** A VM that goes about its business: with SERVER, in its own network. */
    private static final class Bystander {
        private final Vm vm;
        private final SocketChannel open;

        Bystander(Vm vm) throws IOException {
            this.vm = vm;
            open = connect();
            assertConnected();
        }

        private SocketChannel connect() throws IOException {
            var channel = NetworkNamespace.named(vm.namespace()).<SocketChannel, IOException>call(SocketChannel::open);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.connect(new InetSocketAddress(SERVER, 7000));
            return channel;
        }

        int localPort() {
            try {
                return ((InetSocketAddress) open.getLocalAddress()).getPort();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        void assertNoLoss() {
            String whole = TestCloud.run(vm, "ping", "-n", "-i", "0.02", "-c", "100", "-W", "10", SERVER)
                    .output();
            assertThat(whole).as(vm.name()).contains(" 0% packet loss");
            String parts = TestCloud.run(vm, "ping", "-n", "-i", "0.05", "-c", "20", "-s", "3000", "-W", "10", SERVER)
                    .output();
            assertThat(parts).as(vm.name() + ", fragments").contains(" 0% packet loss");
        }

        void assertNewConnections() {
            for (int i = 0; i < 10; i++) {
                try (SocketChannel fresh = connect()) {
                    assertEchoes(fresh);
                } catch (IOException e) {
                    throw new AssertionError(vm.name() + ": connection " + i, e);
                }
            }
        }

        void assertConnected() {
            try {
                assertEchoes(open);
            } catch (IOException e) {
                throw new AssertionError(vm.name() + ": its connection", e);
            }
        }

        private static void assertEchoes(SocketChannel channel) throws IOException {
            channel.write(ByteBuffer.wrap(new byte[] {'!', '\n'}));
            var answer = ByteBuffer.allocate(2);
            while (answer.hasRemaining() && channel.read(answer) >= 0) {
                // until both are here
            }
            assertThat(answer.array()).containsExactly('!', '\n');
        }

        void close() throws IOException {
            open.close();
        }
    }

    private static long drops(String host, String reason) {
        return cloud.status(host).counter("drops", reason);
    }

    private static long workerCounter(String host, String name) {
        return cloud.status(host).counter("worker-counters", name);
    }
}
