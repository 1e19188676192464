package dev.weft.topology;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of all agents does a thing; when it goes another takes over. Who has lost the connection is told at once that it
 * does it no longer, and runs again when the connection is back. Thread safe.
 *
 * <p>A restarted agent goes on with its session, in which a candidacy of the agent before may still stand: it is taken
 * away first, or it would win for nobody.
 */
public final class Leadership implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

    // Immutable.
    private final String role;
    private final String path;
    private final String candidate;
    private final CuratorFramework curator;
    private final LeaderLatch latch;
    // Guarded by this.
    private boolean started;
    private boolean closed;

    /**
     * Becomes a candidate.
     *
     * @param role what is to be done, a name: {@code health}
     * @param listener hears on a thread of Curator's whether this process does it, at each change; must not block
     */
    public Leadership(StoreConnection connection, String role, UUID host, Consumer<Boolean> listener) {
        this.role = role;
        path = ZkPaths.LEADERS + "/" + role;
        candidate = host.toString();
        curator = connection.curator();
        latch = new LeaderLatch(curator, path, candidate);
        latch.addListener(new LeaderLatchListener() {
            @Override
            public void isLeader() {
                LOG.info("this agent does '{}' for all from now on", role);
                listener.accept(true);
            }

            @Override
            public void notLeader() {
                LOG.info("another agent does '{}' from now on", role);
                listener.accept(false);
            }
        });
        enter();
    }

    private void enter() {
        try {
            curator.getChildren()
                    .inBackground((client, listed) -> {
                        removeOld(listed.getChildren());
                        start();
                    })
                    .forPath(path);
        } catch (Exception broken) { // Curator's own signature.
            throw new TopologyException("no candidacy for '" + role + "'", broken);
        }
    }

    private void removeOld(@Nullable List<String> children) throws Exception {
        if (children == null) {
            return; // nobody was ever a candidate
        }
        for (String child : children) {
            String old = path + "/" + child;
            curator.getData()
                    .inBackground((client, read) -> {
                        byte[] data = read.getData();
                        if (data != null && new String(data, StandardCharsets.UTF_8).equals(candidate)) {
                            curator.delete().inBackground().forPath(old);
                        }
                    })
                    .forPath(old);
        }
    }

    private synchronized void start() throws Exception {
        if (!closed) {
            latch.start();
            started = true;
        }
    }

    public boolean isLeader() {
        return latch.hasLeadership();
    }

    /** Leaves it to the others at once. */
    @Override
    public synchronized void close() {
        closed = true;
        if (!started) {
            return;
        }
        try {
            latch.close();
        } catch (IOException broken) {
            LOG.debug("a candidacy ends with the session", broken);
        }
    }
}
