package dev.weft.topology;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to ZooKeeper, shared by all that this process does there, and the one thread on which all of it happens:
 * answers of the server, watch events and listeners run on "weft-store", one after another. Curator keeps the session
 * and makes a new one when it is lost; parts re-arm themselves each time {@link Part#connected} is called. Thread safe.
 */
public final class StoreConnection implements AutoCloseable {
    public static final Duration DEFAULT_SESSION_TIMEOUT = Duration.ofSeconds(6);

    private static final Logger LOG = LoggerFactory.getLogger(StoreConnection.class);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final int RETRY_MILLIS = 250;
    private static final int CLOSE_WAIT_MILLIS = 2_000;

    // Immutable.
    private final String connectString;
    private final SavedSession saved;
    private final CuratorFramework curator;
    private final ScheduledThreadPoolExecutor thread;
    private final AliveHosts aliveHosts;
    // Shared.
    private final Listeners<Part> parts = new Listeners<>();
    private final Listeners<Consumer<ConnectionState>> stateListeners = new Listeners<>();
    // Written by the store thread, read by anyone.
    private volatile ConnectionState state = ConnectionState.SUSPENDED;
    private volatile @Nullable ZooKeeper session;
    private volatile @Nullable Thread storeThread;
    private volatile boolean leaving;
    // Owned by the store thread.
    private long sessionId;

    /** What lives on the connection. Called by the store thread. */
    interface Part {
        /**
         * The server answers. Watches may have missed events: set them anew and read again.
         *
         * @param newSession all ephemeral nodes of this process are gone, or will be soon
         */
        void connected(ZooKeeper zk, boolean newSession);

        /** No longer connected; nothing that was sent has a known outcome. */
        void disconnected(ConnectionState state);
    }

    private StoreConnection(String connectString, Duration sessionTimeout, SavedSession saved) {
        this.connectString = connectString;
        this.saved = saved;
        this.thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread made = Thread.ofPlatform().name("weft-store").daemon(true).unstarted(task);
            storeThread = made;
            return made;
        });
        this.thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.curator = CuratorFrameworkFactory.builder()
                .connectString(connectString)
                .sessionTimeoutMs((int) sessionTimeout.toMillis())
                .connectionTimeoutMs((int) CONNECT_TIMEOUT.toMillis())
                .retryPolicy(new RetryForever(RETRY_MILLIS))
                .maxCloseWaitMs(CLOSE_WAIT_MILLIS)
                .zookeeperFactory(KeptZooKeeper.factory(saved, () -> leaving))
                .build();
        this.aliveHosts = new AliveHosts(this);
    }

    /**
     * Begins to connect and returns at once, also while no server answers.
     *
     * @param connectString {@code host:port[,host:port…]}
     */
    public static StoreConnection open(String connectString, Duration sessionTimeout) {
        return open(connectString, sessionTimeout, SavedSession.nowhere());
    }

    /**
     * As {@link #open(String, Duration)}, going on with the saved session while the server still has it.
     *
     * @param saved where this session is kept for the next process
     */
    public static StoreConnection open(String connectString, Duration sessionTimeout, SavedSession saved) {
        var connection = new StoreConnection(connectString, sessionTimeout, saved);
        connection.curator.getConnectionStateListenable().addListener((client, now) -> {
            switch (now) {
                case CONNECTED, RECONNECTED -> connection.execute(connection::connected);
                case SUSPENDED, READ_ONLY -> connection.execute(() -> connection.lost(ConnectionState.SUSPENDED));
                case LOST -> connection.execute(() -> connection.lost(ConnectionState.LOST));
            }
        });
        connection.curator.start();
        connection.attach(connection.aliveHosts);
        return connection;
    }

    public static StoreConnection open(String connectString) {
        return open(connectString, DEFAULT_SESSION_TIMEOUT);
    }

    /**
     * Ends a session that an earlier process left, so that its ephemeral nodes are gone when this returns. Gives up when
     * no server answers in time: the session then ends by its time-out.
     */
    public static void endSession(String connectString, SavedSession saved, Duration patience) {
        Optional<SavedSession.Session> session = saved.read();
        if (session.isEmpty()) {
            return;
        }
        var answered = new CountDownLatch(1);
        try {
            var zk = new ZooKeeper(
                    connectString,
                    (int) patience.toMillis(),
                    event -> {
                        switch (event.getState()) {
                            case SyncConnected, Expired -> answered.countDown();
                            default -> LOG.debug("ending session: {}", event);
                        }
                    },
                    session.get().id(),
                    session.get().password());
            if (answered.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                zk.close();
            } else {
                zk.close(1);
            }
        } catch (IOException unknownHost) {
            LOG.debug("the old session at {} is left to its time-out", connectString, unknownHost);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        saved.forget();
    }

    public ConnectionState state() {
        return state;
    }

    /** Tells the current state and then each change, on the store thread. */
    public Watch onState(Consumer<ConnectionState> listener) {
        execute(() -> {
            Listeners.tell(listener, l -> l.accept(state));
            stateListeners.add(listener);
        });
        return () -> stateListeners.remove(listener);
    }

    /** True once the server answers; false when it did not within the timeout. Not for the store thread. */
    public boolean awaitConnected(Duration timeout) {
        var latch = new CountDownLatch(1);
        try (Watch watch = onState(now -> {
            if (now == ConnectionState.CONNECTED) {
                latch.countDown();
            }
        })) {
            return watch != null && latch.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    public String connectString() {
        return connectString;
    }

    /** Closed or left: nothing happens here any more. */
    public boolean isClosed() {
        return thread.isShutdown();
    }

    /** Ends the session: all ephemeral nodes of this process go at once. */
    @Override
    public void close() {
        disconnect();
        saved.forget();
    }

    /** Disconnects and leaves the session, with all ephemeral nodes, to the next process or its time-out. */
    public void leave() {
        leaving = true;
        disconnect();
    }

    private void disconnect() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(CLOSE_WAIT_MILLIS, TimeUnit.MILLISECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        curator.close();
    }

    /** For the recipes that are Curator's own. */
    CuratorFramework curator() {
        return curator;
    }

    AliveHosts aliveHosts() {
        return aliveHosts;
    }

    /** The live session's handle, or null while disconnected. */
    @Nullable
    ZooKeeper session() {
        return session;
    }

    /** Of the live session, or of the last one. For the store thread. */
    long sessionId() {
        return sessionId;
    }

    /** Adds a part; it is told at once when connected. */
    void attach(Part part) {
        execute(() -> {
            parts.add(part);
            ZooKeeper zk = session;
            if (zk != null) {
                Listeners.tell(part, p -> p.connected(zk, true));
            } else {
                Listeners.tell(part, p -> p.disconnected(state));
            }
        });
    }

    void detach(Part part) {
        parts.remove(part);
    }

    /** Runs on the store thread; nothing happens once closed. */
    void execute(Runnable task) {
        try {
            thread.execute(guarded(task));
        } catch (RejectedExecutionException closing) {
            LOG.debug("task dropped: the connection is closed");
        }
    }

    void schedule(Runnable task, Duration delay) {
        try {
            var unused = thread.schedule(guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException closing) {
            LOG.debug("task dropped: the connection is closed");
        }
    }

    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException broken) {
                LOG.error("a task of the store thread failed; the next reconnect reads everything again", broken);
            }
        };
    }

    private void connected() {
        ZooKeeper zk;
        try {
            zk = curator.getZookeeperClient().getZooKeeper();
        } catch (Exception gone) { // Curator's API throws Exception.
            LOG.debug("connection lost again before it was used", gone);
            return; // Its own event follows.
        }
        lay(zk, () -> {
            boolean fresh = zk.getSessionId() != sessionId;
            sessionId = zk.getSessionId();
            session = zk;
            state = ConnectionState.CONNECTED;
            saved.write(sessionId, zk.getSessionPasswd());
            LOG.info("connected to {} with session 0x{}", connectString, Long.toHexString(sessionId));
            parts.each(part -> part.connected(zk, fresh));
            stateListeners.each(listener -> listener.accept(ConnectionState.CONNECTED));
        });
    }

    /** Makes the nodes everything stands on, when the last of them is not there. */
    private void lay(ZooKeeper zk, Runnable then) {
        zk.exists(
                ZkPaths.CHANGE,
                false,
                (rc, path, context, stat) -> execute(() -> {
                    switch (Code.get(rc)) {
                        case OK -> then.run();
                        case NONODE -> create(zk, then);
                        default -> LOG.debug("connection lost again: {}", Code.get(rc));
                    }
                }),
                null);
    }

    private void create(ZooKeeper zk, Runnable then) {
        for (String path : ZkPaths.foundations()) {
            zk.create(
                    path,
                    new byte[0],
                    ZooDefs.Ids.OPEN_ACL_UNSAFE,
                    CreateMode.PERSISTENT,
                    (rc, asked, context, name) -> {},
                    null);
        }
        zk.create(
                ZkPaths.CHANGE,
                ByteBuffer.allocate(Long.BYTES).array(),
                ZooDefs.Ids.OPEN_ACL_UNSAFE,
                CreateMode.PERSISTENT,
                (rc, path, context, name) -> execute(() -> {
                    switch (Code.get(rc)) {
                        case OK, NODEEXISTS -> then.run();
                        case CONNECTIONLOSS, SESSIONEXPIRED -> LOG.debug("connection lost again: {}", Code.get(rc));
                        default -> LOG.warn("cannot lay {} at {}: {}", path, connectString, Code.get(rc));
                    }
                }),
                null);
    }

    private void lost(ConnectionState now) {
        session = null;
        state = now;
        LOG.info("connection to {} is {}", connectString, now);
        parts.each(part -> part.disconnected(now));
        stateListeners.each(listener -> listener.accept(now));
    }

    /**
     * Waits for the answer of a future that the store thread completes.
     *
     * @throws TopologyException after the timeout, naming what was tried
     */
    <T> T await(CompletableFuture<T> answer, Duration timeout, String what) {
        if (Thread.currentThread() == storeThread) {
            throw new IllegalStateException(what + " on the store thread would wait for itself; hand it to another");
        }
        try {
            return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            throw new TopologyException(
                    what + " got no answer from " + connectString + " within " + timeout.toMillis() + " ms (connection "
                            + state + "); check that ZooKeeper runs there",
                    late);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new TopologyException(what + " was interrupted", stop);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof TopologyException refused) {
                throw refused;
            }
            throw new TopologyException(what + " failed: " + failed.getCause(), failed.getCause());
        }
    }
}
