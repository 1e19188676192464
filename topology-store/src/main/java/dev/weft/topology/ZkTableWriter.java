package dev.weft.topology;

import dev.weft.topology.TableView.Opinion;
import dev.weft.topology.schema.TableShape;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/**
 * The writing half of a table in ZooKeeper: makes what this host says equal to what is wanted, key by key. A new entry
 * is created before the old one is deleted. An answer that got lost needs no memory: listing shows what is there, and
 * doubles go. Owned by the store thread, but for the wanted values.
 */
final class ZkTableWriter<K, V> {
    // Immutable.
    private final ZkStateTables tables;
    private final StoreConnection connection;
    private final TableKind<K, V> kind;
    private final String path;
    private final TableView<K, V> view;
    private final ZkTableReader<K, V> reader;
    // Shared.
    private final Map<K, V> wanted;
    // Owned by the store thread.
    private final Set<K> creating = new HashSet<>();
    private final Set<K> awaitingTable = new HashSet<>();
    private final Set<K> paid = new HashSet<>(); // The rate allowed the write, which is not done yet.

    /** @param wanted what this host says; written by any thread */
    ZkTableWriter(
            ZkStateTables tables,
            StoreConnection connection,
            TableKind<K, V> kind,
            String path,
            TableView<K, V> view,
            ZkTableReader<K, V> reader,
            Map<K, V> wanted) {
        this.tables = tables;
        this.connection = connection;
        this.kind = kind;
        this.path = path;
        this.view = view;
        this.reader = reader;
        this.wanted = wanted;
    }

    /** Writes now: the rate has been asked. */
    void write(K key) {
        paid.add(key);
        view.setLocalOnly(key, null);
        reconcile(key);
    }

    void forgetRequests() {
        creating.clear();
        awaitingTable.clear();
    }

    void reconcileAll() {
        var keys = new HashSet<>(wanted.keySet());
        for (String name : view.names()) {
            Opinion<K, V> opinion = Objects.requireNonNull(view.opinion(name));
            boolean ownSession = opinion.name().host().equals(tables.self())
                    && opinion.name().incarnation() == connection.sessionId();
            if (ownSession) {
                keys.add(opinion.key());
            }
        }
        for (K key : keys) {
            if (paid.contains(key)) {
                reconcile(key);
            } else if (!isSettled(key)) {
                writeWhenRateAllows(key);
            }
        }
    }

    void writeWhenRateAllows(K key) {
        tables.whenRateAllows(new ZkStateTables.Write(() -> !isSettled(key), () -> write(key)));
    }

    private boolean isSettled(K key) {
        V value = wanted.get(key);
        List<String> own = view.ownNames(key);
        return value == null ? own.isEmpty() : own.size() == 1 && says(own.getFirst(), value);
    }

    private boolean says(String name, V value) {
        Opinion<K, V> opinion = Objects.requireNonNull(view.opinion(name));
        return opinion.value().equals(value) && opinion.name().incarnation() == connection.sessionId();
    }

    /** Makes what this host says of a key what is wanted: first the new entry, then away with the old ones. */
    void reconcile(K key) {
        ZooKeeper zk = connection.session();
        if (zk == null || creating.contains(key) || !tables.mayWrite()) {
            return; // At the next connection, or when the answer is here.
        }
        V value = wanted.get(key);
        List<String> own = view.ownNames(key);
        if (value == null) {
            if (!tables.keepsUnwanted()) {
                withdraw(key);
            }
            return;
        }
        List<String> right = own.stream().filter(name -> says(name, value)).toList();
        if (right.isEmpty()) {
            create(zk, key, value, false);
            return;
        }
        String kept = right.getFirst();
        for (String name : right) {
            EntryName one = Objects.requireNonNull(view.opinion(name)).name();
            kept = one.isNewerThan(Objects.requireNonNull(view.opinion(kept)).name()) ? name : kept;
        }
        for (String name : own) {
            if (!name.equals(kept)) {
                delete(zk, key, name);
            }
        }
    }

    boolean isWanted(K key) {
        return wanted.containsKey(key);
    }

