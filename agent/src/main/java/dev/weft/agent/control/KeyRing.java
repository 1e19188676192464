package dev.weft.agent.control;

import dev.weft.topology.TunnelKeys;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * The tunnel keys of this host by what they stand for: the same port keeps its key while the agent runs, however often
 * its interface comes and goes. Not thread safe: touched only by the topology actor.
 */
final class KeyRing {
    private final TunnelKeys keys;
    private final Map<UUID, Integer> byId = new HashMap<>();

    KeyRing(TunnelKeys keys) {
        this.keys = keys;
    }

    /** {@link TunnelKeys#NONE} when all are taken. */
    int keyOf(UUID portOrBridge) {
        return byId.computeIfAbsent(portOrBridge, id -> keys.allocate());
    }

    void release(UUID portOrBridge) {
        Integer key = byId.remove(portOrBridge);
        if (key != null) {
            keys.release(key);
        }
    }
}
