package dev.weft.topology;

import dev.weft.topology.schema.Host;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which hosts there are and which live. An agent registers its own host here: the object in the topology, and an
 * ephemeral node that says it is alive, made again by itself with each new session. Its incarnation is the session's id.
 * Thread safe.
 *
 * <p>SUSPENDED and LOST: the last view of the others stays. RECONNECTED: everything is read again. An older alive node
 * of the same host (its agent was killed a moment ago) is replaced, not waited for. Should the own node be replaced by
 * another agent with the same host id, the later one wins and this one says so.
 */
public final class HostRegistry implements StoreConnection.Part, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HostRegistry.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration RETRY = Duration.ofMillis(200);

    // Immutable.
    private final StoreConnection connection;
    private final TopologyStore store;
    // Shared.
    private volatile boolean displaced;
    private volatile boolean closed;
    // Owned by the store thread.
    private Optional<UUID> self = Optional.empty();
    private CompletableFuture<Long> alive = new CompletableFuture<>();

    public HostRegistry(StoreConnection connection, TopologyStore store) {
        this.connection = connection;
        this.store = store;
        connection.attach(this);
    }

    /**
     * Writes the host's own object when it differs, and keeps its alive node from now on. Blocks.
     *
     * @return the incarnation
     * @throws TopologyException when the object is refused, as for a name that another host has, or the store is away
     */
    public long register(Host host) {
        store.apply(Transaction.builder().put(host).build());
        UUID id = UUID.fromString(host.getId());
        var answer = new CompletableFuture<Long>();
        connection.execute(() -> {
            self = Optional.of(id);
            ZooKeeper zk = connection.session();
            if (zk != null && !alive.isDone()) {
                arm(zk, id);
            }
            alive.thenAccept(answer::complete);
        });
        return connection.await(answer, TIMEOUT, "registering host '" + host.getName() + "'");
    }

    /** Host to incarnation, as far as this process has heard. */
    public Map<UUID, Long> living() {
        return connection.aliveHosts().living();
    }

    /** Tells the living hosts now and at each change, on the store thread. */
    public Watch watchLiving(Consumer<Map<UUID, Long>> listener) {
        return connection.aliveHosts().watch(listener::accept);
    }

    /** Another agent took this host's id over. */
    public boolean isDisplaced() {
        return displaced;
    }

    /**
     * Raises the host's tunnel key epoch and returns it: call it when keys given before are no longer known. Blocks.
     *
     * @return counts 1, 2, 3 …; the low 8 bits go into keys
     */
    public int raiseTunnelEpoch(UUID host) {
        String path = ZkPaths.EPOCHS + "/" + host;
        var answer = new CompletableFuture<Integer>();
        connection.execute(() -> raise(path, answer));
        return connection.await(answer, TIMEOUT, "raising the tunnel epoch of host " + host);
    }

    private void raise(String path, CompletableFuture<Integer> answer) {
        ZooKeeper zk = connection.session();
        if (answer.isDone() || closed) {
            return;
        }
        if (zk == null) {
            connection.schedule(() -> raise(path, answer), RETRY);
            return;
        }
        zk.create(
                path,
                ByteBuffer.allocate(4).array(),
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.PERSISTENT,
                (rc, asked, context, name) -> {},
                null);
        zk.getData(
                path,
                false,
                (rc, asked, context, data, stat) -> connection.execute(() -> {
                    if (rc != Code.OK.intValue()) {
                        connection.schedule(() -> raise(path, answer), RETRY);
                        return;
                    }
                    int epoch = ByteBuffer.wrap(data).getInt() + 1;
                    byte[] raised = ByteBuffer.allocate(4).putInt(epoch).array();
                    zk.setData(
                            path,
                            raised,
                            stat.getVersion(),
                            (rc2, asked2, context2, stat2) -> {
                                // Not known to be written: raising once more harms nobody.
                                if (rc2 == Code.OK.intValue()) {
                                    answer.complete(epoch);
                                } else {
                                    connection.schedule(() -> raise(path, answer), RETRY);
                                }
                            },
                            null);
                }),
                null);
    }

    @Override
    public void connected(ZooKeeper zk, boolean newSession) {
        if (!displaced) {
            self.ifPresent(host -> arm(zk, host));
        }
    }

    @Override
    public void disconnected(ConnectionState state) {
        if (alive.isDone()) {
            alive = new CompletableFuture<>();
        }
    }

    private void arm(ZooKeeper zk, UUID host) {
        zk.addWatch(
                ZkPaths.alive(host),
                event -> connection.execute(() -> ownNode(event, host)),
                AddWatchMode.PERSISTENT,
                (rc, path, context) -> {},
                null);
        claim(zk, host);
    }

    /** Makes the alive node, in place of one that an earlier session left. */
    private void claim(ZooKeeper zk, UUID host) {
        if (closed || connection.session() != zk) {
            return;
        }
        byte[] incarnation =
                ByteBuffer.allocate(Long.BYTES).putLong(connection.sessionId()).array();
        zk.create(
                ZkPaths.alive(host),
                incarnation,
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.EPHEMERAL,
                (rc, path, context, name) -> connection.execute(() -> {
                    switch (Code.get(rc)) {
                        case OK -> alive.complete(connection.sessionId());
                        case NODEEXISTS -> replace(zk, host);
                        case CONNECTIONLOSS, SESSIONEXPIRED ->
                            LOG.debug("{} not made yet: the connection is gone; made at the next", path);
                        default -> LOG.error("{} cannot be made: {}", path, Code.get(rc));
                    }
                }),
                null);
    }

    private void replace(ZooKeeper zk, UUID host) {
        zk.exists(
                ZkPaths.alive(host),
                false,
                (rc, path, context, stat) -> connection.execute(() -> {
                    if (rc == Code.NONODE.intValue()) {
                        claim(zk, host);
                    } else if (rc == Code.OK.intValue() && stat.getEphemeralOwner() == connection.sessionId()) {
                        alive.complete(connection.sessionId());
                    } else if (rc == Code.OK.intValue()) {
                        zk.delete(
                                path,
                                stat.getVersion(),
                                (rc2, path2, context2) -> connection.execute(() -> claim(zk, host)),
                                null);
                    }
                }),
                null);
    }

    private void ownNode(WatchedEvent event, UUID host) {
        if (event.getType() != Watcher.Event.EventType.NodeDeleted || !alive.isDone() || closed) {
            return;
        }
        ZooKeeper zk = connection.session();
        if (zk == null) {
            return;
        }
        displaced = true;
        LOG.error(
                "another agent runs with the id of this host, {}, and has taken its place; give each host an id file of"
                        + " its own",
                host);
    }

    /** Stops listening; the alive node stays while the session does. */
    public void leave() {
        closed = true;
        connection.detach(this);
    }

    /** Takes the alive node back and stops listening. */
    @Override
    public void close() {
        closed = true;
        connection.detach(this);
        connection.execute(() -> {
            ZooKeeper zk = connection.session();
            if (zk != null && alive.isDone() && !displaced) {
                self.ifPresent(host -> zk.delete(ZkPaths.alive(host), -1, (rc, path, context) -> {}, null));
            }
        });
    }
}
