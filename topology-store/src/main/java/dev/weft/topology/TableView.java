package dev.weft.topology;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the names in a table say: all opinions on each key, and the newest of them, which holds. Adding or removing a
 * name twice changes nothing. Owned by one thread; what holds may be read by anyone.
 */
final class TableView<K, V> {
    // Immutable.
    private final TableKind<K, V> kind;
    private final UUID self;
    private final TableCounters counters;
    // Shared.
    private final Map<K, StateTable.Entry<V>> holding = new ConcurrentHashMap<>();
    private final Listeners<StateTable.Listener<K, V>> listeners = new Listeners<>();
    // Owned by the thread.
    private final Map<String, Opinion<K, V>> byName = new HashMap<>();
    private final Map<K, Set<String>> namesByKey = new HashMap<>();
    private final Map<K, V> localOnly = new HashMap<>();
    private boolean ready;

    /** A name and what it says. */
    record Opinion<K, V>(K key, V value, EntryName name) {}

    TableView(TableKind<K, V> kind, UUID self, TableCounters counters) {
        this.kind = kind;
        this.self = self;
        this.counters = counters;
    }

    Optional<StateTable.Entry<V>> get(K key) {
        return Optional.ofNullable(holding.get(key));
    }

    Map<K, StateTable.Entry<V>> entries() {
        return Map.copyOf(holding);
    }

    void listen(StateTable.Listener<K, V> listener) {
        Listeners.tell(
                listener,
                l -> holding.forEach(
                        (key, entry) -> l.changed(key, entry.value(), entry.host(), entry.incarnation(), false)));
        if (ready) {
            Listeners.tell(listener, StateTable.Listener::ready);
        }
        listeners.add(listener);
    }

    void unlisten(StateTable.Listener<K, V> listener) {
        listeners.remove(listener);
    }

    /** All that was there at the start has been added. */
    void ready() {
        if (!ready) {
            ready = true;
            listeners.each(StateTable.Listener::ready);
        }
    }

    /** The key of the name, or null when it cannot be read. */
    @Nullable
    K add(String name) {
        Opinion<K, V> known = byName.get(name);
        if (known != null) {
            return known.key;
        }
        Opinion<K, V> opinion = EntryName.parse(name).flatMap(this::opinion).orElse(null);
        if (opinion == null) {
            counters.malformed.increment();
            return null;
        }
        byName.put(name, opinion);
        namesByKey.computeIfAbsent(opinion.key, key -> new HashSet<>()).add(name);
        settle(opinion.key, false);
        return opinion.key;
    }

    /** @return what the name said, or null when it was not there */
    @Nullable
    Opinion<K, V> remove(String name, boolean ownerDied) {
        Opinion<K, V> gone = byName.remove(name);
        if (gone == null) {
            return null;
        }
        Set<String> names = Objects.requireNonNull(namesByKey.get(gone.key));
        names.remove(name);
        if (names.isEmpty()) {
            namesByKey.remove(gone.key);
        }
        settle(gone.key, ownerDied);
        return gone;
    }

    /** Known here only; null takes it back. */
    void setLocalOnly(K key, @Nullable V value) {
        if (value == null) {
            localOnly.remove(key);
        } else {
            localOnly.put(key, value);
        }
        settle(key, false);
    }

    @Nullable
    Opinion<K, V> opinion(String name) {
        return byName.get(name);
    }

    /** All names there are; a copy. */
    Set<String> names() {
        return Set.copyOf(byName.keySet());
    }

    /** Names by which this host speaks of the key; a copy. */
    List<String> ownNames(K key) {
        return namesByKey.getOrDefault(key, Set.of()).stream()
                .filter(name ->
                        Objects.requireNonNull(byName.get(name)).name.host().equals(self))
                .toList();
    }

    private Optional<Opinion<K, V>> opinion(EntryName name) {
        return kind.keys()
                .decode(name.key().array())
                .flatMap(key ->
                        kind.values().decode(name.value().array()).map(value -> new Opinion<>(key, value, name)));
    }

    /** Finds what holds now and tells it when it differs from before. */
    private void settle(K key, boolean ownerDied) {
        @Nullable Opinion<K, V> newest = null;
        for (String name : namesByKey.getOrDefault(key, Set.of())) {
            Opinion<K, V> opinion = Objects.requireNonNull(byName.get(name));
            if (newest == null || opinion.name.isNewerThan(newest.name)) {
                newest = opinion;
            }
        }
        StateTable.Entry<V> before = holding.get(key);
        StateTable.@Nullable Entry<V> now = null;
        if (newest != null) {
            now = new StateTable.Entry<>(newest.value, newest.name.host(), newest.name.incarnation());
        } else if (localOnly.containsKey(key)) {
            now = new StateTable.Entry<>(Objects.requireNonNull(localOnly.get(key)), self, 0);
        }
        if (Objects.equals(before, now)) {
            return;
        }
        if (now == null) {
            holding.remove(key);
            StateTable.Entry<V> gone = Objects.requireNonNull(before);
            listeners.each(l -> l.changed(key, null, gone.host(), gone.incarnation(), ownerDied));
        } else {
            holding.put(key, now);
            StateTable.Entry<V> entry = now;
            listeners.each(l -> l.changed(key, entry.value(), entry.host(), entry.incarnation(), false));
        }
    }
}
