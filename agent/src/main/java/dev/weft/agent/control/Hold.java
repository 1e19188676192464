package dev.weft.agent.control;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Keeps deletions back for a moment and forgets those that are taken back meanwhile: entries of a session that is
 * re-made at once do not blink. Not thread safe: touched only by its actor.
 *
 * @param <K> names an entry
 */
final class Hold<K> {
    private final long holdNanos;
    private final Map<K, Long> deadlines = new HashMap<>();
    private final ArrayDeque<Held<K>> order = new ArrayDeque<>();

    private record Held<K>(K key, long deadlineNanos) {}

    Hold(long holdNanos) {
        this.holdNanos = holdNanos;
    }

    void add(K key, long nowNanos) {
        deadlines.put(key, nowNanos + holdNanos);
        order.add(new Held<>(key, nowNanos + holdNanos));
    }

    /** The entry is there (again), or is gone for good. */
    void forget(K key) {
        deadlines.remove(key);
    }

    boolean isEmpty() {
        return deadlines.isEmpty();
    }

    /** Calls for each deletion that is due, and forgets it. */
    void release(long nowNanos, Consumer<K> due) {
        while (!order.isEmpty() && order.peek().deadlineNanos() - nowNanos <= 0) {
            Held<K> held = order.remove();
            if (deadlines.remove(held.key(), held.deadlineNanos())) {
                due.accept(held.key());
            }
        }
    }
}
