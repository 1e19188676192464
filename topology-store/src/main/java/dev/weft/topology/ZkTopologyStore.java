package dev.weft.topology;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import dev.weft.base.NanoClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topology in ZooKeeper. Thread safe; listeners are called by the connection's store thread.
 *
 * <p>A transaction is one {@code multi}: the change number moves on if nobody else moved it, a log entry holds all that
 * changed, and each object's node is written. Whoever comes second checks again against the newer state. After a lost
 * connection the log tells whether the own transaction was committed. SUSPENDED, LOST, RECONNECTED: see {@link
 * TopologyFollower}; {@link #apply} waits for the connection up to its timeout and then says so.
 */
public final class ZkTopologyStore implements TopologyStore {
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(ZkTopologyStore.class);
    /** ZooKeeper refuses requests above jute.maxbuffer (1 MB) by closing the connection; stay clear of it. */
    static final int MAX_REQUEST_BYTES = 1_000_000;

    private static final int BYTES_PER_OPERATION = 64;
    private static final int TRIM_EVERY = 128;

    // Immutable.
    private final StoreConnection connection;
    private final NanoClock clock;
    private final Duration timeout;
    private final TopologyFollower follower;
    // Shared.
    private final Listeners<Listener> listeners = new Listeners<>();

    private ZkTopologyStore(StoreConnection connection, NanoClock clock, Duration timeout, TopologySnapshot beginning) {
        this.connection = connection;
        this.clock = clock;
        this.timeout = timeout;
        this.follower = new TopologyFollower(
                connection,
                beginning,
                snapshot -> listeners.each(l -> l.changed(snapshot)),
                state -> listeners.each(l -> l.connection(state)));
    }

    /** Begins to follow and returns at once, also while no server answers; the snapshot is the empty one until read. */
    public static ZkTopologyStore open(StoreConnection connection, NanoClock clock) {
        return open(connection, clock, DEFAULT_TIMEOUT);
    }

    /** @param timeout how long {@link #apply} and {@link #refresh} wait for the server */
    public static ZkTopologyStore open(StoreConnection connection, NanoClock clock, Duration timeout) {
        return open(new ZkTopologyStore(connection, clock, timeout, TopologySnapshot.EMPTY));
    }

    /** @param beginning what holds until the server has been read: of an {@linkplain StateArchive earlier process} */
    public static ZkTopologyStore open(StoreConnection connection, NanoClock clock, TopologySnapshot beginning) {
        return open(new ZkTopologyStore(connection, clock, DEFAULT_TIMEOUT, beginning));
    }

    private static ZkTopologyStore open(ZkTopologyStore store) {
        store.connection.attach(store.follower);
        return store;
    }

    /** Whether the server has been read; before, the snapshot is the one it began with. */
    public boolean isRead() {
        return follower.isLoaded();
    }

    @Override
    public TopologySnapshot snapshot() {
        return follower.current().snapshot();
    }

    /**
     * Reads what is newest at the server now; blocks.
     *
     * @throws TopologyException when the server does not answer in time
     */
    public TopologySnapshot refresh() {
        return connection
                .await(follower.read(), timeout, "reading the topology")
                .snapshot();
    }

    @Override
    public Watch watch(Listener listener) {
        connection.execute(() -> {
            ConnectionState state = connection.state();
            boolean catchingUp = state == ConnectionState.CONNECTED && !follower.isAnnounced();
            if (!catchingUp) {
                Listeners.tell(listener, l -> l.connection(state));
            }
            Listeners.tell(listener, l -> l.changed(snapshot()));
            listeners.add(listener);
        });
        return () -> listeners.remove(listener);
    }

    @Override
    public long apply(Transaction transaction) {
        long deadline = clock.nanoTime() + timeout.toNanos();
        var mark = ByteString.copyFrom(uuidBytes(UUID.randomUUID()));
        // What this process has read is good enough for the first try: the change node's version guards it.
        TopologyFollower.Current base = follower.current();
        boolean fresh = false;
        while (true) {
            if (base.changeVersion() < 0) {
                base = read(deadline);
                fresh = true;
            }
            Batch batch;
            try {
                batch = Draft.check(base.snapshot(), transaction);
            } catch (TopologyException refused) {
                if (fresh) {
                    throw refused;
                }
                base = read(deadline); // A newer state may allow it.
                fresh = true;
                continue;
            }
            if (batch.isEmpty() && fresh) {
                return base.snapshot().changeNumber();
            }
            long number = base.snapshot().changeNumber() + 1;
            if (!batch.isEmpty() && commit(number, mark, batch, base.changeVersion(), deadline)) {
                return number;
            }
            base = read(deadline);
            fresh = true;
        }
    }

    private TopologyFollower.Current read(long deadline) {
        return connection.await(follower.read(), remaining(deadline), "applying a transaction");
    }

    private Duration remaining(long deadline) {
        return Duration.ofNanos(Math.max(1, deadline - clock.nanoTime()));
    }

    /** True when committed; false when another transaction came first. */
    private boolean commit(long number, ByteString mark, Batch batch, int changeVersion, long deadline) {
        List<Op> operations = operations(number, mark, batch, changeVersion);
        ZooKeeper zk = connection.session();
        if (zk == null) {
            return false; // Reading waits for the connection.
        }
        var answer = new CompletableFuture<Code>();
        zk.multi(
                operations,
                (rc, path, context, results) -> connection.execute(() -> {
                    if (rc == Code.OK.intValue()) {
                        follower.committed(number, batch, changeVersion + 1);
                    }
                    answer.complete(Code.get(rc));
                }),
                null);
        Code code = connection.await(answer, remaining(deadline), "committing a transaction");
        return switch (code) {
            case OK -> {
                reach(number, deadline);
                trim(zk, number);
                yield true;
            }
            case BADVERSION, NODEEXISTS, NONODE -> false;
            case CONNECTIONLOSS, SESSIONEXPIRED, OPERATIONTIMEOUT -> isCommitted(number, mark, deadline);
            default ->
                throw new TopologyException("the store refused a transaction of "
                        + batch.upserts().size() + " objects with " + code + " at " + connection.connectString());
        };
    }

    /** The snapshot of this store holds the change when {@link #apply} returns. */
    private void reach(long number, long deadline) {
        while (follower.current().snapshot().changeNumber() < number) {
            read(deadline);
        }
    }

    /** After a lost connection: the log entry of that number is ours, or another's, or not there. */
    private boolean isCommitted(long number, ByteString mark, long deadline) {
        long now = read(deadline).snapshot().changeNumber();
        if (now < number) {
            return false;
        }
        while (true) {
            ZooKeeper zk = connection.session();
            var answer = new CompletableFuture<Code>();
            var found = new CompletableFuture<Boolean>();
            if (zk != null) {
                zk.getData(
                        ZkPaths.log(number),
                        false,
                        (rc, path, context, data, stat) -> {
                            found.complete(rc == Code.OK.intValue()
                                    && LogCodec.entry(data).getTransaction().equals(mark));
                            answer.complete(Code.get(rc));
                        },
                        null);
                Code code = connection.await(answer, remaining(deadline), "looking for a transaction in the log");
                if (code == Code.OK) {
                    return connection.await(found, remaining(deadline), "looking for a transaction in the log");
                }
                if (code == Code.NONODE) {
                    throw new TopologyException("the connection broke while change " + number + " was written, and the"
                            + " log no longer holds it (it keeps " + TopologyFollower.LOG_LENGTH + "); look whether it"
                            + " is there, and apply again if not");
                }
            }
            read(deadline); // Waits until connected again.
        }
    }

    private static List<Op> operations(long number, ByteString mark, Batch batch, int changeVersion) {
        var operations = new ArrayList<Op>();
        byte[] counter = ByteBuffer.allocate(Long.BYTES).putLong(number).array();
        byte[] entry = LogCodec.entry(number, mark, batch).toByteArray();
        long bytes = entry.length;
        operations.add(Op.setData(ZkPaths.CHANGE, counter, changeVersion));
        operations.add(Op.create(ZkPaths.log(number), entry, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        for (Message object : batch.upserts()) {
            ObjectRef ref = ObjectRef.of(object);
            String path = ZkPaths.object(ref.kind(), ref.id());
            byte[] data = LogCodec.stored(object, number).toByteArray();
            operations.add(
                    batch.created().contains(ref)
                            ? Op.create(path, data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT)
                            : Op.setData(path, data, -1));
            bytes += data.length + path.length() + BYTES_PER_OPERATION;
        }
        for (ObjectRef gone : batch.deletes()) {
            String path = ZkPaths.object(gone.kind(), gone.id());
            operations.add(Op.delete(path, -1));
            bytes += path.length() + BYTES_PER_OPERATION;
        }
        if (bytes > MAX_REQUEST_BYTES) {
            int objects = batch.upserts().size() + batch.deletes().size();
            throw new TopologyException("a transaction of " + objects + " objects takes " + bytes
                    + " bytes (expected at most " + MAX_REQUEST_BYTES + ", what ZooKeeper takes in one request); apply"
                    + " it in several parts");
        }
        return operations;
    }

    /** Now and then the writer sweeps what the log no longer has to keep. */
    private void trim(ZooKeeper zk, long number) {
        if (number % TRIM_EVERY != 0) {
            return;
        }
        zk.getChildren(
                ZkPaths.LOG,
                false,
                (rc, path, context, children) -> {
                    if (rc != Code.OK.intValue()) {
                        LOG.debug("log not trimmed: {}; a later transaction will", Code.get(rc));
                        return;
                    }
                    for (String child : children) {
                        if (child.matches("[0-9]{1,18}")
                                && Long.parseLong(child) <= number - TopologyFollower.LOG_LENGTH) {
                            zk.delete(path + "/" + child, -1, (rc2, path2, context2) -> {}, null);
                        }
                    }
                },
                null);
    }

    private static byte[] uuidBytes(UUID id) {
        return ByteBuffer.allocate(16)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    /** Stops following; the connection stays open. */
    @Override
    public void close() {
        connection.detach(follower);
    }
}
