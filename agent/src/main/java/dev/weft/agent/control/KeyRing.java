package dev.weft.agent.control;

import dev.weft.topology.TunnelKeys;
import java.util.HashMap;
import java.util.Map;

/**
 * The tunnel keys of this host by what they stand for: the same port keeps its key while the agent runs, however often
 * its interface comes and goes. Not thread safe: touched only by the topology actor.
 */
final class KeyRing {
    private final TunnelKeys keys;
    private final Map<Object, Integer> byTarget = new HashMap<>();

    KeyRing(TunnelKeys keys) {
        this.keys = keys;
    }

    /**
     * {@link TunnelKeys#NONE} when all are taken.
     *
     * @param target a port's id, or a {@link FloodDomain}
     */
    int keyOf(Object target) {
        return byTarget.computeIfAbsent(target, fresh -> keys.allocate());
    }

    void release(Object target) {
        Integer key = byTarget.remove(target);
        if (key != null) {
            keys.release(key);
        }
    }
}
