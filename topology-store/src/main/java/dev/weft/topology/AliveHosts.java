package dev.weft.topology;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.ZooKeeper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which hosts have a session, and the transaction that ended a session. Watches are set before reading; while
 * disconnected the last view stays. Owned by the store thread; the view itself may be read by anyone.
 */
final class AliveHosts implements StoreConnection.Part {
    private static final Logger LOG = LoggerFactory.getLogger(AliveHosts.class);

    interface Listener {
        /** @param living host to incarnation */
        void changed(Map<UUID, Long> living);
    }

    // Immutable.
    private final StoreConnection connection;
    // Shared.
    private final Listeners<Listener> listeners = new Listeners<>();
    private volatile Map<UUID, Long> living = Map.of();
    // Owned by the store thread.
    private final Map<UUID, Long> incarnations = new HashMap<>();
    private final Map<UUID, Long> deathZxid = new HashMap<>();
    private boolean loaded;
    private boolean told;
    private int reading;

    AliveHosts(StoreConnection connection) {
        this.connection = connection;
    }

    Map<UUID, Long> living() {
        return living;
    }

    /** The transaction that removed the host's last alive node, or 0. */
    long deathZxid(UUID host) {
        return deathZxid.getOrDefault(host, 0L);
    }

    Watch watch(Listener listener) {
        connection.execute(() -> {
            listeners.add(listener);
            if (told) {
                Listeners.tell(listener, l -> l.changed(living));
            }
        });
        return () -> listeners.remove(listener);
    }

    @Override
    public void connected(ZooKeeper zk, boolean newSession) {
        zk.addWatch(
                ZkPaths.ALIVE,
                event -> connection.execute(() -> event(event)),
                AddWatchMode.PERSISTENT_RECURSIVE,
                (rc, path, context) -> {},
                null);
        zk.getChildren(
                ZkPaths.ALIVE,
                false,
                (rc, path, context, children) -> connection.execute(() -> {
                    if (rc == Code.OK.intValue()) {
                        listed(zk, children);
                    }
                }),
                null);
    }

    @Override
    public void disconnected(ConnectionState state) {
        // The last view stays: a host is not dead because this one cannot see it.
    }

    private void listed(ZooKeeper zk, List<String> children) {
        incarnations
                .keySet()
                .retainAll(children.stream()
                        .filter(Formats::isId)
                        .map(UUID::fromString)
                        .toList());
        loaded = true;
        if (children.isEmpty()) {
            publish();
        }
        children.forEach(child -> read(zk, child));
    }

    private void read(ZooKeeper zk, String child) {
        if (!Formats.isId(child)) {
            LOG.warn("{}/{} is not a host id; ignored", ZkPaths.ALIVE, child);
            return;
        }
        UUID host = UUID.fromString(child);
        reading++;
        zk.getData(
                ZkPaths.alive(host),
                false,
                (rc, path, context, data, stat) -> connection.execute(() -> {
                    reading--;
                    if (rc == Code.OK.intValue() && data.length == Long.BYTES) {
                        incarnations.put(host, ByteBuffer.wrap(data).getLong());
                    } else if (rc == Code.NONODE.intValue()) {
                        incarnations.remove(host);
                    }
                    publish();
                }),
                null);
    }

    private void event(WatchedEvent event) {
        ZooKeeper zk = connection.session();
        if (event.getPath() == null || event.getPath().equals(ZkPaths.ALIVE)) {
            return;
        }
        String child = ZkPaths.lastPart(event.getPath());
        switch (event.getType()) {
            case NodeCreated, NodeDataChanged -> {
                if (zk != null) {
                    read(zk, child);
                }
            }
            case NodeDeleted -> {
                if (Formats.isId(child)) {
                    UUID host = UUID.fromString(child);
                    deathZxid.put(host, event.getZxid());
                    incarnations.remove(host);
                    publish();
                }
            }
            default -> {} // Connection events reach the parts through the connection.
        }
    }

    private void publish() {
        if (!loaded || reading > 0 || told && living.equals(incarnations)) {
            return; // Several hosts at once are told as one.
        }
        told = true;
        living = Map.copyOf(incarnations);
        Map<UUID, Long> now = living;
        listeners.each(listener -> listener.changed(now));
    }
}
