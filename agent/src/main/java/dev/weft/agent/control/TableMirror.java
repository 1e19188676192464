package dev.weft.agent.control;

import dev.weft.agent.worker.Command;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the workers' view of one shared table: entries about ports that the network does not have yet wait for it, and
 * entries that went with their owner's session stay a moment longer. Not thread safe: touched only by its actor.
 *
 * @param <K> the table's keys
 * @param <V> the table's values
 */
final class TableMirror<K, V> {
    // Immutable after construction.
    private final Translation<K, V> translation;
    private final Consumer<Command> workers;
    private final Hold<K> hold;
    // Owned by the actor.
    private final Map<K, V> entries = new HashMap<>();
    private final Map<K, V> told = new HashMap<>();

    /** An entry in the workers' words. */
    interface Translation<K, V> {
        /** Null while the network does not have what the entry speaks of. */
        @Nullable
        Command learned(K key, V value);

        @Nullable
        Command forgotten(K key, V value);
    }

    TableMirror(Translation<K, V> translation, Consumer<Command> workers, long holdNanos) {
        this.translation = translation;
        this.workers = workers;
        this.hold = new Hold<>(holdNanos);
    }

    void put(K key, V value) {
        hold.forget(key);
        entries.put(key, value);
        tell(key, value);
    }

    /** @param ownerDied it went with a session, which may be re-made at once */
    void remove(K key, boolean ownerDied, long nowNanos) {
        entries.remove(key);
        if (ownerDied) {
            hold.add(key, nowNanos);
        } else {
            hold.forget(key);
            forget(key);
        }
    }

    boolean holdsBack() {
        return !hold.isEmpty();
    }

    /**
     * Believes the deletions whose time has come.
     *
     * @param kept whether the entry is valid though its owner's session ended: then it stays for another while
     */
    void release(long nowNanos, Predicate<K> kept) {
        hold.release(nowNanos, key -> {
            if (kept.test(key)) {
                hold.add(key, nowNanos);
            } else {
                forget(key);
            }
        });
    }

    /** There is a new network: what was unknown may be known now. */
    void networkChanged() {
        for (var entry : List.copyOf(entries.entrySet())) {
            if (!entry.getValue().equals(told.get(entry.getKey()))) {
                tell(entry.getKey(), entry.getValue());
            }
        }
    }

    private void tell(K key, V value) {
        Command command = translation.learned(key, value);
        if (command != null) {
            told.put(key, value);
            workers.accept(command);
        }
    }

    private void forget(K key) {
        V value = told.remove(key);
        Command command = value == null ? null : translation.forgotten(key, value);
        if (command != null) {
            workers.accept(command);
        }
    }
}
