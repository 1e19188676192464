package dev.weft.topology;

import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.apache.curator.utils.ZookeeperFactory;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.jspecify.annotations.Nullable;

/** A client whose session may outlive it: it can be left without being ended. Thread safe, as its parent is. */
@SuppressWarnings("try") // close() throws InterruptedException, as the parent says.
final class KeptZooKeeper extends ZooKeeper {
    private final BooleanSupplier leaving;

    private KeptZooKeeper(
            String connectString, int timeoutMillis, Watcher watcher, boolean readOnly, BooleanSupplier leaving)
            throws IOException {
        super(connectString, timeoutMillis, watcher, readOnly);
        this.leaving = leaving;
    }

    private KeptZooKeeper(
            String connectString,
            int timeoutMillis,
            Watcher watcher,
            SavedSession.Session session,
            boolean readOnly,
            BooleanSupplier leaving)
            throws IOException {
        super(connectString, timeoutMillis, watcher, session.id(), session.password(), readOnly);
        this.leaving = leaving;
    }

    /**
     * Clients that go on with the saved session while there is one.
     *
     * @param leaving whether a client that is closed leaves its session as it is
     */
    static ZookeeperFactory factory(SavedSession saved, BooleanSupplier leaving) {
        return new ZookeeperFactory() {
            @Override
            public ZooKeeper newZooKeeper(String connectString, int timeoutMillis, Watcher watcher, boolean readOnly)
                    throws IOException {
                Optional<SavedSession.Session> session = saved.read();
                Watcher wary = event -> pass(event, watcher);
                return session.isPresent()
                        ? new KeptZooKeeper(connectString, timeoutMillis, wary, session.get(), readOnly, leaving)
                        : new KeptZooKeeper(connectString, timeoutMillis, wary, readOnly, leaving);
            }

            @Override
            public ZooKeeper newZooKeeper(
                    String connectString,
                    int timeoutMillis,
                    Watcher watcher,
                    boolean readOnly,
                    @Nullable ZKClientConfig config)
                    throws IOException {
                return newZooKeeper(connectString, timeoutMillis, watcher, readOnly);
            }

            private void pass(WatchedEvent event, Watcher watcher) {
                if (event.getState() == Watcher.Event.KeeperState.Expired) {
                    saved.forget(); // The next client begins a session of its own.
                }
                watcher.process(event);
            }
        };
    }

    @Override
    public synchronized void close() throws InterruptedException {
        if (leaving.getAsBoolean()) {
            cnxn.disconnect();
        } else {
            super.close();
        }
    }

    @Override
    public boolean close(int waitMillis) throws InterruptedException {
        if (leaving.getAsBoolean()) {
            cnxn.disconnect();
            return true;
        }
        return super.close(waitMillis);
    }
}
