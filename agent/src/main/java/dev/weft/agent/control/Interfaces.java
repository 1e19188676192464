package dev.weft.agent.control;

import java.util.function.Consumer;

/** Tells when a network interface is there, whether frames can pass it, and when it is gone. Thread safe. */
public interface Interfaces extends AutoCloseable {
    /** How an interface is. */
    enum Presence {
        ABSENT,
        /** There, and set down. */
        DOWN,
        /** Set up, but nobody is at its other end: that of a veth is down, a tap is not open, a cable is out. */
        NO_CARRIER,
        UP
    }

    /**
     * Calls the listener when the interface appears or is there already, with {@link Presence#ABSENT} when it vanishes,
     * and when it is another way meanwhile; until the subscription is closed. The listener hands it on and returns.
     *
     * @param namespace a name under /run/netns, an absolute path, or empty for the agent's own
     */
    Subscription watch(String namespace, String name, Consumer<Presence> listener);

    @Override
    void close();

    /** Closing it ends the calls. */
    @FunctionalInterface
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /** For a datapath whose interfaces come into being when they are attached. */
    static Interfaces always() {
        return new Interfaces() {
            @Override
            public Subscription watch(String namespace, String name, Consumer<Presence> listener) {
                listener.accept(Presence.UP);
                return () -> {};
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
    }
}
