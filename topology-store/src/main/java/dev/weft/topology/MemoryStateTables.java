package dev.weft.topology;

import dev.weft.base.NanoClock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * State tables of several hosts in one process, without ZooKeeper: for tests and simulated clusters. Thread safe: one
 * lock for all tables of a {@link Cluster}; listeners are called under it, by the thread that writes.
 */
public final class MemoryStateTables implements StateTables {
    private record TableId(String kind, UUID device) {}

    /** What the hosts share. */
    public static final class Cluster {
        // Guarded by this.
        private final Map<TableId, Shared> tables = new HashMap<>();
        private long sessions;

        /** The tables as one host has them. */
        public synchronized MemoryStateTables host(UUID self, TableLimits limits, NanoClock clock) {
            return new MemoryStateTables(this, self, new SessionBudget(limits, clock), ++sessions);
        }

        private synchronized Shared shared(TableId id) {
            return tables.computeIfAbsent(id, any -> new Shared());
        }
    }

    /** One table of the cluster. */
    private static final class Shared {
        // Guarded by the cluster.
        final Set<String> names = new HashSet<>();
        final Set<TableView<?, ?>> views = new HashSet<>();
        int sequence;

        String add(String prefix) {
            String name = prefix + "%010d".formatted(sequence++);
            names.add(name);
            views.forEach(view -> view.add(name));
            return name;
        }

        void remove(String name, boolean ownerDied) {
            if (names.remove(name)) {
                views.forEach(view -> view.remove(name, ownerDied));
            }
        }
    }

    // Immutable.
    private final Cluster cluster;
    private final UUID self;
    private final SessionBudget budget;
    private final TableCounters counters = new TableCounters();
    // Guarded by the cluster.
    private final Map<TableId, Table<?, ?>> tables = new HashMap<>();
    private long incarnation;

    private MemoryStateTables(Cluster cluster, UUID self, SessionBudget budget, long incarnation) {
        this.cluster = cluster;
        this.self = self;
        this.budget = budget;
        this.incarnation = incarnation;
    }

    @Override
    @SuppressWarnings("unchecked") // A table is kept under its kind's name, which stands for its types.
    public <K, V> StateTable<K, V> open(TableKind<K, V> kind, UUID device) {
        synchronized (cluster) {
            var id = new TableId(kind.name(), device);
            return (StateTable<K, V>) tables.computeIfAbsent(id, any -> new Table<>(kind, id));
        }
    }

    @Override
    public TableCounters counters() {
        return counters;
    }

    /** Delayed writes that the rate now allows happen now. */
    public void writeDelayed() {
        synchronized (cluster) {
            tables.values().forEach(Table::writeDelayed);
        }
    }

    /** As when the host's session ends and a new one begins: all entries go, then they are made again. */
    public void loseSession() {
        synchronized (cluster) {
            tables.values().forEach(table -> table.dropAll(true));
            incarnation = ++cluster.sessions;
            tables.values().forEach(Table::createAll);
        }
    }

    /** As when the host dies: all entries go with its session. */
    public void die() {
        synchronized (cluster) {
            tables.values().forEach(table -> table.dropAll(true));
            tables.clear();
        }
    }

    @Override
    public void close() {
        synchronized (cluster) {
            List.copyOf(tables.values()).forEach(Table::close);
        }
    }

    private final class Table<K, V> implements StateTable<K, V> {
        // Immutable.
        private final TableKind<K, V> kind;
        private final TableId id;
        private final Shared shared;
        private final TableView<K, V> view;
        // Guarded by the cluster.
        private final Map<K, V> wanted = new ConcurrentHashMap<>();
        private final Map<K, String> own = new HashMap<>();
        private final Set<K> delayed = new HashSet<>();

        Table(TableKind<K, V> kind, TableId id) {
            this.kind = kind;
            this.id = id;
            this.shared = cluster.shared(id);
            this.view = new TableView<>(kind, self, counters);
            shared.names.forEach(view::add);
            shared.views.add(view);
            view.ready();
        }

        @Override
        public PutOutcome put(K key, V value) {
            synchronized (cluster) {
                V before = wanted.get(key);
                if (value.equals(before)) {
                    return PutOutcome.SHARED;
                }
                if (before == null && !budget.tryReserve(prefix(key, value).length())) {
                    counters.localOnly.increment();
                    view.setLocalOnly(key, value);
                    return PutOutcome.LOCAL_ONLY;
                }
                wanted.put(key, value);
                if (!budget.tryWrite()) {
                    counters.delayed.increment();
                    delayed.add(key);
                    view.setLocalOnly(key, value);
                    return PutOutcome.DELAYED;
                }
                create(key);
                return PutOutcome.SHARED;
            }
        }

        @Override
        public void remove(K key) {
            synchronized (cluster) {
                V before = wanted.remove(key);
                if (before != null) {
                    budget.release(prefix(key, before).length());
                }
                delayed.remove(key);
                view.setLocalOnly(key, null);
                drop(key, false);
            }
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
            synchronized (cluster) {
                view.listen(listener);
            }
            return () -> view.unlisten(listener);
        }

        @Override
        public void close() {
            synchronized (cluster) {
                Set.copyOf(wanted.keySet()).forEach(this::remove);
                shared.views.remove(view);
                tables.remove(id);
            }
        }

        private String prefix(K key, V value) {
            return EntryName.prefix(kind.keys().encode(key), kind.values().encode(value), self, incarnation);
        }

        /** The new entry first, then away with the old one. */
        private void create(K key) {
            String name = shared.add(prefix(key, Objects.requireNonNull(wanted.get(key))));
            view.setLocalOnly(key, null);
            counters.created.increment();
            @Nullable String before = own.put(key, name);
            if (before != null) {
                shared.remove(before, false);
                counters.deleted.increment();
            }
        }

        private void drop(K key, boolean ownerDied) {
            @Nullable String name = own.remove(key);
            if (name != null) {
                shared.remove(name, ownerDied);
                counters.deleted.increment();
            }
        }

        void dropAll(boolean ownerDied) {
            Set.copyOf(own.keySet()).forEach(key -> drop(key, ownerDied));
        }

        void createAll() {
            wanted.keySet().forEach(this::create);
            delayed.clear();
        }

        void writeDelayed() {
            for (K key : Set.copyOf(delayed)) {
                if (budget.tryWrite()) {
                    delayed.remove(key);
                    create(key);
                }
            }
        }
    }
}
