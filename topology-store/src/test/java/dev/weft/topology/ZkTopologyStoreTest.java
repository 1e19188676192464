package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weft.base.NanoClock;
import dev.weft.topology.schema.Bridge;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ZkTopologyStoreTest extends TopologyStoreContract {
    @TempDir
    Path dir;

    private EmbeddedZooKeeper zooKeeper;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @Override
    TopologyStore open() {
        zooKeeper = EmbeddedZooKeeper.start(dir, "127.0.0.1", 0);
        ZkTopologyStore first = another();
        first.refresh();
        return first;
    }

    private StoreConnection connection() {
        var connection = StoreConnection.open(zooKeeper.connectString(), Duration.ofSeconds(2));
        opened.addFirst(connection);
        return connection;
    }

    private ZkTopologyStore another() {
        return ZkTopologyStore.open(connection(), NanoClock.SYSTEM, Duration.ofSeconds(20));
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable part : opened) {
            part.close();
        }
        zooKeeper.close();
    }

    /** Remembers all it is told. */
    static final class Seen implements TopologyStore.Listener {
        final List<TopologySnapshot> snapshots = new CopyOnWriteArrayList<>();
        final List<ConnectionState> states = new CopyOnWriteArrayList<>();

        @Override
        public void changed(TopologySnapshot snapshot) {
            snapshots.add(snapshot);
        }

        @Override
        public void connection(ConnectionState state) {
            states.add(state);
        }

        long last() {
            return snapshots.isEmpty() ? -1 : snapshots.getLast().changeNumber();
        }
    }

    @Test
    void anotherProcessSeesWhatIsWritten() {
        store.apply(put(TENANT, BRIDGE));
        try (var other = another()) {
            var seen = new Seen();
            other.watch(seen);
            await().until(() -> seen.last() == 1);
            store.apply(put(ROUTER));
            await().until(() -> seen.last() == 2);
            assertThat(other.snapshot().routers()).containsExactly(ROUTER);
            assertThat(other.snapshot().version(BRIDGE)).isEqualTo(1);
        }
    }

    @Test
    void objectsAndVersionsSurviveARestartOfTheServer() {
        store.apply(put(TENANT));
        store.apply(put(BRIDGE));
        zooKeeper.stop();
        zooKeeper.start();
        try (var other = another()) {
            TopologySnapshot read = other.refresh();
            assertThat(read.changeNumber()).isEqualTo(2);
            assertThat(read.version(BRIDGE)).isEqualTo(2);
            assertThat(read.version(TENANT)).isEqualTo(1);
        }
    }

    @Test
    void anOutageShorterThanTheSessionIsSurvived() {
        var seen = new Seen();
        store.watch(seen);
        store.apply(put(TENANT));
        zooKeeper.stop();
        await().until(() -> seen.states.contains(ConnectionState.SUSPENDED));
        assertThat(store.snapshot().tenants()).as("the last snapshot stays").hasSize(1);
        zooKeeper.start();
        store.apply(put(BRIDGE));
        await().until(() -> seen.last() == 2);
        await().untilAsserted(() -> assertThat(seen.states).last().isEqualTo(ConnectionState.CONNECTED));
    }

    @Test
    void aLostSessionIsSurvivedAndWhatOthersDidIsSeen() {
        var seen = new Seen();
        store.watch(seen);
        store.apply(put(TENANT));
        zooKeeper.stop();
        await().atMost(Duration.ofSeconds(20)).until(() -> seen.states.contains(ConnectionState.LOST));
        zooKeeper.start();
        try (var other = another()) {
            other.apply(put(BRIDGE));
            other.apply(put(ROUTER));
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> seen.last() == 3);
        assertThat(seen.snapshots)
                .extracting(TopologySnapshot::changeNumber)
                .isSorted()
                .doesNotHaveDuplicates();
    }

    @Test
    void applySaysWhenTheServerIsAway() {
        zooKeeper.stop();
        try (var impatient = ZkTopologyStore.open(connection(), NanoClock.SYSTEM, Duration.ofMillis(300))) {
            assertThatThrownBy(() -> impatient.apply(put(TENANT)))
                    .isInstanceOf(TopologyException.class)
                    .hasMessageContaining("got no answer from " + zooKeeper.connectString() + " within");
        }
        zooKeeper.start();
    }

    @Test
    void anApplyDuringAnOutageHappensOnceWhenTheServerIsBack() throws Exception {
        store.apply(put(TENANT));
        zooKeeper.stop();
        var change = new AtomicLong();
        var writer = Thread.ofVirtual().start(() -> change.set(store.apply(put(BRIDGE))));
        zooKeeper.start();
        writer.join();
        assertThat(change).hasValue(2);
        assertThat(store.snapshot().bridges()).hasSize(1);
    }

    @Test
    void aReaderNeverSeesHalfATransaction() {
        store.apply(put(TENANT));
        Bridge left = Samples.bridge(TENANT, "left");
        Bridge right = Samples.bridge(TENANT, "right");
        var torn = new CopyOnWriteArrayList<String>();
        try (var other = another()) {
            other.watch(snapshot -> {
                boolean hasLeft = snapshot.bridges().contains(left);
                if (hasLeft != snapshot.bridges().contains(right)) {
                    torn.add("change " + snapshot.changeNumber());
                }
            });
            for (int i = 0; i < 100; i++) {
                store.apply(put(left, right));
                if (i % 10 == 0) {
                    try (var late = another()) { // Reads all objects while they come and go.
                        TopologySnapshot seen = late.refresh();
                        assertThat(seen.bridges().contains(left))
                                .isEqualTo(seen.bridges().contains(right));
                    }
                }
                store.apply(Transaction.builder()
                        .delete(Bridge.class, ObjectRef.of(left).id())
                        .delete(Bridge.class, ObjectRef.of(right).id())
                        .build());
            }
            await().until(() ->
                    other.snapshot().changeNumber() == store.snapshot().changeNumber());
        }
        assertThat(torn).isEmpty();
    }

    @Test
    void whoMissesAnEntryOfTheLogReadsAllObjects() throws Exception {
        store.apply(put(TENANT));
        ZooKeeper zk = opened.getLast() instanceof StoreConnection first ? first.session() : null;
        assertThat(zk).isNotNull();
        ObjectRef ref = ObjectRef.of(BRIDGE);
        byte[] bridge = LogCodec.stored(BRIDGE, 2).toByteArray();
        // As after 1,000 further changes: the number went on, the entry is gone.
        zk.multi(List.of(
                Op.setData(
                        ZkPaths.CHANGE,
                        ByteBuffer.allocate(Long.BYTES).putLong(2).array(),
                        -1),
                Op.create(
                        ZkPaths.object(ref.kind(), ref.id()),
                        bridge,
                        ZooDefs.Ids.OPEN_ACL_UNSAFE,
                        CreateMode.PERSISTENT)));
        await().until(() -> store.snapshot().changeNumber() == 2);
        assertThat(store.snapshot().bridges()).containsExactly(BRIDGE);
        assertThat(store.apply(put(ROUTER))).isEqualTo(3);
    }

    @Test
    void theLogIsTrimmed() throws Exception {
        store.apply(put(TENANT));
        long last = 0;
        for (int i = 0; i < TopologyFollower.LOG_LENGTH + 140; i++) {
            last = store.apply(put(BRIDGE.toBuilder().setName("b" + i % 2).build()));
        }
        long newest = last;
        ZooKeeper zk = opened.getLast() instanceof StoreConnection first ? first.session() : null;
        assertThat(zk).isNotNull();
        await().until(() -> zk.exists(ZkPaths.log(2), false) == null);
        assertThat(zk.getChildren(ZkPaths.LOG, false).size()).isLessThan(TopologyFollower.LOG_LENGTH + 140);
        assertThat(zk.exists(ZkPaths.log(newest - TopologyFollower.LOG_LENGTH + 10), false))
                .isNotNull();
    }

    @Test
    void aTransactionTooLargeIsRefusedWithItsSize() {
        var builder = Transaction.builder().put(TENANT);
        for (int i = 0; i < 4_000; i++) {
            builder.put(Samples.bridge(TENANT, "bridge-number-" + i));
        }
        assertThatThrownBy(() -> store.apply(builder.build()))
                .isInstanceOf(TopologyException.class)
                .hasMessageContaining("a transaction of 4001 objects takes")
                .hasMessageContaining("apply it in several parts");
        assertThat(store.snapshot().tenants()).isEmpty();
    }

    @Test
    void aThousandObjectsGoInOneTransaction() {
        var builder = Transaction.builder().put(TENANT);
        for (int i = 0; i < 1_000; i++) {
            builder.put(Samples.bridge(TENANT, "b" + i));
        }
        assertThat(store.apply(builder.build())).isEqualTo(1);
        try (var other = another()) {
            assertThat(other.refresh().bridges()).hasSize(1_000);
        }
    }

    @Test
    void writersInSeveralProcessesAllGetThrough() throws Exception {
        store.apply(put(TENANT));
        try (var other = another()) {
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < 20; i++) {
                TopologyStore one = i % 2 == 0 ? store : other;
                Bridge bridge = Samples.bridge(TENANT, "b" + i);
                threads.add(Thread.ofVirtual().start(() -> one.apply(put(bridge))));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            await().until(() -> store.snapshot().bridges().size() == 20);
            assertThat(other.refresh().changeNumber()).isEqualTo(21);
        }
    }
}
