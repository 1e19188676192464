package dev.weft.it.bench;

import dev.weft.base.NanoClock;
import java.io.IOException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/** What ZooKeeper itself takes: one client writes a node, another is told and reads it. Driven by one thread. */
final class WatchTrip implements AutoCloseable {
    private static final String PATH = "/bench-watch";
    private static final int SESSION_MILLIS = 10_000;
    private static final long PATIENCE_SECONDS = 10;

    private final ZooKeeper writer;
    private final ZooKeeper reader;
    private final SynchronousQueue<Long> readAt = new SynchronousQueue<>();

    WatchTrip(String connectString) throws IOException {
        writer = new ZooKeeper(connectString, SESSION_MILLIS, event -> {});
        reader = new ZooKeeper(connectString, SESSION_MILLIS, event -> {});
        try {
            writer.create(PATH, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            reader.addWatch(PATH, event -> read(), AddWatchMode.PERSISTENT);
        } catch (KeeperException e) {
            throw new IOException("the watched node could not be made: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private void read() {
        reader.getData(PATH, false, (code, path, context, data, stat) -> offer(), null);
    }

    private void offer() {
        try {
            readAt.offer(NanoClock.SYSTEM.nanoTime(), PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** From the writer's call returned to the reader having the data; negative when the reader was the faster one. */
    long nanos() {
        try {
            writer.setData(PATH, new byte[64], -1);
            long returned = NanoClock.SYSTEM.nanoTime();
            Long read = readAt.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (read == null) {
                throw new IllegalStateException("no watch event within " + PATIENCE_SECONDS + " s");
            }
            return read - returned;
        } catch (KeeperException e) {
            throw new IllegalStateException("the watched node could not be written: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void close() {
        for (ZooKeeper client : new ZooKeeper[] {writer, reader}) {
            try {
                client.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
