/**
 * The topology: one schema, one store of it, the tables that hosts share, and the reader of files.
 *
 * <p><b>Schema.</b> {@code weft/v1/topology.proto} says what there is; its options say what a field may hold, whom it
 * refers to, what is unique and what goes when something is deleted. {@link dev.weft.topology.Schema} reads that from
 * the descriptors; {@code Draft} enforces it, in one place for every store and for files; {@code Rules} holds the few
 * rules that options cannot say.
 *
 * <p><b>Store.</b> {@link dev.weft.topology.TopologyStore} takes {@link dev.weft.topology.Transaction}s and gives
 * immutable {@link dev.weft.topology.TopologySnapshot}s, each with the one change number. {@code MemoryTopologyStore} and
 * {@code ZkTopologyStore} pass the same contract suite. In ZooKeeper a transaction is a {@code multi} on the change
 * number, a log entry and the objects; readers follow the log, so that none sees half a transaction.
 *
 * <p><b>Tables.</b> {@link dev.weft.topology.StateTables} holds what hosts learn while running: MACs, neighbours, tunnel
 * keys. An entry is the name of an ephemeral node and lives as long as its owner's session. {@link
 * dev.weft.topology.HostRegistry} knows which hosts live; {@link dev.weft.topology.ChangeWaits} waits until they have a
 * change.
 *
 * <p><b>Files.</b> {@link dev.weft.topology.TopologyReader} turns YAML or JSON into a description with positions, {@link
 * dev.weft.topology.ChangeSet} meets it with a snapshot, {@link dev.weft.topology.TopologyWriter} writes it back.
 *
 * <p><b>In and out.</b> In: objects, files, a connect string, a clock. Out: snapshots, table changes, problems that name
 * object, field, value and what is allowed. Nothing here knows a packet.
 *
 * <p><b>Threads.</b> Values are immutable. All that happens with ZooKeeper happens on the one thread of its {@link
 * dev.weft.topology.StoreConnection}, "weft-store", which also calls every listener, one at a time: a listener hands on
 * and returns. Methods that wait for the server say so and must not be called there. While the server is away the last
 * snapshot and the last tables stay; each class says what it does on SUSPENDED, LOST and RECONNECTED.
 */
@NullMarked
package dev.weft.topology;

import org.jspecify.annotations.NullMarked;
