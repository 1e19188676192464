package dev.weft.topology;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weft.topology.TopologySnapshot.Versioned;
import dev.weft.topology.schema.SavedState;
import dev.weft.topology.schema.SavedTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a host has read of topology and tables in a file, so that its next process can begin with it though no
 * server answers. Written at most every few seconds, when something changed, and once more when it is closed. Thread
 * safe: what is read on the store thread is written by a thread of its own.
 */
public final class StateArchive implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StateArchive.class);
    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final Duration LAST_WRITE = Duration.ofSeconds(5);

    // Immutable.
    private final Path file;
    private final StoreConnection connection;
    private final ZkTopologyStore store;
    private final ZkStateTables tables;
    private final InstantSource clock;
    private final ExecutorService writer = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("weft-archive").factory());
    // Owned by the store thread.
    private SavedState written = SavedState.getDefaultInstance();
    // Shared.
    private volatile boolean closed;

    /** What an earlier process had read. */
    public record Beginning(TopologySnapshot topology, List<SavedTable> tables, long savedAtSeconds) {}

    private StateArchive(
            Path file, StoreConnection connection, ZkTopologyStore store, ZkStateTables tables, InstantSource clock) {
        this.file = file;
        this.connection = connection;
        this.store = store;
        this.tables = tables;
        this.clock = clock;
    }

    /** What is in the file; empty when there is none, or it cannot be read. */
    public static Optional<Beginning> read(Path file) {
        try {
            SavedState saved = SavedState.parseFrom(Files.readAllBytes(file));
            var objects = new HashMap<ObjectKind, Map<UUID, Versioned>>();
            saved.getObjectsList()
                    .forEach(stored -> LogCodec.object(stored).ifPresent(object -> {
                        ObjectKind kind = Schema.kindOf(object);
                        objects.computeIfAbsent(kind, k -> new HashMap<>())
                                .put(kind.idOf(object), new Versioned(object, stored.getVersion()));
                    }));
            return Optional.of(new Beginning(
                    TopologySnapshot.of(saved.getChange(), objects), saved.getTablesList(), saved.getSavedAt()));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (InvalidProtocolBufferException broken) {
            LOG.warn("{} cannot be read ({}); beginning without it", file, broken.getMessage());
            return Optional.empty();
        } catch (IOException | RuntimeException unreadable) {
            LOG.warn("{} cannot be read; beginning without it", file, unreadable);
            return Optional.empty();
        }
    }

    /** Begins to keep the file. */
    public static StateArchive open(
            Path file, StoreConnection connection, ZkTopologyStore store, ZkStateTables tables, InstantSource clock) {
        var archive = new StateArchive(file, connection, store, tables, clock);
        connection.schedule(archive::look, PAUSE);
        return archive;
    }

    private void look() {
        if (!closed) {
            save();
            connection.schedule(this::look, PAUSE);
        }
    }

    /** On the store thread. What is not read from the server is not kept: the file has it already. */
    private void save() {
        if (!store.isRead()) {
            return;
        }
        SavedState now = SavedState.newBuilder()
                .setChange(store.snapshot().changeNumber())
                .addAllObjects(Schema.kinds().stream()
                        .flatMap(kind -> store.snapshot().all(kind).stream())
                        .map(object -> LogCodec.stored(object, store.snapshot().version(object)))
                        .toList())
                .addAllTables(tables.save())
                .build();
        if (!now.equals(written)) {
            written = now;
            SavedState dated =
                    now.toBuilder().setSavedAt(clock.instant().getEpochSecond()).build();
            writer.execute(() -> write(dated));
        }
    }

    private void write(SavedState state) {
        try {
            PrivateFile.write(file, state.toByteArray());
        } catch (IOException failed) {
            LOG.warn("{} cannot be written: {}; a restart without ZooKeeper begins with an older one", file, failed);
        }
    }

    /** Writes what is new and ends. */
    @Override
    public void close() {
        closed = true;
        var saved = new CompletableFuture<Boolean>();
        connection.execute(() -> {
            save();
            saved.complete(true);
        });
        try {
            saved.get(LAST_WRITE.toMillis(), TimeUnit.MILLISECONDS);
            writer.shutdown();
            if (!writer.awaitTermination(LAST_WRITE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("{} was not written in time", file);
            }
        } catch (TimeoutException | ExecutionException late) {
            LOG.warn("{} was not written: the store thread is busy", file, late);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        writer.shutdownNow();
    }
}
