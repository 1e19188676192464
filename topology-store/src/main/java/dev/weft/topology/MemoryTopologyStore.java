package dev.weft.topology;

/** The store of one process, without ZooKeeper: for tests, offline use and simulated clusters. Thread safe. */
public final class MemoryTopologyStore implements TopologyStore {
    private final Object lock = new Object();
    // Guarded by lock.
    private final Listeners<Listener> listeners = new Listeners<>();
    // Written under lock, read by anyone.
    private volatile TopologySnapshot snapshot = TopologySnapshot.EMPTY;

    @Override
    public TopologySnapshot snapshot() {
        return snapshot;
    }

    /** Listeners are called on the thread that applies, before {@link #apply} returns. */
    @Override
    public Watch watch(Listener listener) {
        synchronized (lock) {
            Listeners.tell(listener, l -> l.connection(ConnectionState.CONNECTED));
            Listeners.tell(listener, l -> l.changed(snapshot));
            listeners.add(listener);
        }
        return () -> listeners.remove(listener);
    }

    @Override
    public long apply(Transaction transaction) {
        synchronized (lock) {
            TopologySnapshot before = snapshot;
            Batch batch = Draft.check(before, transaction);
            if (batch.isEmpty()) {
                return before.changeNumber();
            }
            TopologySnapshot after = before.after(before.changeNumber() + 1, batch);
            snapshot = after;
            listeners.each(l -> l.changed(after));
            return after.changeNumber();
        }
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
