package dev.weft.agent.control;

import dev.weft.agent.worker.Command;
import dev.weft.datapath.Datapath;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind.TunnelTarget;
import dev.weft.topology.TunnelKeys;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One key for each bridge that has ports here: others send one copy of a flood by it. Not thread safe: touched only by
 * the topology actor.
 */
final class FloodKeys {
    private static final Logger LOG = LoggerFactory.getLogger(FloodKeys.class);
    private static final int NONE = -1;

    private final Site site;
    private final KeyRing ring;
    private final StateTable<TunnelTarget, Integer> table;
    private final Map<UUID, Integer> open = new HashMap<>();

    FloodKeys(Site site, KeyRing ring, StateTable<TunnelTarget, Integer> table) {
        this.site = site;
        this.ring = ring;
        this.table = table;
    }

    void follow(Set<UUID> bridges) {
        for (UUID gone : Set.copyOf(new HashSet<>(open.keySet()))) {
            if (!bridges.contains(gone)) {
                close(gone);
            }
        }
        var fresh = new ArrayList<UUID>();
        for (UUID bridge : bridges) {
            if (!open.containsKey(bridge) && open(bridge)) {
                fresh.add(bridge);
            }
        }
        if (!fresh.isEmpty()) {
            // The workers know the keys before anybody else does.
            site.crew.settle();
            fresh.forEach(bridge -> table.put(target(bridge), open.get(bridge)));
        }
    }

    private boolean open(UUID bridge) {
        int key = ring.keyOf(bridge);
        if (key == TunnelKeys.NONE) {
            LOG.error("no tunnel key is left for floods on bridge {}; others cannot flood it to this host", bridge);
            return false;
        }
        open.put(bridge, key);
        site.crew.tell(new Command.FloodKey(site.network().bridgeIndex(bridge), key));
        site.datapath.bindTunnelKey(key, Datapath.TO_WORKER);
        return true;
    }

    private void close(UUID bridge) {
        table.remove(target(bridge));
        site.datapath.unbindTunnelKey(open.remove(bridge));
        site.crew.tell(new Command.FloodKey(site.network().bridgeIndex(bridge), NONE));
        ring.release(bridge);
    }

    private TunnelTarget target(UUID bridge) {
        return new TunnelTarget(TunnelTarget.What.FLOOD, bridge, site.host);
    }
}