    /** Away with what this host says of a key. */
    void withdraw(K key) {
        paid.remove(key);
        ZooKeeper zk = connection.session();
        if (zk != null && tables.mayWrite()) {
            view.ownNames(key).forEach(name -> delete(zk, key, name));
        }
    }

    private void create(ZooKeeper zk, K key, V value, boolean bucketMade) {
        creating.add(key);
        if (reader.bucketCount() == 0) {
            lay(zk, key);
            return;
        }
        int mine = reader.generation();
        String prefix = EntryName.prefix(
                kind.keys().encode(key), kind.values().encode(value), tables.self(), connection.sessionId());
        String bucket = bucketPath(key);
        zk.create(
                bucket + "/" + prefix,
                new byte[0],
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.EPHEMERAL_SEQUENTIAL,
                (rc, asked, context, name) -> connection.execute(() -> {
                    if (mine != reader.generation()) {
                        // The next listing shows whether it is there, and doubles go then; unless the table was closed.
                        if (rc == Code.OK.intValue() && !wanted.containsKey(key)) {
                            zk.delete(name, -1, (rc2, deleted, context2) -> {}, null);
                        }
                        return;
                    }
                    switch (Code.get(rc)) {
                        case OK -> {
                            creating.remove(key);
                            paid.remove(key);
                            tables.counters().created.increment();
                            view.add(ZkPaths.lastPart(name));
                            reconcile(key);
                        }
                        case NONODE -> {
                            if (bucketMade) {
                                lay(zk, key); // The table itself went, as an empty one does.
                            } else {
                                make(zk, bucket, new byte[0], CreateMode.CONTAINER);
                                create(zk, key, value, true);
                            }
                        }
                        default -> {
                            creating.remove(key);
                            reader.lostOrLog(rc, asked);
                        }
                    }
                }),
                null);
    }

    /** Makes the table, once for all keys that wait for it, then comes back to them. */
    private void lay(ZooKeeper zk, K key) {
        awaitingTable.add(key);
        if (awaitingTable.size() > 1) {
            return;
        }
        int mine = reader.generation();
        byte[] shape =
                TableShape.newBuilder().setBuckets(kind.buckets()).build().toByteArray();
        make(zk, ZkPaths.TABLES + "/" + kind.name(), new byte[0], CreateMode.PERSISTENT);
        make(zk, path, shape, CreateMode.CONTAINER);
        zk.getData(
                path,
                false,
                (rc, asked, context, data, stat) -> connection.execute(() -> {
                    if (mine != reader.generation()) {
                        return;
                    }
                    Set<K> waiting = Set.copyOf(awaitingTable);
                    awaitingTable.clear();
                    creating.removeAll(waiting);
                    int count = rc == Code.OK.intValue() ? reader.shape(data) : 0;
                    if (count == 0) {
                        reader.lostOrLog(rc, asked);
                    } else if (count == reader.bucketCount()) {
                        waiting.forEach(this::reconcile);
                    } else {
                        reader.shaped(zk, count);
                    }
                }),
                null);
    }

    private static void make(ZooKeeper zk, String path, byte[] data, CreateMode mode) {
        zk.create(path, data, ZooDefs.Ids.OPEN_ACL_UNSAFE, mode, (rc, asked, context, name) -> {}, null);
    }

    private void delete(ZooKeeper zk, K key, String name) {
        if (reader.bucketCount() == 0) {
            return; // Gone with its table.
        }
        int mine = reader.generation();
        zk.delete(
                bucketPath(key) + "/" + name,
                -1,
                (rc, asked, context) -> connection.execute(() -> {
                    if (mine == reader.generation() && (rc == Code.OK.intValue() || rc == Code.NONODE.intValue())) {
                        tables.counters().deleted.increment();
                        reader.gone(name, false);
                    } else if (mine == reader.generation()) {
                        reader.lostOrLog(rc, asked);
                    }
                }),
                null);
    }

    private String bucketPath(K key) {
        return path + "/" + EntryName.bucket(kind.keys().encode(key), reader.bucketCount());
    }
}
