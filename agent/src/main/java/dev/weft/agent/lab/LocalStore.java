package dev.weft.agent.lab;

import dev.weft.base.NanoClock;
import dev.weft.topology.ChangeSet;
import dev.weft.topology.EmbeddedZooKeeper;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.TopologyException;
import dev.weft.topology.TopologyReader;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.ZkTopologyStore;
import java.nio.file.Path;
import java.time.Duration;

/** A ZooKeeper in this process, and a client of it as a person's {@code weft apply} is one. Thread safe. */
public final class LocalStore implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final EmbeddedZooKeeper zooKeeper;
    private final StoreConnection connection;
    private final TopologyStore store;

    private LocalStore(EmbeddedZooKeeper zooKeeper, StoreConnection connection) {
        this.zooKeeper = zooKeeper;
        this.connection = connection;
        store = ZkTopologyStore.open(connection, NanoClock.SYSTEM);
    }

    /** @param folder for its data; made when absent */
    public static LocalStore start(Path folder) {
        var zooKeeper = EmbeddedZooKeeper.start(folder, "127.0.0.1", 0);
        try {
            return new LocalStore(zooKeeper, connect(zooKeeper));
        } catch (RuntimeException refused) {
            zooKeeper.close();
            throw refused;
        }
    }

    private static StoreConnection connect(EmbeddedZooKeeper zooKeeper) {
        var connection = StoreConnection.open(zooKeeper.connectString());
        if (!connection.awaitConnected(PATIENCE)) {
            connection.close();
            throw new TopologyException("the embedded ZooKeeper does not answer within " + PATIENCE.toSeconds() + " s");
        }
        return connection;
    }

    public String connectString() {
        return zooKeeper.connectString();
    }

    public int port() {
        return zooKeeper.port();
    }

    public TopologyStore store() {
        return store;
    }

    /** The client's own, for what else lies in the store. */
    public StoreConnection connection() {
        return connection;
    }

    /** As a store that went down; {@link #goOn} brings it back with its data. */
    public void fail() {
        zooKeeper.stop();
    }

    public void goOn() {
        zooKeeper.start();
    }

    /** Makes the tenant of this text what the text says. @return the change number */
    public long apply(String yaml) {
        var desired = new TopologyReader().text("network.yaml", yaml).desired();
        return store.apply(ChangeSet.plan(store.snapshot(), desired).transaction());
    }

    @Override
    public void close() {
        store.close();
        connection.close();
        zooKeeper.close();
    }
}
