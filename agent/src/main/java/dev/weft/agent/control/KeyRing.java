package dev.weft.agent.control;

import dev.weft.topology.TunnelKeys;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The tunnel keys of this host by what they stand for: the same port keeps its key while the datapath lives, however
 * often its interface or the agent comes and goes. Not thread safe: touched only by the topology actor once it began.
 */
public final class KeyRing {
    private final TunnelKeys keys;
    private final KeyFile file;
    private final int epoch;
    private final int run;
    private final Map<String, Integer> byTarget;

    private KeyRing(TunnelKeys keys, KeyFile file, int epoch, int run, Map<String, Integer> byTarget) {
        this.keys = keys;
        this.file = file;
        this.epoch = epoch;
        this.run = run;
        this.byTarget = byTarget;
    }

    /** The keys that this very datapath knows; empty when they are lost, or it is another datapath. */
    public static Optional<KeyRing> restore(Path path, long incarnation) {
        return KeyFile.read(path)
                .filter(content -> content.incarnation() == incarnation)
                .map(content -> {
                    var keys = new TunnelKeys(content.epoch());
                    content.keys().values().forEach(keys::restore);
                    if (content.lastGiven() != 0 && !content.keys().containsValue(content.lastGiven())) {
                        keys.restore(content.lastGiven());
                        keys.release(content.lastGiven());
                    }
                    int run = content.run() + 1;
                    var next =
                            new KeyFile.Content(incarnation, content.epoch(), run, content.keys(), content.lastGiven());
                    return new KeyRing(
                            keys, KeyFile.write(path, next), content.epoch(), run, new HashMap<>(content.keys()));
                });
    }

    /** @param epoch raised for this: no key of an earlier epoch is known any more */
    public static KeyRing fresh(Path path, long incarnation, int epoch) {
        var content = new KeyFile.Content(incarnation, epoch, 0, new LinkedHashMap<>(), 0);
        return new KeyRing(new TunnelKeys(epoch), KeyFile.write(path, content), epoch, 0, new HashMap<>());
    }

    /** Larger each time an agent begins, by signed subtraction: the epoch of the connections it creates. */
    public int connectionEpoch() {
        return epoch << 16 | run & 0xffff;
    }

    /**
     * {@link TunnelKeys#NONE} when all are taken.
     *
     * @param target a port's id, or a {@link FloodDomain}, as text
     */
    int keyOf(String target) {
        Integer known = byTarget.get(target);
        if (known != null) {
            return known;
        }
        int key = keys.allocate();
        if (key != TunnelKeys.NONE) {
            byTarget.put(target, key);
            file.given(target, key);
        }
        return key;
    }

    void release(String target) {
        Integer key = byTarget.remove(target);
        if (key != null) {
            keys.release(key);
            file.givenBack(target, key);
        }
    }
}
