package dev.weft.topology;

import dev.weft.topology.TopologySnapshot.Versioned;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the topology in ZooKeeper. The change number says how far there is to go; the log says what happened, one
 * whole transaction per entry, so that none is ever seen in part. The watch on the number is only a hint to look.
 *
 * <p>SUSPENDED and LOST: the last snapshot stays. RECONNECTED: the number is read again and the log followed from where
 * it was left; when that is no longer kept, everything is read anew. Owned by the store thread.
 */
final class TopologyFollower implements StoreConnection.Part {
    private static final Logger LOG = LoggerFactory.getLogger(TopologyFollower.class);
    /** Entries kept in the log; who is further behind reads all objects. */
    static final int LOG_LENGTH = 1_000;

    /** The newest state, and the version of the change node that a next transaction must find. */
    record Current(TopologySnapshot snapshot, int changeVersion) {}

    // Immutable.
    private final StoreConnection connection;
    private final Consumer<TopologySnapshot> onSnapshot;
    private final Consumer<ConnectionState> onState;
    // Written by the store thread, read by anyone.
    private volatile Current current;
    private volatile boolean loaded;
    // Owned by the store thread.
    private List<CompletableFuture<Current>> waiting = new ArrayList<>();
    private boolean polling;
    private boolean pollAgain;
    private boolean announced;
    private int generation;

    /** @param beginning what holds until the first reading */
    TopologyFollower(
            StoreConnection connection,
            TopologySnapshot beginning,
            Consumer<TopologySnapshot> onSnapshot,
            Consumer<ConnectionState> onState) {
        this.connection = connection;
        this.current = new Current(beginning, -1);
        this.onSnapshot = onSnapshot;
        this.onState = onState;
    }

    /** As far as this process has read; its version is -1 before the first reading. */
    Current current() {
        return current;
    }

    boolean isLoaded() {
        return loaded;
    }

    boolean isAnnounced() {
        return announced;
    }

    /** The state read after this call; completes once the server answers. */
    CompletableFuture<Current> read() {
        var answer = new CompletableFuture<Current>();
        connection.execute(() -> {
            waiting.add(answer);
            poll();
        });
        return answer;
    }

    /** This process's own transaction was committed as {@code number}: no need to read it back. */
    void committed(long number, Batch batch, int changeVersion) {
        if (current.snapshot.changeNumber() == number - 1) {
            publish(new Current(current.snapshot.after(number, batch), changeVersion));
        }
    }

    @Override
    public void connected(ZooKeeper zk, boolean newSession) {
        generation++;
        polling = false;
        zk.addWatch(
                ZkPaths.CHANGE,
                event -> connection.execute(this::poll),
                AddWatchMode.PERSISTENT,
                (rc, path, context) -> {},
                null);
        poll();
    }

    @Override
    public void disconnected(ConnectionState state) {
        generation++; // Answers still on their way belong to the past.
        polling = false;
        announced = false;
        onState.accept(state);
    }

    private void poll() {
        ZooKeeper zk = connection.session();
        if (zk == null) {
            return; // connected() polls.
        }
        if (polling) {
            pollAgain = true;
            return;
        }
        polling = true;
        pollAgain = false;
        int mine = generation;
        List<CompletableFuture<Current>> asked = waiting;
        waiting = new ArrayList<>();
        readChange(zk, mine, asked, (number, version) -> {
            long behind = number - current.snapshot.changeNumber();
            if (!loaded || behind < 0 || behind > LOG_LENGTH) {
                load(zk, mine, asked); // Behind zero: somebody put another store in its place.
            } else {
                follow(zk, mine, current.snapshot, number, version, true, asked);
            }
        });
    }

    private interface ChangeReader {
        void read(long number, int version);
    }

    private void readChange(ZooKeeper zk, int mine, List<CompletableFuture<Current>> asked, ChangeReader then) {
        zk.getData(
                ZkPaths.CHANGE,
                false,
                (rc, path, context, data, stat) -> connection.execute(() -> {
                    if (isStale(mine, rc, path, asked)) {
                        return;
                    }
                    then.read(ByteBuffer.wrap(data).getLong(), stat.getVersion());
                }),
                null);
    }

    /** Reads the log from the snapshot to {@code number}; publishes each transaction when {@code each}, else the last. */
    private void follow(
            ZooKeeper zk,
            int mine,
            TopologySnapshot from,
            long number,
            int version,
            boolean each,
            List<CompletableFuture<Current>> asked) {
        if (from.changeNumber() >= number) {
            arrived(new Current(from, version), !each, asked);
            return;
        }
        // Requests of one session are answered in order: the last answer finds all others applied.
        var state = new @Nullable TopologySnapshot[] {from};
        for (long next = from.changeNumber() + 1; next <= number; next++) {
            long wanted = next;
            zk.getData(
                    ZkPaths.log(wanted),
                    false,
                    (rc, path, context, data, stat) -> connection.execute(() -> {
                        boolean expected = state[0] != null && state[0].changeNumber() == wanted - 1;
                        if (mine == generation && expected && rc == Code.NONODE.intValue()) {
                            LOG.info("the log no longer holds change {}; reading all objects", wanted);
                            load(zk, mine, asked);
                            return;
                        }
                        if (!expected || isStale(mine, rc, path, wanted == number ? asked : List.of())) {
                            return;
                        }
                        Batch batch = decode(asked, () -> LogCodec.batch(LogCodec.entry(data)));
                        state[0] = batch == null ? null : state[0].after(wanted, batch);
                        if (state[0] != null && wanted == number) {
                            arrived(new Current(state[0], version), !each, asked);
                        } else if (state[0] != null && each && wanted > current.snapshot.changeNumber()) {
                            publish(new Current(state[0], -1));
                        }
                    }),
                    null);
        }
    }

