package dev.weft.agent.control;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What this host wrote into one table, by the VM's port that taught it: a port has its limit, and what it taught goes
 * with it. Not thread safe: touched only by its actor.
 *
 * @param <K> the table's keys
 */
final class Learned<K> {
    private final int perPort;
    private final Map<UUID, Set<K>> byPort = new HashMap<>();
    private final Map<K, UUID> portOf = new HashMap<>();
    private long overLimit;

    Learned(int perPort) {
        this.perPort = perPort;
    }

    /** Whether the port may write this; if so it counts from now on. */
    boolean admit(UUID port, K key) {
        UUID before = portOf.get(key);
        if (port.equals(before)) {
            return true;
        }
        Set<K> keys = byPort.computeIfAbsent(port, p -> new HashSet<>());
        if (keys.size() >= perPort) {
            overLimit++;
            return false;
        }
        forget(key);
        keys.add(key);
        portOf.put(key, port);
        return true;
    }

    void forget(K key) {
        UUID port = portOf.remove(key);
        if (port != null) {
            byPort.get(port).remove(key);
        }
    }

    /** The port taught the key: it no longer counts. False when another did, or nobody. */
    boolean forget(UUID port, K key) {
        boolean taught = port.equals(portOf.get(key));
        if (taught) {
            forget(key);
        }
        return taught;
    }

    /** The port is gone: what it taught, and no longer counts. */
    List<K> forgetPort(UUID port) {
        Set<K> keys = byPort.remove(port);
        if (keys == null) {
            return List.of();
        }
        keys.forEach(portOf::remove);
        return List.copyOf(keys);
    }

    /** Whether this host wrote the key. */
    boolean contains(K key) {
        return portOf.containsKey(key);
    }

    /** Entries refused. */
    long overLimit() {
        return overLimit;
    }
}
