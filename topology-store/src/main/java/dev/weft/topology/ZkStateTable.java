package dev.weft.topology;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weft.topology.TableView.Opinion;
import dev.weft.topology.schema.TableShape;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One table in ZooKeeper: {@code /weft/tables/<kind>/<device>/<bucket>/<entry>}. Table and buckets are container nodes,
 * made with the first entry; the server removes them some time after the last. Wanted values may be set by any thread;
 * everything else is owned by the store thread.
 */
final class ZkStateTable<K, V> implements StateTable<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(ZkStateTable.class);
    private static final int MAX_BUCKETS = 1_024;
    /** Stands for a transaction that happened while nobody watched. */
    private static final long UNSEEN = 0;

    // Immutable.
    private final ZkStateTables tables;
    private final StoreConnection connection;
    private final TableKind<K, V> kind;
    private final UUID device;
    private final String path;
    private final TableView<K, V> view;
    // Shared.
    private final Map<K, V> wanted = new ConcurrentHashMap<>();
    private volatile boolean closed;
    // Owned by the store thread.
    private @Nullable Bucket[] buckets = new Bucket[0];
    private final Set<K> creating = new HashSet<>();
    private final Set<K> awaitingTable = new HashSet<>();
    private final Set<K> paid = new HashSet<>(); // The rate allowed the write, which is not done yet.
    private final Map<Death, Set<String>> removing = new HashMap<>();
    private int generation;
    private int listings;

    /** What is known of a bucket: the transaction that changed its children last. */
    private static final class Bucket {
        long pzxid = -1;
    }

    /** Names that one transaction removed of one host: decided together. */
    private record Death(UUID host, long zxid) {}

    ZkStateTable(ZkStateTables tables, StoreConnection connection, TableKind<K, V> kind, UUID device) {
        this.tables = tables;
        this.connection = connection;
        this.kind = kind;
        this.device = device;
        this.path = ZkPaths.TABLES + "/" + kind.name() + "/" + device;
        this.view = new TableView<>(kind, tables.self(), tables.counters());
    }

    // For any thread.

    @Override
    public PutOutcome put(K key, V value) {
        int bytes = nodeLength(key, value);
        V before = wanted.get(key);
        if (value.equals(before)) {
            return PutOutcome.SHARED;
        }
        if (before == null && !tables.budget().tryReserve(bytes)) {
            tables.counters().localOnly.increment();
            connection.execute(() -> view.setLocalOnly(key, value));
            return PutOutcome.LOCAL_ONLY;
        }
        V raced = wanted.put(key, value);
        if (before == null && raced != null) {
            tables.budget().release(bytes); // Two threads put the same new key: it counts once.
        }
        if (tables.budget().tryWrite()) {
            connection.execute(() -> {
                paid.add(key);
                view.setLocalOnly(key, null);
                reconcile(key);
            });
            return PutOutcome.SHARED;
        }
        tables.counters().delayed.increment();
        connection.execute(() -> {
            view.setLocalOnly(key, value);
            writeWhenRateAllows(key);
        });
        return PutOutcome.DELAYED;
    }

    @Override
    public void remove(K key) {
        V before = wanted.remove(key);
        if (before != null) {
            tables.budget().release(nodeLength(key, before));
        }
        connection.execute(() -> {
            view.setLocalOnly(key, null);
            reconcile(key);
        });
    }

    @Override
    public Optional<Entry<V>> get(K key) {
        return view.get(key);
    }

    @Override
    public Map<K, Entry<V>> entries() {
        return view.entries();
    }

    @Override
    public Watch watch(Listener<K, V> listener) {
        connection.execute(() -> view.listen(listener));
        return () -> view.unlisten(listener);
    }

    @Override
    public void close() {
        tables.forget(kind, device);
        for (K key : wanted.keySet()) {
            remove(key);
        }
        connection.execute(() -> {
            closed = true;
            generation++;
            ZooKeeper zk = connection.session();
            if (zk != null) {
                zk.removeAllWatches(path, Watcher.WatcherType.Any, true, (rc, watched, context) -> {}, null);
            }
        });
    }

    private int nodeLength(K key, V value) {
        String prefix = EntryName.prefix(kind.keys().encode(key), kind.values().encode(value), tables.self(), 0);
        return path.length() + 6 + EntryName.lengthOf(prefix);
    }

    // On the store thread: reading.

    void connected(ZooKeeper zk) {
        if (closed) {
            return;
        }
        forgetRequests();
        // The watch first: what happens after it is told, what happened before it is listed.
        zk.addWatch(
                path,
                event -> connection.execute(() -> event(event)),
                AddWatchMode.PERSISTENT_RECURSIVE,
                (rc, watched, context) -> {},
                null);
        readShape(zk);
    }

    void disconnected() {
        forgetRequests();
    }

    /** Answers that still come say nothing any more; listing shows what became of them. */
    private void forgetRequests() {
        generation++;
        creating.clear();
        awaitingTable.clear();
        removing.clear();
        listings = 0;
    }

    private void readShape(ZooKeeper zk) {
        int mine = generation;
        zk.getData(
                path,
                false,
                (rc, asked, context, data, stat) -> connection.execute(() -> {
                    if (mine != generation) {
                        return;
                    }
                    switch (Code.get(rc)) {
                        case OK -> shaped(zk, shape(data));
                        case NONODE -> shaped(zk, 0);
                        default -> lostOrLog(rc, asked);
                    }
                }),
                null);
    }

    private int shape(byte[] data) {
        try {
            int found = TableShape.parseFrom(data).getBuckets();
            if (found >= 1 && found <= MAX_BUCKETS) {
                return found;
            }
            LOG.error("{} says {} buckets (expected 1..{}); the table is not read", path, found, MAX_BUCKETS);
        } catch (InvalidProtocolBufferException broken) {
            LOG.error("{} cannot be read; the table is not", path, broken);
        }
        return 0;
    }

    private void shaped(ZooKeeper zk, int count) {
        if (count != buckets.length) {
            forgetRequests(); // They spoke of other buckets.
            buckets = new Bucket[count];
            for (int i = 0; i < count; i++) {
                buckets[i] = new Bucket();
            }
        }
        if (count == 0) {
            view.names().forEach(name -> removed(name, UNSEEN));
            listedAll();
            return;
        }
        int mine = generation;
        for (int i = 0; i < count; i++) {
            int index = i;
            listings++;
            Bucket bucket = Objects.requireNonNull(buckets[index]);
            if (bucket.pzxid < 0) {
                list(zk, index);
            } else {
                connection.schedule(() -> compare(zk, mine, index), tables.jitter());
            }
        }
    }

    /** Lists a bucket again only when its children changed since. */
    private void compare(ZooKeeper zk, int mine, int index) {
        if (mine != generation) {
            return;
        }
        zk.exists(
                bucketPath(index),
                false,
                (rc, asked, context, stat) -> connection.execute(() -> {
                    if (mine != generation || index >= buckets.length) {
                        return;
                    }
                    if (rc == Code.OK.intValue() && stat.getPzxid() == bucketAt(index).pzxid) {
                        listed();
                    } else if (rc == Code.OK.intValue() || rc == Code.NONODE.intValue()) {
                        list(zk, index);
                    } else {
                        lostOrLog(rc, asked);
                    }
                }),
                null);
    }

    private void list(ZooKeeper zk, int index) {
        int mine = generation;
        zk.getChildren(
                bucketPath(index),
                false,
                (rc, asked, context, children, stat) -> connection.execute(() -> {
                    if (mine != generation || index >= buckets.length) {
                        return;
                    }
                    switch (Code.get(rc)) {
                        case OK -> replace(index, children, stat.getPzxid());
                        case NONODE -> replace(index, List.of(), -1);
                        default -> {
                            lostOrLog(rc, asked);
                            return;
                        }
                    }
                    listed();
                }),
                null);
    }

    private void listed() {
        listings--;
        if (listings == 0) {
            listedAll();
        }
    }

    private void listedAll() {
        view.ready();
        reconcileAll();
    }

    private void replace(int index, List<String> children, long pzxid) {
        var present = new HashSet<>(children);
        children.forEach(view::add);
        for (String name : view.names()) {
            Opinion<K, V> opinion = Objects.requireNonNull(view.opinion(name));
            if (!present.contains(name) && bucketOf(opinion.key()) == index) {
                // Nobody saw how it went: dead is whose session is not there.
                UUID host = opinion.name().host();
                gone(name, isDead(host));
            }
        }
        bucketAt(index).pzxid = pzxid;
    }

    private void event(WatchedEvent event) {
        ZooKeeper zk = connection.session();
        if (zk == null || closed || event.getPath() == null || !event.getPath().startsWith(path)) {
            return;
        }
        String[] parts = event.getPath().substring(path.length()).split("/");
        // "" = the table, "/3" = a bucket, "/3/name" = an entry.
        if (parts.length == 1) {
            if (event.getType() == Watcher.Event.EventType.NodeDeleted || buckets.length == 0) {
                readShape(zk);
            }
            return;
        }
        if (parts.length != 3) {
            return;
        }
        String name = parts[2];
        switch (event.getType()) {
            case NodeCreated -> {
                seen(parts[1], event.getZxid());
                @Nullable K key = view.add(name);
                if (key != null
                        && Objects.requireNonNull(view.opinion(name))
                                .name()
                                .host()
                                .equals(tables.self())) {
                    reconcile(key);
                }
            }
            case NodeDeleted -> {
                seen(parts[1], event.getZxid());
                removed(name, event.getZxid());
            }
            default -> {} // Entries have no data.
        }
    }

    private void seen(String bucket, long zxid) {
        if (bucket.matches("[0-9]{1,4}") && Integer.parseInt(bucket) < buckets.length) {
            Bucket known = bucketAt(Integer.parseInt(bucket));
            known.pzxid = known.pzxid < 0 ? known.pzxid : Math.max(known.pzxid, zxid);
        }
    }

    /**
     * An entry went. Whether its owner died is known once everything of that transaction has been told: a read that is
     * sent now is answered after it.
     */
    private void removed(String name, long zxid) {
        Opinion<K, V> opinion = view.opinion(name);
        ZooKeeper zk = connection.session();
        if (opinion == null) {
            return;
        }
        UUID host = opinion.name().host();
        if (zk == null || host.equals(tables.self())) {
            gone(name, false);
            return;
        }
        var death = new Death(host, zxid);
        Set<String> names = removing.get(death);
        if (names != null) {
            names.add(name);
            return;
        }
        names = new HashSet<>(Set.of(name));
        removing.put(death, names);
        int mine = generation;
        zk.exists(
                ZkPaths.alive(host),
                false,
                (rc, asked, context, stat) -> connection.execute(() -> {
                    if (mine != generation) {
                        return; // Listing again finds it missing.
                    }
                    Set<String> all = Objects.requireNonNull(removing.remove(death));
                    boolean died = zxid == UNSEEN
                            ? isDead(host)
                            : connection.aliveHosts().deathZxid(host) == zxid;
                    all.forEach(each -> gone(each, died));
                }),
                null);
    }

    private boolean isDead(UUID host) {
        return !connection.aliveHosts().living().containsKey(host);
    }

    private void gone(String name, boolean died) {
        Opinion<K, V> opinion = view.remove(name, died);
        if (opinion != null && opinion.name().host().equals(tables.self())) {
            reconcile(opinion.key());
        }
    }

    // On the store thread: writing.

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

    private void writeWhenRateAllows(K key) {
        tables.whenRateAllows(new ZkStateTables.Write(() -> !closed && !isSettled(key), () -> {
            paid.add(key);
            view.setLocalOnly(key, null);
            reconcile(key);
        }));
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
    private void reconcile(K key) {
        ZooKeeper zk = connection.session();
        if (zk == null || creating.contains(key) || !tables.mayWrite()) {
            return; // At the next connection, or when the answer is here.
        }
        V value = wanted.get(key);
        List<String> own = view.ownNames(key);
        if (value == null) {
            paid.remove(key);
            own.forEach(name -> delete(zk, key, name));
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

    private void create(ZooKeeper zk, K key, V value, boolean bucketMade) {
        creating.add(key);
        if (buckets.length == 0) {
            lay(zk, key);
            return;
        }
        int mine = generation;
        String prefix = EntryName.prefix(
                kind.keys().encode(key), kind.values().encode(value), tables.self(), connection.sessionId());
        String bucket = bucketPath(bucketOf(key));
        zk.create(
                bucket + "/" + prefix,
                new byte[0],
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.EPHEMERAL_SEQUENTIAL,
                (rc, asked, context, name) -> connection.execute(() -> {
                    if (mine != generation) {
                        return; // The next listing shows whether it is there; doubles go then.
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
                            lostOrLog(rc, asked);
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
        int mine = generation;
        byte[] shape =
                TableShape.newBuilder().setBuckets(kind.buckets()).build().toByteArray();
        make(zk, ZkPaths.TABLES + "/" + kind.name(), new byte[0], CreateMode.PERSISTENT);
        make(zk, path, shape, CreateMode.CONTAINER);
        zk.getData(
                path,
                false,
                (rc, asked, context, data, stat) -> connection.execute(() -> {
                    if (mine != generation) {
                        return;
                    }
                    Set<K> waiting = Set.copyOf(awaitingTable);
                    awaitingTable.clear();
                    creating.removeAll(waiting);
                    int count = rc == Code.OK.intValue() ? shape(data) : 0;
                    if (count == 0) {
                        lostOrLog(rc, asked);
                    } else if (count == buckets.length) {
                        waiting.forEach(this::reconcile);
                    } else {
                        shaped(zk, count);
                    }
                }),
                null);
    }

    private static void make(ZooKeeper zk, String path, byte[] data, CreateMode mode) {
        zk.create(path, data, ZooDefs.Ids.OPEN_ACL_UNSAFE, mode, (rc, asked, context, name) -> {}, null);
    }

    private void delete(ZooKeeper zk, K key, String name) {
        if (buckets.length == 0) {
            return; // Gone with its table.
        }
        int mine = generation;
        zk.delete(
                bucketPath(bucketOf(key)) + "/" + name,
                -1,
                (rc, asked, context) -> connection.execute(() -> {
                    if (mine == generation && (rc == Code.OK.intValue() || rc == Code.NONODE.intValue())) {
                        tables.counters().deleted.increment();
                        gone(name, false);
                    } else if (mine == generation) {
                        lostOrLog(rc, asked);
                    }
                }),
                null);
    }

    private int bucketOf(K key) {
        return EntryName.bucket(kind.keys().encode(key), buckets.length);
    }

    private Bucket bucketAt(int index) {
        return Objects.requireNonNull(buckets[index]);
    }

    private String bucketPath(int index) {
        return path + "/" + index;
    }

    /** A lost connection is answered by the next one; anything else is told. */
    private void lostOrLog(int rc, String asked) {
        Code code = Code.get(rc);
        if (code != Code.CONNECTIONLOSS && code != Code.SESSIONEXPIRED && code != Code.OK) {
            LOG.warn("{} answered {}; tried again at the next change or reconnect", asked, code);
        }
    }
}
