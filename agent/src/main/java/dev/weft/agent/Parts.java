package dev.weft.agent;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an agent has open, and how it is given up: ended, or left to the next agent of the host. Thread safe. */
final class Parts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

    // Guarded by this: the last opened first.
    private final Deque<Part> open = new ArrayDeque<>();
    private boolean leaving;

    private record Part(String name, AutoCloseable end, AutoCloseable leave) {}

    /** A part that ends in either case. */
    <T extends AutoCloseable> T own(T thing) {
        return own(thing, thing, thing);
    }

    /** @param leave how it is given up when the next agent is to go on with it */
    synchronized <T> T own(T thing, AutoCloseable end, AutoCloseable leave) {
        open.push(new Part(thing.getClass().getSimpleName(), end, leave));
        return thing;
    }

    /** From now on, closing leaves things to the next agent. */
    synchronized void leaveAtEnd(boolean leave) {
        leaving = leave;
    }

    /** In reverse order; one that fails does not keep the others open. */
    @Override
    public synchronized void close() {
        while (!open.isEmpty()) {
            Part part = open.pop();
            try {
                (leaving ? part.leave : part.end).close();
            } catch (Exception e) { // AutoCloseable says Exception.
                LOG.warn("{} could not be closed", part.name, e);
            }
        }
    }
}
