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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One key for each bridge and VLAN that has ports here: others send one copy of a flood by it. Not thread safe: touched only by
 * the topology actor.
 */
final class FloodKeys {
    private static final Logger LOG = LoggerFactory.getLogger(FloodKeys.class);
    private static final int NONE = -1;

    private final Site site;
    private final KeyRing ring;
    private final StateTable<TunnelTarget, Integer> table;
    private final Map<FloodDomain, Integer> open = new HashMap<>();

    FloodKeys(Site site, KeyRing ring, StateTable<TunnelTarget, Integer> table) {
        this.site = site;
        this.ring = ring;
        this.table = table;
    }

    void follow(Set<FloodDomain> domains) {
        for (FloodDomain gone : Set.copyOf(new HashSet<>(open.keySet()))) {
            if (!domains.contains(gone)) {
                close(gone);
            }
        }
        var fresh = new ArrayList<FloodDomain>();
        for (FloodDomain domain : domains) {
            if (!open.containsKey(domain) && open(domain)) {
                fresh.add(domain);
            }
        }
        if (!fresh.isEmpty()) {
            // The workers know the keys before anybody else does.
            site.crew.settle();
            fresh.forEach(domain -> table.put(target(domain), open.get(domain)));
        }
    }

    private boolean open(FloodDomain domain) {
        int key = ring.keyOf(domain.toString());
        if (key == TunnelKeys.NONE) {
            LOG.error(
                    "no tunnel key is left for floods on bridge {} in VLAN {}; others cannot flood it to this host",
                    domain.bridge(),
                    domain.vlan());
            return false;
        }
        open.put(domain, key);
        tell(domain, key);
        site.datapath.bindTunnelKey(key, Datapath.TO_WORKER);
        return true;
    }

    private void close(FloodDomain domain) {
        table.remove(target(domain));
        site.datapath.unbindTunnelKey(open.remove(domain));
        tell(domain, NONE);
        ring.release(domain.toString());
    }

    private void tell(FloodDomain domain, int key) {
        site.crew.tell(new Command.FloodKey(site.network().bridgeIndex(domain.bridge()), domain.vlan(), key));
    }

    private TunnelTarget target(FloodDomain domain) {
        return new TunnelTarget(TunnelTarget.What.FLOOD, domain.bridge(), site.host, domain.vlan());
    }
}
