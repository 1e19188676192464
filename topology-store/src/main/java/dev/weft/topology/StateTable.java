package dev.weft.topology;

import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A table that all hosts write and read: who learnt something puts it, everybody hears. An entry lives as long as its
 * owner's session, or until the owner removes it; of several opinions on a key the newest holds. Thread safe; nothing
 * here blocks.
 *
 * <p>While the store is away the last view stays and puts wait; when a session was lost, own entries are made again.
 */
public interface StateTable<K, V> extends AutoCloseable {
    /** Says that {@code key} is {@code value}, in place of what this host said before. Saying it again writes nothing. */
    PutOutcome put(K key, V value);

    /** Takes back what this host said of the key; others' opinions stay. */
    void remove(K key);

    /** What holds now, as far as this process has heard. */
    Optional<Entry<V>> get(K key);

    /** All that holds now; a copy. */
    Map<K, Entry<V>> entries();

    /** Tells all present entries, then {@link Listener#ready} once, then each change. */
    Watch watch(Listener<K, V> listener);

    /** Takes back all own entries and stops listening. */
    @Override
    void close();

    /**
     * A value and who said it.
     *
     * @param incarnation of the host's session, as in its alive node
     */
    record Entry<V>(V value, UUID host, long incarnation) {}

    /** Called by one thread, the store's own; must not block. */
    interface Listener<K, V> {
        /**
         * @param value what holds now, or null when nothing does any more
         * @param host who said it, or who said what is gone
         * @param ownerDied the entry went with its owner's session, rather than being taken back
         */
        void changed(K key, @Nullable V value, UUID host, long incarnation, boolean ownerDied);

        /** Everything that was there at the start has been told. */
        default void ready() {}
    }
}
