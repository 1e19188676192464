package dev.weft.topology;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weft.topology.schema.ChangeWait;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent's side of {@link ChangeWaits}: hears who waits for this host and answers once the change is in effect here.
 * Writes nothing while nobody waits. SUSPENDED and LOST: silent; RECONNECTED: reads all waits again and answers those
 * that are due. {@link #reached} may be called by any thread and does not block; the rest is the store thread's.
 */
public final class Acknowledger implements StoreConnection.Part, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Acknowledger.class);

    // Immutable.
    private final StoreConnection connection;
    private final UUID self;
    // Owned by the store thread.
    private final Map<String, Long> due = new HashMap<>(); // wait -> the change it asks for
    private final Set<String> answered = new HashSet<>();
    private long reached;

    public Acknowledger(StoreConnection connection, UUID self) {
        this.connection = connection;
        this.self = self;
        connection.attach(this);
    }

    /** All changes up to this number are in effect on this host. */
    public void reached(long changeNumber) {
        connection.execute(() -> {
            reached = Math.max(reached, changeNumber);
            answer();
        });
    }

    @Override
    public void close() {
        connection.detach(this);
    }

    @Override
    public void connected(ZooKeeper zk, boolean newSession) {
        due.clear();
        answered.clear();
        zk.addWatch(
                ZkPaths.WAITS,
                event -> connection.execute(() -> event(event)),
                AddWatchMode.PERSISTENT_RECURSIVE,
                (rc, path, context) -> {},
                null);
        zk.getChildren(
                ZkPaths.WAITS,
                false,
                (rc, path, context, children) -> connection.execute(() -> {
                    if (rc == Code.OK.intValue()) {
                        children.forEach(wait -> read(zk, wait));
                    }
                }),
                null);
    }

    @Override
    public void disconnected(ConnectionState state) {
        // Waits are read again at the next connection.
    }

    private void event(WatchedEvent event) {
        ZooKeeper zk = connection.session();
        if (zk == null || event.getPath() == null || event.getPath().equals(ZkPaths.WAITS)) {
            return;
        }
        String wait = ZkPaths.lastPart(event.getPath());
        switch (event.getType()) {
            case NodeCreated -> read(zk, wait);
            case NodeDeleted -> {
                due.remove(wait);
                if (answered.remove(wait)) {
                    // The waiter may have died: nobody else would remove the answer.
                    zk.delete(answerPath(wait), -1, (rc, path, context) -> {}, null);
                }
            }
            default -> {} // Waits never change.
        }
    }

    private void read(ZooKeeper zk, String wait) {
        zk.getData(
                ZkPaths.WAITS + "/" + wait,
                false,
                (rc, path, context, data, stat) -> connection.execute(() -> {
                    if (rc != Code.OK.intValue()) {
                        return; // Over already, or read again at the next connection.
                    }
                    try {
                        ChangeWait asked = ChangeWait.parseFrom(data);
                        List<String> hosts = asked.getHostIdsList();
                        if (hosts.contains(self.toString()) && !answered.contains(wait)) {
                            due.put(wait, asked.getChange());
                            answer();
                        }
                    } catch (InvalidProtocolBufferException broken) {
                        LOG.warn("{} cannot be read; not answered", path, broken);
                    }
                }),
                null);
    }

    private void answer() {
        ZooKeeper zk = connection.session();
        if (zk == null) {
            return;
        }
        Iterator<Map.Entry<String, Long>> all = due.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<String, Long> wait = all.next();
            if (wait.getValue() <= reached) {
                all.remove();
                answered.add(wait.getKey());
                zk.create(
                        answerPath(wait.getKey()),
                        new byte[0],
                        ZooDefs.Ids.OPEN_ACL_UNSAFE,
                        CreateMode.EPHEMERAL,
                        (rc, path, context, name) -> {},
                        null);
            }
        }
    }

    private String answerPath(String wait) {
        return ZkPaths.ANSWERS + "/" + wait + "/" + self;
    }
}
