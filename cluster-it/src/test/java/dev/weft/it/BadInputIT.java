package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.cli.ExitCode;
import dev.weft.agent.socket.Json;
import dev.weft.base.NanoClock;
import dev.weft.topology.EmbeddedZooKeeper;
import dev.weft.topology.Schema;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import dev.weft.topology.ZkTopologyStore;
import dev.weft.topology.schema.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The command line against a real store: what is refused names file, line, column and field and says what is allowed,
 * and leaves the store as it was. Needs no root.
 */
class BadInputIT {
    private static final String GOOD = """
            tenant: acme
            bridges: [{name: left}, {name: right}]
            routers: [{name: router}]
            ports:
              - {name: vm1, bridge: left, host: h1, interface: tap1}
              - {name: vm2, bridge: right, host: h2, interface: tap1}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: left-gateway, router: router, addresses: [10.0.1.1/24, "fd00:1::1/64"]}
            routes:
              - {router: router, destination: 10.9.0.0/16, port: left-gateway, gateway: 10.0.1.254}
            """;

    @TempDir
    static Path folder;

    private static EmbeddedZooKeeper zooKeeper;
    private static StoreConnection connection;
    private static ZkTopologyStore store;

    @BeforeAll
    static void startStore() throws IOException {
        zooKeeper = EmbeddedZooKeeper.start(folder.resolve("zookeeper"), "127.0.0.1", 0);
        connection = StoreConnection.open(zooKeeper.connectString());
        assertThat(connection.awaitConnected(Duration.ofSeconds(20))).isTrue();
        store = ZkTopologyStore.open(connection, NanoClock.SYSTEM);
        var hosts = Transaction.builder();
        for (int i = 1; i <= 2; i++) {
            hosts.put(Host.newBuilder()
                    .setId(UUID.randomUUID().toString())
                    .setName("h" + i)
                    .setUnderlay("172.16.0." + i)
                    .build());
        }
        store.apply(hosts.build());
        weft("apply", "-f", file("good.yaml", GOOD)).expectOk();
    }

    @AfterAll
    static void stopStore() {
        store.close();
        connection.close();
        zooKeeper.close();
    }

    /**
     * @param at line and column of the mistake
     * @param words that the error must contain: field, value, what is allowed
     */
    record Mistake(String name, String yaml, String at, List<String> words) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Mistake mistake(String name, String at, String yaml, String... words) {
        return new Mistake(name, yaml, at, List.of(words));
    }

