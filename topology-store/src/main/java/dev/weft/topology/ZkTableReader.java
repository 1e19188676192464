package dev.weft.topology;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weft.topology.TableView.Opinion;
import dev.weft.topology.schema.TableShape;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reading half of a table in ZooKeeper: keeps a {@link TableView} equal to the names that are there. The watch is
 * set first, then all is listed; events and listings are applied by name, so that twice is harmless. Owned by the store
 * thread.
 */
final class ZkTableReader<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(ZkTableReader.class);
    private static final int MAX_BUCKETS = 1_024;
    /** Stands for a transaction that happened while nobody watched. */
    private static final long UNSEEN = 0;

    /** What the writing half has to know. */
    interface Changes<K> {
        /** Everything that is there has been read. */
        void listed();

        /** A name of this host came or went. */
        void ownChanged(K key);

        /** What was asked of the server before has no answer any more. */
        void forgotten();
    }

    // Immutable.
    private final StoreConnection connection;
    private final String path;
    private final UUID self;
    private final TableView<K, V> view;
    private final Supplier<Duration> jitter;
    private final Changes<K> changes;
    // Owned by the store thread.
    private @Nullable Bucket[] buckets = new Bucket[0];
    private final Map<Death, Set<String>> removing = new HashMap<>();
    private int generation;
    private int listings;
    private boolean closed;

    /** What is known of a bucket: the transaction that changed its children last. */
    private static final class Bucket {
        long pzxid = -1;
    }

    /** Names that one transaction removed of one host: decided together. */
    private record Death(UUID host, long zxid) {}

    /** @param jitter how long to wait before listing again, so that hosts do not all do it at once */
    ZkTableReader(
            StoreConnection connection,
            String path,
            UUID self,
            TableView<K, V> view,
            Supplier<Duration> jitter,
            Changes<K> changes) {
        this.connection = connection;
        this.path = path;
        this.self = self;
        this.view = view;
        this.jitter = jitter;
        this.changes = changes;
    }

    /** Rises whenever answers that are still on their way stop to mean anything. */
    int generation() {
        return generation;
    }

    /** 0 while the table is not there. */
    int bucketCount() {
        return buckets.length;
    }

    void close() {
        closed = true;
        generation++;
        ZooKeeper zk = connection.session();
        if (zk != null) {
            zk.removeAllWatches(path, Watcher.WatcherType.Any, true, (rc, watched, context) -> {}, null);
        }
    }

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
        removing.clear();
        listings = 0;
        changes.forgotten();
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

    int shape(byte[] data) {
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

    void shaped(ZooKeeper zk, int count) {
        if (count != buckets.length) {
            forgetRequests(); // They spoke of other buckets.
            buckets = new Bucket[count];
            for (int i = 0; i < count; i++) {
                buckets[i] = new Bucket();
            }
        }
        if (count == 0) {
            view.names().forEach(name -> removed(name, UNSEEN));
            changes.listed();
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
                connection.schedule(() -> compare(zk, mine, index), jitter.get());
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
            changes.listed();
        }
    }

    private void replace(int index, List<String> children, long pzxid) {
        var present = new HashSet<>(children);
        children.forEach(view::add);
        for (String name : view.names()) {
            Opinion<K, V> opinion = Objects.requireNonNull(view.opinion(name));
            if (!present.contains(name) && EntryName.bucket(opinion.name().key().array(), buckets.length) == index) {
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
                                .equals(self)) {
                    changes.ownChanged(key);
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
        if (zk == null || host.equals(self)) {
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

    void gone(String name, boolean died) {
        Opinion<K, V> opinion = view.remove(name, died);
        if (opinion != null && opinion.name().host().equals(self)) {
            changes.ownChanged(opinion.key());
        }
    }

    private Bucket bucketAt(int index) {
        return Objects.requireNonNull(buckets[index]);
    }

    private String bucketPath(int index) {
        return path + "/" + index;
    }

    /** A lost connection is answered by the next one; anything else is told. */
    void lostOrLog(int rc, String asked) {
        Code code = Code.get(rc);
        if (code != Code.CONNECTIONLOSS && code != Code.SESSIONEXPIRED && code != Code.OK) {
            LOG.warn("{} answered {}; tried again at the next change or reconnect", asked, code);
        }
    }
}
