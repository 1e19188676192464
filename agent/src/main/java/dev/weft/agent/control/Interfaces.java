package dev.weft.agent.control;

import java.util.function.Consumer;

/** Tells when a network interface is there and when it is not. Thread safe. */
public interface Interfaces extends AutoCloseable {
    /**
     * Calls the listener with true when the interface appears or is there already, with false when it vanishes; until
     * the subscription is closed. The listener hands it on and returns.
     *
     * @param namespace a name under /run/netns, an absolute path, or empty for the agent's own
     */
    Subscription watch(String namespace, String name, Consumer<Boolean> present);

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
            public Subscription watch(String namespace, String name, Consumer<Boolean> present) {
                present.accept(true);
                return () -> {};
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
    }
}
