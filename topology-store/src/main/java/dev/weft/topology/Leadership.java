package dev.weft.topology;

import java.io.IOException;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of all agents does a thing; when it goes another takes over. Who has lost the connection is told at once that it
 * does it no longer, and runs again when the connection is back. Thread safe.
 */
public final class Leadership implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

    private final LeaderLatch latch;

    /**
     * Becomes a candidate.
     *
     * @param role what is to be done, a name: {@code health}
     * @param listener hears on a thread of Curator's whether this process does it, at each change; must not block
     */
    public Leadership(StoreConnection connection, String role, UUID host, Consumer<Boolean> listener) {
        latch = new LeaderLatch(connection.curator(), ZkPaths.LEADERS + "/" + role, host.toString());
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
        try {
            latch.start();
        } catch (Exception broken) { // Curator's own signature.
            throw new TopologyException("no candidacy for '" + role + "'", broken);
        }
    }

    public boolean isLeader() {
        return latch.hasLeadership();
    }

    /** Leaves it to the others at once. */
    @Override
    public void close() {
        try {
            latch.close();
        } catch (IOException broken) {
            LOG.debug("a candidacy ends with the session", broken);
        }
    }
}
