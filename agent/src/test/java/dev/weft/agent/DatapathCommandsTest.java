package dev.weft.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.cli.ExitCode;
import dev.weft.agent.cli.Weft;
import dev.weft.base.NanoClock;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.packet.Frames;
import dev.weft.topology.EmbeddedZooKeeper;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.ZkTopologyStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code weft datapath ...} against a whole agent. */
class DatapathCommandsTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:01:06";

    @TempDir
    Path folder;

    private final MemoryFabric fabric = new MemoryFabric();
    private final StringWriter err = new StringWriter();
    private EmbeddedZooKeeper zooKeeper;
    private TestHost host;
    private TestNetwork net;

    @BeforeEach
    void start() {
        zooKeeper = EmbeddedZooKeeper.start(folder.resolve("zk"), "127.0.0.1", 0);
        host = TestHost.startSurviving(fabric, folder, zooKeeper.connectString(), "h1", "172.16.0.1");
        net = new TestNetwork("t")
                .bridge("left")
                .vm("a", "left", host.id(), false)
                .vm("b", "left", host.id(), false);
        try (var connection = StoreConnection.open(zooKeeper.connectString());
                var store = ZkTopologyStore.open(connection, NanoClock.SYSTEM)) {
            store.apply(net.transaction());
        }
        host.port(net.portId("a"));
        host.port(net.portId("b"));
        host.send(
                net.portId("b"),
                Frames.arpRequest("10.0.1.6", "10.0.1.9").from(B_MAC).bytes());
        assertThat(host.receive(net.portId("a"), SOON)).isNotNull();
        talk();
    }

    @AfterEach
    void stop() {
        host.agent().remove();
        zooKeeper.close();
    }

    private void talk() {
        host.send(
                net.portId("a"),
                Frames.udp("10.0.1.5:1000", "10.0.1.6:53")
                        .from(A_MAC)
                        .to(B_MAC)
                        .payload(10)
                        .bytes());
        assertThat(host.receive(net.portId("b"), SOON)).isNotNull();
    }

    private String weft(String... words) {
        var out = new StringWriter();
        int code = Weft.run(new PrintWriter(out), new PrintWriter(err), words);
        assertThat(code).as(err.toString()).isEqualTo(ExitCode.OK);
        return out.toString();
    }

    private String datapath(String... words) {
        String[] all = Arrays.copyOf(words, words.length + 2);
        all[words.length] = "--socket";
        all[words.length + 1] = folder.resolve("h1").resolve("agent.sock").toString();
        return weft(all);
    }

    @Test
    void showsPortsFlowsMasksAndCounters() {
        assertThat(datapath("datapath", "ports").lines().filter(line -> line.contains("yes")))
                .hasSize(2)
                .anyMatch(line -> line.contains(" a "));
        String flow = "dst-mac=" + B_MAC;
        assertThat(datapath("datapath", "flows")).contains(flow);
        assertThat(datapath("datapath", "flows", "udp", "dst-mac", B_MAC)).contains(flow);
        assertThat(datapath("datapath", "flows", "dst-mac", "02:00:00:00:09:09"))
                .doesNotContain(flow);
        assertThat(datapath("datapath", "masks", "-o", "json"))
                .contains("\"in\":\"a\"")
                .contains("dst-mac");
        assertThat(datapath("datapath", "stats")).contains("hits").contains("drop stale-key");
        assertThat(datapath("datapath", "stats", "-o", "json")).contains("\"kind\":\"memory\"");
    }

    @Test
    void aWordThatIsNoFilterIsNamed() {
        int code = Weft.run(
                new PrintWriter(new StringWriter()),
                new PrintWriter(err),
                "datapath",
                "flows",
                "upd",
                "--socket",
                folder.resolve("h1").resolve("agent.sock").toString());
        assertThat(code).isEqualTo(ExitCode.REFUSED);
        assertThat(err.toString()).contains("'upd'");
    }

    /** Sends until the capture, which runs beside, has what it wants. */
    private String capture(String... words) {
        var shown = CompletableFuture.supplyAsync(() -> datapath(words));
        await().atMost(SOON).pollInterval(Duration.ofMillis(20)).until(() -> {
            talk();
            return shown.isDone();
        });
        return shown.getNow("");
    }

    @Test
    void aCaptureShowsFramesInWords() {
        String shown = capture("datapath", "capture", "a", "udp", "--count", "2");
        assertThat(shown.lines()).hasSize(2).allMatch(line -> line.contains(" from udp 10.0.1.5:1000 > 10.0.1.6:53"));
        assertThat(err.toString()).contains("2 frames, 0 missed");
    }

    @Test
    void aCaptureIsWrittenAsPcap() throws IOException {
        Path file = folder.resolve("b.pcap");
        capture("datapath", "capture", "b", "-w", file.toString(), "-c", "1");
        var pcap = ByteBuffer.wrap(Files.readAllBytes(file));
        assertThat(pcap.getInt(0)).isEqualTo(0xa1b23c4d);
        assertThat(pcap.getInt(20)).as("Ethernet").isEqualTo(1);
        int length = 14 + 20 + 8 + 10;
        assertThat(pcap.getInt(32)).isEqualTo(length);
        assertThat(pcap.capacity()).isEqualTo(24 + 16 + length);
    }

    @Test
    void aCaptureThatFindsNothingEnds() {
        assertThat(datapath("datapath", "capture", "a", "tcp", "--seconds", "1"))
                .isEmpty();
    }

    @Test
    void probeNeedsNoAgent() {
        assertThat(weft("datapath", "probe")).contains("userspace").contains("libpcap");
    }

    @Test
    void removeIsForADatapathWithoutAgent() {
        String[] remove = {
            "datapath", "remove", "--state-dir", folder.resolve("h1").toString(), "--store", zooKeeper.connectString()
        };
        int code = Weft.run(new PrintWriter(new StringWriter()), new PrintWriter(err), remove);
        assertThat(code).isEqualTo(ExitCode.REFUSED);
        assertThat(err.toString()).contains("another agent runs");

        host.close();
        assertThat(weft(remove)).contains("session").contains("tunnel keys");
        assertThat(folder.resolve("h1").resolve("session")).doesNotExist();
    }
}
