package dev.weft.sim;

import dev.weft.base.HotPath;
import java.util.Arrays;
import java.util.UUID;
import org.agrona.collections.Int2IntHashMap;
import org.agrona.collections.Int2ObjectHashMap;

/**
 * Where floods go, and which keys of ours they come with: each for a bridge and a VLAN. Not thread safe: touched only by
 * its worker thread. Lookups allocate nothing; it grows with the topology.
 */
@HotPath
final class FloodTable {
    private static final Tables.FloodTarget[] NO_TARGETS = {};
    private static final int VLAN_BITS = 12;
    private static final int VLAN_MASK = (1 << VLAN_BITS) - 1;
    private static final int MAX_BRIDGE = Integer.MAX_VALUE >>> VLAN_BITS;

    private final Int2ObjectHashMap<Tables.FloodTarget[]> targets = new Int2ObjectHashMap<>();
    private final Int2IntHashMap keys = new Int2IntHashMap(Tables.NONE);
    private final Int2IntHashMap domains = new Int2IntHashMap(Tables.NONE);

    boolean setTarget(int bridge, int vlan, Tables.FloodTarget target) {
        int domain = domain(bridge, vlan);
        Tables.FloodTarget[] before = targets(bridge, vlan);
        for (int i = 0; i < before.length; i++) {
            if (before[i].host().equals(target.host())) {
                boolean changed = !before[i].equals(target);
                before[i] = target;
                return changed;
            }
        }
        Tables.FloodTarget[] after = Arrays.copyOf(before, before.length + 1);
        after[before.length] = target;
        // One order for all workers and runs, whatever the order of arrival.
        Arrays.sort(after, (a, b) -> a.host().compareTo(b.host()));
        targets.put(domain, after);
        return true;
    }

    boolean clearTarget(int bridge, int vlan, UUID host) {
        Tables.FloodTarget[] before = targets(bridge, vlan);
        Tables.FloodTarget[] after = Arrays.stream(before)
                .filter(target -> !target.host().equals(host))
                .toArray(Tables.FloodTarget[]::new);
        if (after.length == before.length) {
            return false;
        }
        if (after.length == 0) {
            targets.remove(domain(bridge, vlan));
        } else {
            targets.put(domain(bridge, vlan), after);
        }
        return true;
    }

    Tables.FloodTarget[] targets(int bridge, int vlan) {
        Tables.FloodTarget[] found = targets.get(domain(bridge, vlan));
        return found == null ? NO_TARGETS : found;
    }

    boolean setOwnKey(int bridge, int vlan, int key) {
        int domain = domain(bridge, vlan);
        int before = keys.get(domain);
        if (before == key) {
            return false;
        }
        if (before != Tables.NONE) {
            domains.remove(before);
        }
        if (key == Tables.NONE) {
            keys.remove(domain);
        } else {
            keys.put(domain, key);
            domains.put(key, domain);
        }
        return true;
    }

    int ownKey(int bridge, int vlan) {
        return keys.get(domain(bridge, vlan));
    }

    int bridgeOf(int key) {
        int domain = domains.get(key);
        return domain == Tables.NONE ? Tables.NONE : domain >>> VLAN_BITS;
    }

    int vlanOf(int key) {
        return domains.get(key) & VLAN_MASK;
    }

    private static int domain(int bridge, int vlan) {
        if (bridge < 0 || bridge > MAX_BRIDGE || vlan < 0 || vlan > VLAN_MASK) {
            throw new IllegalArgumentException(
                    "bridge " + bridge + ", VLAN " + vlan + " (expected 0.." + MAX_BRIDGE + ", 0..4095)");
        }
        return bridge << VLAN_BITS | vlan;
    }
}
