package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weft.base.NanoClock;
import dev.weft.topology.schema.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostRegistryTest {
    private static final Duration LONG = Duration.ofSeconds(40);
    private static final Host A = Samples.host("a", "10.255.0.1");
    private static final Host B = Samples.host("b", "10.255.0.2");
    private static final UUID A_ID = UUID.fromString(A.getId());
    private static final UUID B_ID = UUID.fromString(B.getId());

    @TempDir
    Path dir;

    private EmbeddedZooKeeper zooKeeper;
    private final List<StoreConnection> connections = new ArrayList<>();

    @BeforeEach
    void startServer() {
        zooKeeper = EmbeddedZooKeeper.start(dir.resolve("zk"), "127.0.0.1", 0);
    }

    @AfterEach
    void stopAll() {
        connections.forEach(StoreConnection::close);
        zooKeeper.close();
    }

    private StoreConnection connection() {
        var connection = StoreConnection.open(zooKeeper.connectString(), Duration.ofSeconds(2));
        connections.add(connection);
        return connection;
    }

    private HostRegistry registry(StoreConnection connection) {
        return new HostRegistry(connection, ZkTopologyStore.open(connection, NanoClock.SYSTEM));
    }

    @Test
    void registeredHostsAreSeenAliveAndGoneByOthers() {
        var first = connection();
        long incarnation = registry(first).register(A);
        var other = registry(connection());
        var seen = new CopyOnWriteArrayList<Map<UUID, Long>>();
        other.watchLiving(seen::add);
        await().until(() -> other.living().equals(Map.of(A_ID, incarnation)));
        other.register(B);
        await().until(() -> other.living().keySet().equals(Set.of(A_ID, B_ID)));
        first.close();
        await().until(() -> other.living().keySet().equals(Set.of(B_ID)));
        assertThat(seen).last().satisfies(last -> assertThat(last).containsOnlyKeys(B_ID));
    }

    @Test
    void theHostObjectIsWrittenAndUpdated() {
        var connection = connection();
        var store = ZkTopologyStore.open(connection, NanoClock.SYSTEM);
        var registry = new HostRegistry(connection, store);
        registry.register(A);
        registry.register(A.toBuilder().setUnderlay("10.255.9.9").build());
        assertThat(store.snapshot().host(A_ID).orElseThrow().getUnderlay()).isEqualTo("10.255.9.9");
        Host thief = B.toBuilder().setName("a").build();
        assertThatThrownBy(() -> registry.register(thief)).hasMessageContaining("is already that of host 'a'");
    }

    @Test
    void aLostSessionIsReplacedByItself() {
        var connection = connection();
        long first = registry(connection).register(A);
        var other = registry(connection());
        await().until(() -> other.living().containsKey(A_ID));
        zooKeeper.stop();
        await().atMost(LONG).until(() -> connection.state() == ConnectionState.LOST);
        assertThat(other.living()).as("the last view stays").containsKey(A_ID);
        zooKeeper.start();
        await().atMost(LONG).until(() -> other.living().getOrDefault(A_ID, first) != first);
    }

    @Test
    void anOlderAliveNodeIsReplacedNotWaitedFor() throws Exception {
        // A session that stands for a long time, as after SIGKILL.
        var killed = new ZooKeeper(zooKeeper.connectString(), 60_000, event -> {});
        try {
            var connection = connection();
            assertThat(connection.awaitConnected(LONG)).isTrue();
            killed.create(ZkPaths.alive(A_ID), new byte[8], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            var registry = registry(connection);
            long incarnation = registry.register(A);
            await().until(() -> registry.living().equals(Map.of(A_ID, incarnation)));
        } finally {
            killed.close();
        }
    }

    @Test
    void theTunnelEpochCountsUpOverRestarts() {
        var first = registry(connection());
        assertThat(first.raiseTunnelEpoch(A_ID)).isEqualTo(1);
        assertThat(first.raiseTunnelEpoch(A_ID)).isEqualTo(2);
        assertThat(registry(connection()).raiseTunnelEpoch(A_ID)).isEqualTo(3);
        assertThat(first.raiseTunnelEpoch(B_ID)).isEqualTo(1);
    }

    @Test
    void aTunnelIndexComesBackAfterAllOthers() {
        var keys = new TunnelKeys(0x103);
        var seen = new HashSet<Integer>();
        int first = keys.allocate();
        seen.add(first);
        keys.release(first);
        for (int i = 1; i < 0xfffd; i++) {
            assertThat(seen.add(keys.allocate())).isTrue();
        }
        assertThat(keys.allocate()).as("all others were given").isEqualTo(first);
        assertThat(keys.allocate()).isEqualTo(TunnelKeys.NONE);
        assertThat(seen).allMatch(key -> key >>> 16 == 3).doesNotContain(0, 0x030000, 0x03fffe, 0x03ffff);
        keys.release(0x040001);
        assertThat(keys.allocate()).as("another epoch's key frees nothing").isEqualTo(TunnelKeys.NONE);
    }

    @Test
    void waitingEndsWhenAllHostsConcernedHaveTheChange() throws Exception {
        var waits = new ChangeWaits(connection(), NanoClock.SYSTEM);
        var a = new Acknowledger(connection(), A_ID);
        var b = new Acknowledger(connection(), B_ID);
        a.reached(6);
        var answer = CompletableFuture.supplyAsync(() -> waits.await(7, Set.of(A_ID, B_ID), LONG));
        b.reached(9);
        assertThat(waits.await(7, Set.of(A_ID), Duration.ofMillis(300))).containsExactly(A_ID);
        assertThat(answer).isNotDone();
        a.reached(7);
        assertThat(answer.get(20, TimeUnit.SECONDS)).isEmpty();
        assertThat(waits.await(1, Set.of(), Duration.ZERO)).isEmpty();
        ZooKeeper zk = connections.getFirst().session();
        assertThat(zk).isNotNull();
        await().untilAsserted(() -> {
            assertThat(zk.getChildren(ZkPaths.WAITS, false)).isEmpty();
            assertThat(zk.getChildren(ZkPaths.ANSWERS, false)).isEmpty();
        });
    }

    @Test
    void aWaitOutlivesARestartOfTheServer() throws Exception {
        var connection = connection();
        var waits = new ChangeWaits(connection, NanoClock.SYSTEM);
        var a = new Acknowledger(connection(), A_ID);
        assertThat(connection.awaitConnected(LONG)).isTrue();
        var answer = CompletableFuture.supplyAsync(() -> waits.await(5, Set.of(A_ID), LONG));
        zooKeeper.stop();
        a.reached(5);
        zooKeeper.start();
        assertThat(answer.get(30, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void theHostIdIsMadeOnce() throws Exception {
        Path file = dir.resolve("deep/er/host-id");
        UUID id = HostIdentity.loadOrCreate(file);
        assertThat(HostIdentity.loadOrCreate(file)).isEqualTo(id);
        Files.writeString(file, "nonsense");
        assertThatThrownBy(() -> HostIdentity.loadOrCreate(file))
                .hasMessageContaining("host id 'nonsense' in " + file + " (expected a UUID)");
    }
}