    /** Reads all objects, then follows the log over the time this took: whole objects, so doing it twice is harmless. */
    private void load(ZooKeeper zk, int mine, List<CompletableFuture<Current>> asked) {
        readChange(zk, mine, asked, (start, ignored) -> {
            var objects = new HashMap<ObjectKind, Map<UUID, Versioned>>();
            var loading = new Loading(
                    zk,
                    mine,
                    objects,
                    () -> readChange(zk, mine, asked, (end, version) -> {
                        loaded = true;
                        follow(zk, mine, TopologySnapshot.of(start, objects), end, version, false, asked);
                    }));
            loading.begin(asked);
        });
    }

    /** Counts down the answers of a full reading. */
    private final class Loading {
        private final ZooKeeper zk;
        private final int mine;
        private final Map<ObjectKind, Map<UUID, Versioned>> objects;
        private final Runnable done;
        private int open;

        Loading(ZooKeeper zk, int mine, Map<ObjectKind, Map<UUID, Versioned>> objects, Runnable done) {
            this.zk = zk;
            this.mine = mine;
            this.objects = objects;
            this.done = done;
        }

        void begin(List<CompletableFuture<Current>> asked) {
            open = Schema.kinds().size();
            for (ObjectKind kind : Schema.kinds()) {
                zk.getChildren(
                        ZkPaths.kind(kind),
                        false,
                        (rc, path, context, children) -> connection.execute(() -> {
                            if (!isStale(mine, rc, path, asked)) {
                                open += children.size() - 1;
                                children.forEach(child -> object(kind, child, asked));
                                finish();
                            }
                        }),
                        null);
            }
        }

        private void object(ObjectKind kind, String child, List<CompletableFuture<Current>> asked) {
            zk.getData(
                    ZkPaths.kind(kind) + "/" + child,
                    false,
                    (rc, path, context, data, stat) -> connection.execute(() -> {
                        if (rc != Code.NONODE.intValue()) { // Deleted meanwhile: the log will say so too.
                            if (isStale(mine, rc, path, asked)) {
                                return;
                            }
                            Optional<Versioned> stored = decode(asked, () -> LogCodec.versioned(data));
                            if (stored == null) {
                                return;
                            }
                            stored.ifPresent(known -> objects.computeIfAbsent(kind, k -> new HashMap<>())
                                    .put(UUID.fromString(child), known));
                        }
                        open--;
                        finish();
                    }),
                    null);
        }

        private void finish() {
            if (open == 0 && mine == generation) {
                open = -1;
                done.run();
            }
        }
    }

    private void arrived(Current now, boolean reloaded, List<CompletableFuture<Current>> asked) {
        polling = false;
        // While this was read, an own commit may have gone further.
        if (reloaded || now.snapshot.changeNumber() >= current.snapshot.changeNumber()) {
            publish(now);
        }
        if (!announced) {
            announced = true;
            onState.accept(ConnectionState.CONNECTED);
        }
        asked.forEach(answer -> answer.complete(current));
        if (pollAgain || !waiting.isEmpty()) {
            poll();
        }
    }

    private void publish(Current now) {
        boolean news = now.snapshot.changeNumber() != current.snapshot.changeNumber();
        current = now;
        if (news) {
            onSnapshot.accept(now.snapshot);
        }
    }

    /** What cannot be read ends this reading; null then. The next change or reconnect tries again. */
    private <T> @Nullable T decode(List<CompletableFuture<Current>> asked, Supplier<T> decoder) {
        try {
            return decoder.get();
        } catch (RuntimeException broken) {
            LOG.error("the topology cannot be read; the last snapshot stays", broken);
            asked.forEach(answer -> answer.completeExceptionally(broken));
            polling = false;
            return null;
        }
    }

    /** An answer of an older connection, or none: whoever asked is asked again at the next connection. */
    private boolean isStale(int mine, int rc, @Nullable String path, List<CompletableFuture<Current>> asked) {
        if (mine == generation && rc == Code.OK.intValue()) {
            return false;
        }
        if (mine == generation && rc != Code.CONNECTIONLOSS.intValue() && rc != Code.SESSIONEXPIRED.intValue()) {
            LOG.error("cannot read {}: {}", path, Code.get(rc));
        }
        for (CompletableFuture<Current> answer : asked) {
            if (!answer.isDone() && !waiting.contains(answer)) {
                waiting.add(answer);
            }
        }
        if (mine == generation) {
            polling = false;
        }
        return true;
    }
}
