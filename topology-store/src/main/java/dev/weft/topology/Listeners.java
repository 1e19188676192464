package dev.weft.topology;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls every listener; one that throws is logged and does not keep the others from hearing. Thread safe. */
final class Listeners<L> {
    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    private final List<L> listeners = new CopyOnWriteArrayList<>();

    void add(L listener) {
        listeners.add(listener);
    }

    void remove(L listener) {
        listeners.removeIf(l -> l == listener);
    }

    boolean contains(L listener) {
        return listeners.stream().anyMatch(l -> l == listener);
    }

    void each(Consumer<L> call) {
        listeners.forEach(listener -> tell(listener, call));
    }

    static <L> void tell(L listener, Consumer<L> call) {
        try {
            call.accept(listener);
        } catch (RuntimeException broken) {
            LOG.error(
                    "listener {} failed; it missed one notification",
                    listener.getClass().getName(),
                    broken);
        }
    }
}
