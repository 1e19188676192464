package dev.weft.topology;

import dev.weft.base.NanoClock;
import dev.weft.topology.schema.ChangeWait;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/**
 * Waits until hosts have a change. Only while somebody waits is anything written: the waiter makes an ephemeral node
 * that names the change and the hosts concerned, and those answer with one node each (see {@link Acknowledger}). A waiter
 * that dies leaves an ephemeral node, which goes, and a container of answers, which the server removes when empty.
 * Thread safe; {@link #await} blocks its caller.
 */
public final class ChangeWaits {
    private final StoreConnection connection;
    private final NanoClock clock;

    public ChangeWaits(StoreConnection connection, NanoClock clock) {
        this.connection = connection;
        this.clock = clock;
    }

    /**
     * Blocks until every host has the change, or the time is over.
     *
     * @param hosts as {@link HostsConcerned} says; dead ones will not answer
     * @return those that did not answer; empty when all have it
     * @throws TopologyException when the store cannot be reached
     */
    public Set<UUID> await(long change, Set<UUID> hosts, Duration timeout) {
        if (hosts.isEmpty()) {
            return Set.of();
        }
        var waiting = new Waiting(UUID.randomUUID(), change, Set.copyOf(hosts));
        long deadline = clock.nanoTime() + timeout.toNanos();
        connection.attach(waiting);
        try {
            waiting.done.get(Math.max(1, deadline - clock.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            // The missing ones are the answer.
        } catch (ExecutionException impossible) {
            throw new IllegalStateException("a wait never fails, it only ends", impossible);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        } finally {
            connection.detach(waiting);
            connection.execute(waiting::end);
        }
        return waiting.missing();
    }

    /** One wait. Owned by the store thread, but for what is missing. */
    private final class Waiting implements StoreConnection.Part {
        final CompletableFuture<Boolean> done = new CompletableFuture<>();
        private final String waitPath;
        private final String answersPath;
        private final byte[] data;
        private final Set<UUID> hosts;
        private volatile Set<UUID> answered = Set.of();

        Waiting(UUID id, long change, Set<UUID> hosts) {
            this.waitPath = ZkPaths.WAITS + "/" + id;
            this.answersPath = ZkPaths.ANSWERS + "/" + id;
            this.hosts = hosts;
            var wait = ChangeWait.newBuilder().setChange(change);
            hosts.forEach(host -> wait.addHostIds(host.toString()));
            this.data = wait.build().toByteArray();
        }

        Set<UUID> missing() {
            var missing = new TreeSet<>(hosts);
            missing.removeAll(answered);
            return missing;
        }

        @Override
        public void connected(ZooKeeper zk, boolean newSession) {
            // The place of answers first, then the watch, then the question.
            zk.create(
                    answersPath,
                    new byte[0],
                    ZooDefs.Ids.OPEN_ACL_UNSAFE,
                    CreateMode.CONTAINER,
                    (rc, path, context, name) -> {},
                    null);
            zk.addWatch(
                    answersPath,
                    event -> connection.execute(() -> list(zk)),
                    AddWatchMode.PERSISTENT,
                    (rc, path, context) -> {},
                    null);
            zk.create(
                    waitPath,
                    data,
                    ZooDefs.Ids.OPEN_ACL_UNSAFE,
                    CreateMode.EPHEMERAL,
                    (rc, path, context, name) -> {},
                    null);
            list(zk);
        }

        @Override
        public void disconnected(ConnectionState state) {
            // The answers stand; they are read again at the next connection.
        }

        private void list(ZooKeeper zk) {
            zk.getChildren(
                    answersPath,
                    false,
                    (rc, path, context, children) -> connection.execute(() -> {
                        if (rc == Code.OK.intValue()) {
                            heard(children);
                        }
                    }),
                    null);
        }

        private void heard(List<String> children) {
            var all = new TreeSet<>(answered);
            children.stream().filter(Formats::isId).map(UUID::fromString).forEach(all::add);
            answered = Set.copyOf(all);
            if (missing().isEmpty()) {
                done.complete(true);
            }
        }

        void end() {
            ZooKeeper zk = connection.session();
            if (zk == null) {
                return; // Both are ephemeral.
            }
            zk.delete(waitPath, -1, (rc, path, context) -> {}, null);
            removeAnswers(zk, hosts.size());
        }

        /** Once more when a host answered in between, which each does once. */
        private void removeAnswers(ZooKeeper zk, int more) {
            hosts.forEach(host -> zk.delete(answersPath + "/" + host, -1, (rc, path, context) -> {}, null));
            zk.delete(
                    answersPath,
                    -1,
                    (rc, path, context) -> {
                        if (rc == Code.NOTEMPTY.intValue() && more > 0) {
                            connection.execute(() -> removeAnswers(zk, more - 1));
                        }
                    },
                    null);
        }
    }
}
