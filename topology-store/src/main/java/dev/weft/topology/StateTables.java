package dev.weft.topology;

import java.util.UUID;

/** The state tables that one host shares with its cluster; the limits of {@link TableLimits} are over all of them. */
public interface StateTables extends AutoCloseable {
    /** Opens a table, or returns the one that is open already. Works while the store is away, too. */
    <K, V> StateTable<K, V> open(TableKind<K, V> kind, UUID device);

    TableCounters counters();

    /** Closes all tables. */
    @Override
    void close();
}
