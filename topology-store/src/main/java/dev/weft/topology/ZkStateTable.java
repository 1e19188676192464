package dev.weft.topology;

import dev.weft.topology.schema.SavedTable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.ZooKeeper;

/**
 * One table in ZooKeeper: {@code /weft/tables/<kind>/<device>/<bucket>/<entry>}. Table and buckets are container nodes,
 * made with the first entry; the server removes them some time after the last. Thread safe: what any thread wants is
 * handed to the store thread, where {@link ZkTableReader} and {@link ZkTableWriter} do it.
 */
final class ZkStateTable<K, V> implements StateTable<K, V>, ZkTableReader.Changes<K> {
    // Immutable.
    private final ZkStateTables tables;
    private final StoreConnection connection;
    private final TableKind<K, V> kind;
    private final UUID device;
    private final String path;
    private final TableView<K, V> view;
    private final ZkTableReader<K, V> reader;
    private final ZkTableWriter<K, V> writer;
    // Shared.
    private final Map<K, V> wanted = new ConcurrentHashMap<>();

    ZkStateTable(ZkStateTables tables, StoreConnection connection, TableKind<K, V> kind, UUID device) {
        this.tables = tables;
        this.connection = connection;
        this.kind = kind;
        this.device = device;
        this.path = ZkPaths.TABLES + "/" + kind.name() + "/" + device;
        this.view = new TableView<>(kind, tables.self(), tables.counters());
        this.reader = new ZkTableReader<>(connection, path, tables.self(), view, tables::jitter, this);
        this.writer = new ZkTableWriter<>(tables, connection, kind, path, view, reader, wanted);
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
            connection.execute(() -> writer.write(key));
            return PutOutcome.SHARED;
        }
        tables.counters().delayed.increment();
        connection.execute(() -> {
            view.setLocalOnly(key, value);
            writer.writeWhenRateAllows(key);
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
            if (!writer.isWanted(key)) {
                writer.withdraw(key);
            }
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
        connection.execute(reader::close);
    }

    private int nodeLength(K key, V value) {
        String prefix = EntryName.prefix(kind.keys().encode(key), kind.values().encode(value), tables.self(), 0);
        return path.length() + 6 + EntryName.lengthOf(prefix);
    }

    // On the store thread.

    /** What an earlier process had read: it holds until the server says otherwise. */
    void begin(List<String> names) {
        names.forEach(view::add);
    }

    /** Takes part in an archive. */
    SavedTable save() {
        return SavedTable.newBuilder()
                .setKind(kind.name())
                .setDevice(device.toString())
                .addAllNames(view.names())
                .build();
    }

    /** Stops listening; what this host said stays while its session does. */
    void leave() {
        reader.close();
    }

    void connected(ZooKeeper zk) {
        reader.connected(zk);
    }

    void disconnected() {
        reader.disconnected();
    }

    void reconcileAll() {
        writer.reconcileAll();
    }

    @Override
    public void listed() {
        view.ready();
        writer.reconcileAll();
    }

    @Override
    public void ownChanged(K key) {
        writer.reconcile(key);
    }

    @Override
    public void forgotten() {
        writer.forgetRequests();
    }
}
