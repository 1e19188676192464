package dev.weft.agent.cli;

import dev.weft.base.NanoClock;
import dev.weft.topology.HostRegistry;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.TopologyException;
import dev.weft.topology.ZkTopologyStore;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Option;

/** Where the store is. */
final class StoreOptions {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    @Option(
            names = "--store",
            paramLabel = "HOST:PORT[,...]",
            defaultValue = "${env:WEFT_STORE:-127.0.0.1:2181}",
            description = "ZooKeeper's connection string. Default: $WEFT_STORE, else 127.0.0.1:2181.")
    private String connectString = "127.0.0.1:2181";

    /** An open store, with its connection. */
    record OpenStore(StoreConnection connection, ZkTopologyStore topology) implements AutoCloseable {
        /** The hosts whose agent has a session now. */
        Set<UUID> livingHosts() {
            var first = new CompletableFuture<Map<UUID, Long>>();
            try (var registry = new HostRegistry(connection, topology);
                    var watch = registry.watchLiving(first::complete)) {
                Objects.requireNonNull(watch);
                return first.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                        .join()
                        .keySet();
            }
        }

        @Override
        public void close() {
            topology.close();
            connection.close();
        }
    }

    /** @throws Failure when no server answers */
    OpenStore open() {
        StoreConnection connection = StoreConnection.open(connectString);
        try {
            if (!connection.awaitConnected(PATIENCE)) {
                throw Failure.unreachable(
                        "no store answers at " + connectString + " within " + PATIENCE.toSeconds()
                                + " s; give --store HOST:PORT or start one with 'weft store'",
                        new TopologyException("not connected"));
            }
            return new OpenStore(connection, ZkTopologyStore.open(connection, NanoClock.SYSTEM));
        } catch (RuntimeException failed) {
            connection.close();
            throw failed;
        }
    }
}