    static Stream<Mistake> mistakes() {
        return Stream.of(
                mistake("malformed YAML", "2:", """
                        tenant: acme
                        bridges: [{name: more]
                        """, "malformed YAML"),
                mistake("unknown field", "3:18", """
                        tenant: acme
                        bridges:
                          - {name: more, colour: red}
                        """, "bridge 'more'", "colour", "unknown field", "expected", "name"),
                mistake("unknown kind", "2:1", """
                        tenant: acme
                        switches: [{name: more}]
                        """, "switches", "expected", "bridges"),
                mistake(
                        "dangling reference",
                        "4:25",
                        """
                        tenant: acme
                        ports:
                          - {name: fine, bridge: left}
                          - {name: vm3, bridge: attic}
                        """,
                        "port 'vm3'",
                        "bridge 'attic'",
                        "expected one of left, right"),
                mistake("bad prefix", "3:35", """
                        tenant: acme
                        routes:
                          - {router: router, destination: 10.0.0.0/33, action: blackhole}
                        """, "destination '10.0.0.0/33'", "expected"),
                mistake("host bits in a prefix", "3:35", """
                        tenant: acme
                        routes:
                          - {router: router, destination: 10.0.0.1/24, action: blackhole}
                        """, "destination '10.0.0.1/24'", "10.0.0.0/24"),
                mistake(
                        "overlapping subnets on one router",
                        "3:",
                        """
                        tenant: acme
                        ports:
                          - {name: second, router: router, addresses: [10.0.1.129/25]}
                        """,
                        "port 'second'",
                        "addresses",
                        "10.0.1.128/25",
                        "overlaps 10.0.1.0/24",
                        "left-gateway"),
                mistake("an interface bound twice", "3:", """
                        tenant: acme
                        ports:
                          - {name: vm3, bridge: left, host: h1, interface: tap1}
                        """, "port 'vm3'", "interface", "tap1", "vm1"),
                mistake(
                        "a peer of another tenant",
                        "5:",
                        """
                        tenant: other
                        bridges: [{name: hall}]
                        ports:
                          - {name: fine, bridge: hall}
                          - {name: up, bridge: hall, peer: left-gateway}
                        """,
                        "port 'up'",
                        "peer 'left-gateway'",
                        "tenant 'other'",
                        "stay within a tenant"),
                mistake("a wrong enumeration value", "3:", """
                        tenant: acme
                        routes:
                          - {router: router, destination: 10.8.0.0/16, action: swallow}
                        """, "action 'swallow'", "expected", "blackhole", "reject"),
                mistake("a name twice in one file", "4:", """
                        tenant: acme
                        bridges:
                          - {name: more}
                          - {name: more}
                        """, "bridge 'more'", "stands twice", "unique"),
                mistake("neither bridge nor router", "3:", """
                        tenant: acme
                        ports:
                          - {name: vm3, host: h1, interface: tap9}
                        """, "port 'vm3'", "exactly one bridge or router"),
                mistake("an unknown host", "3:", """
                        tenant: acme
                        ports:
                          - {name: vm3, bridge: left, host: h9, interface: tap9}
                        """, "port 'vm3'", "host 'h9'", "h1, h2"),
                mistake("a host in a file", "1:", """
                        hosts: [{name: h3, underlay: 172.16.0.3}]
                        """, "host 'h3'", "registers itself"),
                mistake("a multicast MAC", "3:", """
                        tenant: acme
                        ports:
                          - {name: g, router: router, mac: "03:00:00:00:00:01", addresses: [10.7.0.1/24]}
                        """, "port 'g'", "mac '03:00:00:00:00:01'", "expected"),
                mistake("a name with blanks", "2:", """
                        tenant: acme
                        bridges: [{name: my bridge}]
                        """, "name 'my bridge'", "expected"),
                mistake("a good object beside a bad one", "4:", """
                        tenant: acme
                        bridges: [{name: would-be-fine}]
                        routes:
                          - {router: nowhere, destination: 10.8.0.0/16, action: blackhole}
                        """, "router 'nowhere'", "expected one of router"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void whatIsRefusedNamesItsPlaceAndLeavesTheStoreAsItWas(Mistake mistake) {
        TopologySnapshot before = store.refresh();
        String file = file("bad.yaml", mistake.yaml());

        TestCloud.Answer answer = weft("apply", "-f", file);

        assertThat(answer.exitCode()).as(answer.err()).isEqualTo(ExitCode.REFUSED);
        assertThat(answer.err())
                .contains(file + ":" + mistake.at())
                .contains(mistake.words())
                .doesNotContain("\tat ");
        assertThat(answer.out()).isEmpty();
        assertUnchanged(before);
    }

    @Test
    void severalMistakesAreReportedTogether() {
        String file = file("bad.yaml", """
                tenant: acme
                ports:
                  - {name: vm3, bridge: attic}
                  - {name: vm4, bridge: left, colour: red}
                routes:
                  - {router: router, destination: nonsense, action: blackhole}
                """);

        assertThat(weft("apply", "-f", file).err()).contains(file + ":3:", file + ":4:", file + ":6:");
    }

    @Test
    void aFileThatIsNotThereIsRefused() {
        assertThat(weft("apply", "-f", folder.resolve("absent.yaml").toString()))
                .satisfies(answer -> assertThat(answer.exitCode()).isEqualTo(ExitCode.REFUSED))
                .satisfies(answer -> assertThat(answer.err()).contains("absent.yaml"));
    }

    @Test
    void whatGetWritesApplyTakesBackUnchanged() {
        TopologySnapshot before = store.refresh();

        String written = weft("get", "all", "--yaml").expectOk().out();

        assertThat(written).contains("tenant: ", "bridges:", "ports:");
        assertThat(weft("apply", "-f", file("written.yaml", written)).expectOk().out())
                .contains("0 changed");
        assertUnchanged(before);
    }

    @Test
    void applyingTheSameAgainChangesNothing() {
        TopologySnapshot before = store.refresh();

        Map<String, Object> answer = Json.readObject(weft("apply", "-f", file("good.yaml", GOOD), "-o", "json")
                .expectOk()
                .out());

        assertThat(answer).containsEntry("change", before.changeNumber()).containsEntry("changes", List.of());
        assertUnchanged(before);
    }

    @Test
    void aDryRunSaysWhatWouldChangeAndWritesNothing() {
        TopologySnapshot before = store.refresh();
        String file = file("more.yaml", "tenant: acme\nbridges: [{name: would-be}]\n");

        TestCloud.Answer answer = weft("apply", "--dry-run", "-f", file).expectOk();

        assertThat(answer.out()).contains("create", "bridge", "would-be");
        assertUnchanged(before);
    }

    @Test
    void whatIsAppliedCanBeReadBoundUnboundAndDeleted() {
        weft("apply", "-f", file("trip.yaml", """
                        tenant: trip
                        bridges: [{name: hall}]
                        ports: [{name: desk, bridge: hall}]
                        """)).expectOk();
        assertThat(weft("get", "ports", "--tenant", "trip").expectOk().out()).contains("desk", "hall");

        weft("bind", "trip/desk", "--host", "h2", "--interface", "tap7").expectOk();
        assertThat(port("trip/desk")).containsEntry("host", "h2").containsEntry("interface", "tap7");

        TestCloud.Answer taken = weft("bind", "trip/desk", "--host", "h1", "--interface", "tap1");
        assertThat(taken.exitCode()).isEqualTo(ExitCode.REFUSED);
        assertThat(taken.err()).contains("tap1", "vm1");
        assertThat(port("trip/desk")).containsEntry("host", "h2").containsEntry("interface", "tap7");

        weft("unbind", "trip/desk").expectOk();
        assertThat(port("trip/desk")).containsEntry("host", null).containsEntry("interface", null);

        weft("delete", "tenant", "trip").expectOk();
        assertThat(weft("get", "ports", "--tenant", "trip").expectOk().out()).doesNotContain("desk");
        TestCloud.Answer gone = weft("get", "port", "trip/desk");
        assertThat(gone.exitCode()).isEqualTo(ExitCode.REFUSED);
        assertThat(gone.err()).contains("trip/desk", "expected", "acme/vm1");
    }

    @Test
    void whatIsHardlyMeantIsWarnedAboutAndApplied() {
        String warned = file("warned.yaml", """
                tenant: warned
                chains:
                  - name: lonely
                    rules:
                      - {match: {destination: [10.0.0.0/8]}, action: drop}
                      - {match: {destination: [10.1.0.0/16]}, action: accept}
                """);
        TestCloud.Answer answer = weft("apply", "-f", warned).expectOk();
        assertThat(answer.err())
                .contains(
                        "warning: ", "warned.yaml:6:", "chain 'lonely': rules[1]: is never reached: rules[0] takes all")
                .contains("chain 'lonely': nobody consults it");
        var again = Json.readObject(
                weft("apply", "-f", warned, "-o", "json").expectOk().out());
        assertThat(again.get("unchanged")).as("again, of what is there already").isEqualTo(2L);
        assertThat((List<?>) again.get("warnings"))
                .map(each -> ((Map<?, ?>) each).get("name") + " " + ((Map<?, ?>) each).get("field"))
                .containsExactly("lonely rules[1]", "lonely ");
        weft("delete", "tenant", "warned").expectOk();
    }

    @Test
    void aStoreThatDoesNotAnswerIsNotTheInputsFault() {
        TestCloud.Answer answer = TestCloud.runHere("get", "ports", "--store", "127.0.0.1:1");

        assertThat(answer.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(answer.err()).contains("127.0.0.1:1");
    }

    @Test
    void tracesAgainstAFileWithoutACluster() {
        TestCloud.Answer answer = TestCloud.runHere(
                "trace", "-f", file("good.yaml", GOOD), "--port", "vm1", "udp 10.0.1.5:1000 > 10.0.1.1:53 ttl 64");

        answer.expectOk();
        assertThat(answer.out()).contains("left", "router");
    }

    @Test
    void aTraceThatCannotBeReadNamesTheWord() {
        TestCloud.Answer answer = TestCloud.runHere(
                "trace", "-f", file("good.yaml", GOOD), "--port", "vm1", "udp 10.0.1.5:1000 < 10.0.2.9");

        assertThat(answer.exitCode()).isEqualTo(ExitCode.REFUSED);
        assertThat(answer.err()).contains("'<'", "expected");
    }

    @SuppressWarnings("unchecked") // Json makes maps with text keys only.
    private static Map<String, Object> port(String name) {
        var answer = Json.readObject(
                weft("get", "port", name, "-o", "json").expectOk().out());
        return (Map<String, Object>) ((List<?>) answer.get("ports")).getFirst();
    }

    private static void assertUnchanged(TopologySnapshot before) {
        TopologySnapshot after = store.refresh();
        assertThat(after.changeNumber()).isEqualTo(before.changeNumber());
        assertThat(Schema.kinds())
                .allSatisfy(kind -> assertThat(List.copyOf(after.all(kind))).isEqualTo(List.copyOf(before.all(kind))));
    }

    private static TestCloud.Answer weft(String... arguments) {
        return TestCloud.runHere(Stream.concat(Stream.of(arguments), Stream.of("--store", zooKeeper.connectString()))
                .toArray(String[]::new));
    }

    private static String file(String name, String text) {
        try {
            return Files.writeString(folder.resolve(name), text).toString();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
