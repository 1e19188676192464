package dev.weft.it;

import dev.weft.datapath.link.NetworkNamespace;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** Looks into a cloud's ZooKeeper by ZooKeeper's own client: which sessions own nodes there. */
final class EphemeralNodes implements AutoCloseable {
    private static final int SESSION_MILLIS = 10_000;
    private static final long PATIENCE_SECONDS = 10;

    private final ZooKeeper zooKeeper;

    private EphemeralNodes(ZooKeeper zooKeeper) {
        this.zooKeeper = zooKeeper;
    }

    static EphemeralNodes of(TestCloud cloud) {
        var connected = new CountDownLatch(1);
        // The client's threads are born inside the fabric's namespace and stay there.
        var client = NetworkNamespace.named(cloud.fabricNamespace()).call(() -> {
            try {
                return new ZooKeeper(cloud.storeAddress(), SESSION_MILLIS, event -> {
                    if (event.getState() == KeeperState.SyncConnected) {
                        connected.countDown();
                    }
                });
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        try {
            if (!connected.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("no session within " + PATIENCE_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
        return new EphemeralNodes(client);
    }

    /** The sessions that own at least one node. */
    Set<Long> owners() {
        var owners = new HashSet<Long>();
        collect("/", owners);
        return owners;
    }

    private void collect(String path, Set<Long> owners) {
        try {
            var stat = new Stat();
            for (String child : zooKeeper.getChildren(path, false, stat)) {
                collect((path.equals("/") ? "" : path) + "/" + child, owners);
            }
            if (stat.getEphemeralOwner() != 0) {
                owners.add(stat.getEphemeralOwner());
            }
        } catch (KeeperException.NoNodeException gone) {
            // It went while we walked: so it has no owner.
        } catch (KeeperException e) {
            throw new AssertionError("cannot read " + path, e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }

    @Override
    public void close() {
        try {
            zooKeeper.close();
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }
}
