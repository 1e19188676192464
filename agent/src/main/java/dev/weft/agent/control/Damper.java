package dev.weft.agent.control;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Passes changes on, now and then only for each thing: the first at once, later ones at intervals, as they are then. Not
 * thread safe: touched only by its actor.
 *
 * @param <K> the things
 * @param <V> how they are
 */
final class Damper<K, V> {
    private final long intervalNanos;
    private final BiConsumer<K, V> to;
    private final Map<K, State<V>> states = new HashMap<>();

    private static final class State<V> {
        private V passed;
        private V now;
        private long next;

        private State(V passed, long next) {
            this.passed = passed;
            this.now = passed;
            this.next = next;
        }
    }

    Damper(long intervalNanos, BiConsumer<K, V> to) {
        this.intervalNanos = intervalNanos;
        this.to = to;
    }

    /** It is another way now. */
    void change(K thing, V now, long nowNanos) {
        State<V> state = states.get(thing);
        if (state == null) {
            states.put(thing, new State<>(now, nowNanos + intervalNanos));
            to.accept(thing, now);
        } else {
            state.now = now;
            look(nowNanos);
        }
    }

    /** Passes on what had to wait. Again as long as this says that something waits. */
    boolean look(long nowNanos) {
        states.entrySet().removeIf(entry -> {
            State<V> state = entry.getValue();
            if (nowNanos - state.next < 0) {
                return false;
            }
            if (state.now.equals(state.passed)) {
                return true;
            }
            state.passed = state.now;
            state.next = nowNanos + intervalNanos;
            to.accept(entry.getKey(), state.now);
            return false;
        });
        return !states.isEmpty();
    }
}
