package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.base.NanoClock;
import dev.weft.topology.TableKind.MacKey;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ZkStateTablesTest extends StateTableContract {
    private static final Duration LONG = Duration.ofSeconds(40);

    @TempDir
    Path dir;

    private EmbeddedZooKeeper zooKeeper;
    private final Map<StateTables, StoreConnection> connections = new IdentityHashMap<>();
    private final List<HostRegistry> registries = new ArrayList<>();

    @BeforeEach
    void startServer() {
        zooKeeper = EmbeddedZooKeeper.start(dir, "127.0.0.1", 0);
    }

    @AfterEach
    void stopAll() {
        connections.values().forEach(StoreConnection::close);
        zooKeeper.close();
    }

    @Override
    StateTables host(UUID id, TableLimits limits, NanoClock clock) {
        var connection = StoreConnection.open(zooKeeper.connectString(), Duration.ofSeconds(2));
        var tables = new ZkStateTables(connection, id, limits, clock, new SplittableRandom(1));
        connections.put(tables, connection);
        var store = ZkTopologyStore.open(connection, NanoClock.SYSTEM);
        var registry = new HostRegistry(connection, store);
        registries.add(registry);
        registry.register(Samples.host("host-" + id, "10.255.0." + (id.getLeastSignificantBits() & 0xff)).toBuilder()
                .setId(id.toString())
                .build());
        return tables;
    }

    /** The session ends at the server, by the very transaction that removes its nodes. */
    @Override
    void kill(StateTables host) {
        connections.remove(host).close();
    }

    private static <K, V> void awaitSize(StateTable<K, V> table, int size) {
        await().atMost(LONG).untilAsserted(() -> assertThat(table.entries()).hasSize(size));
    }

    @Test
    void anOutageShorterThanTheSessionLosesNothing() {
        var hostA = host(HOST_A);
        var a = hostA.open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        a.put(mac(1), PORT_1);
        awaitSize(b, 1);
        var seen = new Seen<MacKey, UUID>();
        b.watch(seen);
        zooKeeper.stop();
        await().until(() -> connections.get(hostA).state() != ConnectionState.CONNECTED);
        a.put(mac(2), PORT_2);
        a.remove(mac(1));
        assertThat(b.get(mac(1))).as("the last view stays").isPresent();
        zooKeeper.start();
        await().atMost(LONG)
                .until(() -> b.get(mac(2)).isPresent() && b.get(mac(1)).isEmpty());
        assertThat(seen.told).extracting(Told::ownerDied).containsOnly(false);
    }

    @Test
    void entriesOfALostSessionAreMadeAgain() {
        var hostA = host(HOST_A);
        var a = hostA.open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        for (int i = 0; i < 50; i++) {
            a.put(mac(i), PORT_1);
        }
        awaitSize(b, 50);
        long before = a.get(mac(7)).orElseThrow().incarnation();
        zooKeeper.stop();
        await().atMost(LONG).until(() -> connections.get(hostA).state() == ConnectionState.LOST);
        zooKeeper.start();
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(b.entries()).hasSize(50);
            assertThat(b.entries().values())
                    .extracting(StateTable.Entry::incarnation)
                    .doesNotContain(before);
            assertThat(a.entries()).isEqualTo(b.entries());
        });
        assertThat(registries).extracting(HostRegistry::isDisplaced).containsOnly(false);
        await().atMost(LONG).until(() -> registries.getFirst().living().size() == 2);
    }

    @Test
    void whatIsPutWhileTheServerIsAwayIsSharedWhenItIsBack() {
        var hostA = host(HOST_A);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        zooKeeper.stop();
        await().until(() -> connections.get(hostA).state() != ConnectionState.CONNECTED);
        hostA.open(TableKind.MACS, BRIDGE).put(mac(1), PORT_1);
        zooKeeper.start();
        awaitSize(b, 1);
    }

    @Test
    void aRestartedAgentTakesOverWithoutABlink() throws Exception {
        var hostB = host(HOST_B);
        var b = hostB.open(TableKind.MACS, BRIDGE);
        var killed = host(HOST_A); // Its session still stands when the agent comes back.
        killed.open(TableKind.MACS, BRIDGE).put(mac(1), PORT_1);
        awaitSize(b, 1);
        long before = b.get(mac(1)).orElseThrow().incarnation();
        var seen = new Seen<MacKey, UUID>();
        b.watch(seen);
        var again = host(HOST_A).open(TableKind.MACS, BRIDGE);
        again.put(mac(1), PORT_1);
        await().atMost(LONG).until(() -> b.get(mac(1)).orElseThrow().incarnation() != before);
        ZooKeeper zk = connections.get(hostB).session();
        assertThat(zk).isNotNull();
        String bucket = ZkPaths.TABLES + "/macs/" + BRIDGE + "/"
                + EntryName.bucket(TableKind.MACS.keys().encode(mac(1)), TableKind.MACS.buckets());
        assertThat(seen.told).extracting(Told::value).doesNotContainNull();
        assertThat(registries.get(1).isDisplaced())
                .as("the killed one, were it still there")
                .isTrue();
        kill(killed);
        await().until(() -> zk.getChildren(bucket, false).size() == 1);
        assertThat(b.get(mac(1))).isPresent();
    }

    @Test
    void namesThatAreNoEntriesAreCountedAndIgnored() throws Exception {
        var hostA = host(HOST_A);
        var a = hostA.open(TableKind.MACS, BRIDGE);
        a.put(mac(1), PORT_1);
        awaitSize(a, 1);
        var foreign = new ZooKeeper(zooKeeper.connectString(), 30_000, event -> {});
        try {
            String bucket = ZkPaths.TABLES + "/macs/" + BRIDGE + "/"
                    + EntryName.bucket(TableKind.MACS.keys().encode(mac(1)), TableKind.MACS.buckets());
            for (String name : List.of("1nonsense.", "2AAAA.", "1.", "1____.", "x")) {
                foreign.create(
                        bucket + "/" + name, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
            }
            await().until(() -> hostA.counters().malformed() == 5);
            assertThat(a.entries()).hasSize(1);
        } finally {
            foreign.close();
        }
    }

    @Test
    void sequencesThatWrapAreStillCompared() {
        byte[] key = TableKind.MACS.keys().encode(mac(1));
        byte[] value = TableKind.MACS.values().encode(PORT_1);
        String prefix = EntryName.prefix(key, value, HOST_A, 5);
        EntryName last = EntryName.parse(prefix + Integer.MAX_VALUE).orElseThrow();
        EntryName wrapped = EntryName.parse(prefix + Integer.MIN_VALUE).orElseThrow();
        assertThat(wrapped.isNewerThan(last)).isTrue();
        assertThat(last.isNewerThan(wrapped)).isFalse();
        assertThat(last.host()).isEqualTo(HOST_A);
        assertThat(last.incarnation()).isEqualTo(5);
        assertThat(EntryName.lengthOf(prefix)).isLessThanOrEqualTo(EntryName.MAX_LENGTH);
    }

    @Test
    void aSessionAtItsLimitGoesInOneTransaction() {
        var hostA = host(HOST_A, new TableLimits(4_000, 512 << 10, 100_000, 100_000), NanoClock.SYSTEM);
        var a = hostA.open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        int shared = 0;
        while (a.put(mac(shared), PORT_1) == PutOutcome.SHARED) {
            shared++;
        }
        assertThat(shared).as("entries of one session").isBetween(2_000, 4_000);
        awaitSize(b, shared);
        kill(hostA);
        awaitSize(b, 0);
    }

    @Test
    void theIncarnationOfAHostIsItsSession() throws Exception {
        var hostA = host(HOST_A);
        var a = hostA.open(TableKind.MACS, BRIDGE);
        a.put(mac(1), PORT_1);
        awaitSize(a, 1);
        ZooKeeper zk = connections.get(hostA).session();
        assertThat(zk).isNotNull();
        assertThat(ByteBuffer.wrap(zk.getData(ZkPaths.alive(HOST_A), false, null))
                        .getLong())
                .isEqualTo(zk.getSessionId());
    }
}
