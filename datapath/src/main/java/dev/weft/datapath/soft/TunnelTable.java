package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.TunnelKeyRules;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.agrona.collections.Int2IntHashMap;

/** Own tunnel keys and known peers. Read by any thread from tables that are replaced whole. */
final class TunnelTable {
    static final int UNBOUND = Integer.MIN_VALUE;

    private volatile Int2IntHashMap targets = new Int2IntHashMap(UNBOUND);
    private volatile AddressMap<IpAddress> peers = AddressMap.of(Map.of());
    // Guarded by this: keys that survived and were not bound again yet.
    private final Set<Integer> unadopted = new HashSet<>();

    /** The port of the key, {@link Datapath#TO_WORKER}, or {@link #UNBOUND}. */
    @HotPath
    int target(int key) {
        return targets.get(key);
    }

    @HotPath
    boolean isPeer(long high, long low) {
        return peers.get(high, low) != null;
    }

    synchronized void bind(int key, int target) {
        TunnelKeyRules.check(key, target);
        unadopted.remove(key);
        replace(copy -> copy.put(key, target));
    }

    /** Who bound the keys is gone; they stay. */
    synchronized void orphanAll() {
        targets.keySet().forEach(unadopted::add);
    }

    synchronized void unbindOrphans() {
        unadopted.forEach(key -> replace(copy -> copy.remove(key)));
        unadopted.clear();
    }

    synchronized void unbind(int key) {
        unadopted.remove(key);
        replace(copy -> copy.remove(key));
    }

    private void replace(Consumer<Int2IntHashMap> change) {
        var copy = new Int2IntHashMap(targets);
        change.accept(copy);
        targets = copy;
    }

    void setPeers(Set<IpAddress> addresses) {
        var map = new HashMap<IpAddress, IpAddress>();
        addresses.forEach(address -> map.put(address, address));
        peers = AddressMap.of(map);
    }
}
