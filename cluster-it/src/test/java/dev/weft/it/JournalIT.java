package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Vm;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Agents that are killed have their connections when they are back, and the connections do not notice. */
@Timeout(120)
class JournalIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String SERVER = "192.0.2.9";

    private TestCloud cloud;

    @AfterEach
    void close() {
        cloud.close();
    }

    @Test
    void killedAgentsKnowTheirConnectionsWhenTheyAreBack() throws IOException {
        cloud = TestCloud.withHosts(Duration.ofSeconds(2), "h1", "h2").onDatapath("auto");
        Vm client = cloud.vm("h1", "client", "02:00:00:00:01:05", "10.0.1.5/24");
        Vm server = cloud.vm("h2", "server", "02:00:00:00:09:09", SERVER + "/24");
        cloud.program(server, "echo", "busybox", "nc", "-ll", "-p", "7000", "-e", "cat");
        cloud.start();
        cloud.apply("""
                tenant: acme
                bridges: [{name: inside}, {name: outside}]
                routers: [{name: edge}]
                nats:
                  - {name: out, router: edge, type: source, port: outer, source: 10.0.0.0/8, addresses: [192.0.2.10]}
                ports:
                  - {name: inside-up, bridge: inside, peer: inner}
                  - {name: inner, router: edge, addresses: [10.0.1.1/24]}
                  - {name: outside-up, bridge: outside, peer: outer}
                  - {name: outer, router: edge, addresses: [192.0.2.1/24]}
                """ + port(client, "inside", "10.0.1.5/24") + port(server, "outside", SERVER + "/24"));
        await().atMost(SOON).until(() -> TestCloud.ping(client, SERVER));
        try (SocketChannel one = connect(client);
                SocketChannel other = connect(client)) {
            List<String> known = connections();
            assertThat(known).hasSize(2).allMatch(text -> text.contains("source becomes 192.0.2.10"));

            for (int i = 0; i < 10; i++) { // until all flows of theirs are there
                assertEchoes(one);
                assertEchoes(other);
            }
            cloud.agent("h1").kill();
            cloud.agent("h2").kill();
            assertEchoes(one);
            assertEchoes(other);

            cloud.startAgent("h1");
            cloud.startAgent("h2");
            assertThat(connections()).isEqualTo(known);
            await().atMost(SOON).until(() -> !taking("h1") && !taking("h2"));
            assertEchoes(one);
            assertEchoes(other);
            assertThat(connections()).as("judged again").isEqualTo(known);
            try (SocketChannel third = connect(client)) {
                assertEchoes(third);
                assertThat(connections()).hasSize(3).containsAll(known);
            }
        }
    }

    private String port(Vm vm, String bridge, String addresses) {
        return "  - {name: %s, bridge: %s, host: %s, interface: %s, mac: \"%s\", addresses: [%s], stateful: %s}\n"
                .formatted(
                        vm.name(),
                        bridge,
                        vm.host().name(),
                        vm.hostInterface(),
                        vm.mac(),
                        addresses,
                        bridge.equals("inside"));
    }

    private boolean taking(String host) {
        return (boolean) cloud.ask(host, "status").get("taking-over");
    }

    /** What it is, how it is answered and translated. */
    private List<String> connections() {
        return ((List<?>) cloud.ask("h1", "connections", "--port", "acme/client", "--with", "tcp", "--explain")
                        .get("connections"))
                .stream()
                        .map(row -> (Map<?, ?>) row)
                        .map(row -> row.get("connection") + " / " + row.get("answer") + " / " + row.get("translations"))
                        .sorted()
                        .toList();
    }

    private static SocketChannel connect(Vm from) throws IOException {
        var channel = NetworkNamespace.named(from.namespace()).<SocketChannel, IOException>call(SocketChannel::open);
        channel.connect(new InetSocketAddress(SERVER, 7000));
        assertEchoes(channel);
        return channel;
    }

    private static void assertEchoes(SocketChannel channel) throws IOException {
        channel.write(ByteBuffer.wrap(new byte[] {'!', '\n'}));
        var answer = ByteBuffer.allocate(2);
        while (answer.hasRemaining() && channel.read(answer) >= 0) {
            // until both are here
        }
        assertThat(answer.array()).containsExactly('!', '\n');
    }
}
