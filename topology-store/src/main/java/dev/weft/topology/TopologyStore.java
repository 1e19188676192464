package dev.weft.topology;

/**
 * The topology that all hosts share. Thread safe.
 *
 * <p>A transaction is seen whole or not at all. Each one that changes something raises the change number by one;
 * listeners see the snapshots in that order. While the store cannot be reached the last snapshot stays.
 */
public interface TopologyStore extends AutoCloseable {
    /** The newest snapshot that this process has seen; never blocks. */
    TopologySnapshot snapshot();

    /**
     * Calls the listener with the current snapshot at once, then with each newer one in order; after a long absence
     * several changes may arrive as one snapshot. Calls come from the store's own thread, one at a time: a listener
     * hands the snapshot on and returns; it must not call {@link #apply}.
     */
    Watch watch(Listener listener);

    /**
     * Checks the transaction against the newest state and commits it. Blocks for a round trip or more; the snapshot of
     * this store contains the change when it returns.
     *
     * @return the change number that holds the transaction; that of the present state when nothing had to change
     * @throws TopologyException with all problems when it is refused; or when the store is not reachable
     */
    long apply(Transaction transaction);

    @Override
    void close();

    /** Called by the store's thread. */
    interface Listener {
        void changed(TopologySnapshot snapshot);

        /** The connection's state is now this; also called once at the start. */
        default void connection(ConnectionState state) {}
    }
}
