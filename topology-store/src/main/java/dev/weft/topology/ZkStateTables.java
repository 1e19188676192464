package dev.weft.topology;

import dev.weft.base.NanoClock;
import dev.weft.topology.schema.SavedTable;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.apache.zookeeper.ZooKeeper;

/**
 * State tables on ephemeral nodes of ZooKeeper. A host's incarnation is its session: entries of a lost session are made
 * again under the new one before the old ones are deleted, so that they never blink. Thread safe; tables live on the
 * connection's store thread, which also calls their listeners.
 *
 * <p>SUSPENDED and LOST: the last view stays, puts wait. RECONNECTED: watches lose events while away, even in the same
 * session (ZOOKEEPER-4698), so every bucket that changed is listed again.
 */
public final class ZkStateTables implements StateTables, StoreConnection.Part {
    private static final Duration RETRY_DELAYED = Duration.ofMillis(50);
    private static final int RELIST_JITTER_MILLIS = 100;

    /** A write that waits for the rate; it may have become needless meanwhile. */
    record Write(BooleanSupplier needed, Runnable run) {}

    // Guarded by this: what an earlier process read of tables that are not open yet.
    private final Map<TableId, List<String>> beginnings = new HashMap<>();

    private record TableId(String kind, UUID device) {}

    // Immutable.
    private final StoreConnection connection;
    private final UUID self;
    private final RandomGenerator random;
    private final SessionBudget budget;
    private final TableCounters counters = new TableCounters();
    private final Watch aliveWatch;
    // Guarded by this.
    private final Map<TableId, ZkStateTable<?, ?>> tables = new HashMap<>();
    // Owned by the store thread.
    private final Deque<Write> delayed = new ArrayDeque<>();
    private boolean draining;
    private boolean held;
    private boolean keepsUnwanted;

    /** @param self the id of this host, under which its agent is alive */
    public ZkStateTables(
            StoreConnection connection, UUID self, TableLimits limits, NanoClock clock, RandomGenerator random) {
        this.connection = connection;
        this.self = self;
        this.random = random;
        this.budget = new SessionBudget(limits, clock);
        connection.attach(this);
        this.aliveWatch = connection.aliveHosts().watch(this::aliveChanged);
    }

    /**
     * Tables that are opened from now on begin with what an earlier process of this host had read, and what that process
     * said stays, though nobody says it again, until {@link #dropUnwanted}.
     */
    public synchronized void beginWith(List<SavedTable> saved) {
        keepsUnwanted = true;
        for (SavedTable table : saved) {
            beginnings.put(new TableId(table.getKind(), UUID.fromString(table.getDevice())), table.getNamesList());
        }
    }

    /** What an earlier process said and this one did not say again goes. */
    public void dropUnwanted() {
        connection.execute(() -> {
            keepsUnwanted = false;
            openTables().forEach(ZkStateTable::reconcileAll);
        });
    }

    /** For the store thread. */
    boolean keepsUnwanted() {
        return keepsUnwanted;
    }

    /** What is read now of all open tables; for the store thread. */
    List<SavedTable> save() {
        return openTables().stream().map(ZkStateTable::save).toList();
    }

    @Override
    @SuppressWarnings("unchecked") // A table is kept under its kind's name, which stands for its types.
    public synchronized <K, V> StateTable<K, V> open(TableKind<K, V> kind, UUID device) {
        return (StateTable<K, V>) tables.computeIfAbsent(new TableId(kind.name(), device), id -> {
            var table = new ZkStateTable<>(this, connection, kind, device);
            List<String> beginning = beginnings.getOrDefault(id, List.of());
            connection.execute(() -> {
                table.begin(beginning);
                ZooKeeper zk = connection.session();
                if (zk != null) {
                    table.connected(zk);
                }
            });
            return table;
        });
    }

    @Override
    public TableCounters counters() {
        return counters;
    }

    @Override
    public void close() {
        openTables().forEach(StateTable::close);
        connection.detach(this);
        aliveWatch.close();
    }

    /** Stops following; own entries stay while the session does. */
    public void leave() {
        openTables().forEach(ZkStateTable::leave);
        connection.detach(this);
        aliveWatch.close();
    }

    @Override
    public void connected(ZooKeeper zk, boolean newSession) {
        held &= !newSession;
        delayed.clear(); // Each table finds again what it has to write.
        openTables().forEach(table -> table.connected(zk));
    }

    @Override
    public void disconnected(ConnectionState state) {
        openTables().forEach(ZkStateTable::disconnected);
    }

    private void aliveChanged(Map<UUID, Long> living) {
        boolean could = mayWrite();
        held |= Objects.equals(living.get(self), connection.sessionId());
        if (!could && mayWrite()) {
            openTables().forEach(ZkStateTable::reconcileAll);
        }
    }

    /**
     * Two sessions of one host must not fight over its entries: whose session the host's alive node names may write.
     * One that held it and lost it to another agent falls silent. Without any such node everybody may.
     */
    boolean mayWrite() {
        Long alive = connection.aliveHosts().living().get(self);
        return alive == null ? !held : alive == connection.sessionId();
    }

    private synchronized List<ZkStateTable<?, ?>> openTables() {
        return List.copyOf(tables.values());
    }

    synchronized void forget(TableKind<?, ?> kind, UUID device) {
        tables.remove(new TableId(kind.name(), device));
    }

    UUID self() {
        return self;
    }

    SessionBudget budget() {
        return budget;
    }

    /** Hosts that come back together do not all list at the same moment. */
    Duration jitter() {
        return Duration.ofMillis(random.nextInt(RELIST_JITTER_MILLIS + 1));
    }

    /** Runs a write when the rate allows, in order. For the store thread. */
    void whenRateAllows(Write write) {
        delayed.add(write);
        drain();
    }

    private void drain() {
        while (!delayed.isEmpty()) {
            boolean needed = delayed.peek().needed().getAsBoolean();
            if (needed && !budget.tryWrite()) {
                break;
            }
            Write write = delayed.remove();
            if (needed) {
                write.run().run();
            }
        }
        if (!delayed.isEmpty() && !draining) {
            draining = true;
            connection.schedule(
                    () -> {
                        draining = false;
                        drain();
                    },
                    RETRY_DELAYED);
        }
    }
}
