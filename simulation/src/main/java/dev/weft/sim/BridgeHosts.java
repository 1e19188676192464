package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.topology.VlanRange;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;

/** Which VLANs of a bridge each host's exterior ports carry. Immutable. */
@HotPath
final class BridgeHosts {
    private static final int MAX_TRUNK_VLANS = 32;

    private final Map<UUID, List<PortVlans>> vlans;
    private final boolean allPlain;
    private final int[] trunkVlans;

    /** @param vlans the ports' of each host, each once */
    BridgeHosts(Map<UUID, List<PortVlans>> vlans) {
        this.vlans = vlans;
        allPlain = vlans.values().stream().flatMap(List::stream).allMatch(PortVlans::isPlain);
        List<PortVlans> trunks = vlans.values().stream()
                .flatMap(List::stream)
                .filter(PortVlans::isTrunk)
                .distinct()
                .toList();
        trunkVlans = IntStream.rangeClosed(VlanRange.MIN, VlanRange.MAX)
                .filter(vlan -> trunks.stream().anyMatch(trunk -> trunk.form(vlan) == PortVlans.TAGGED))
                .limit(MAX_TRUNK_VLANS)
                .toArray();
    }

    /** Those that trunk ports name: some of them, where they are many. */
    int[] trunkVlans() {
        return trunkVlans;
    }

    /** Every exterior port passes all frames as they are. */
    boolean allPlain() {
        return allPlain;
    }

    /** Whether a port of the host carries the VLAN; a host that is not known yet may. */
    boolean takes(UUID host, int vlan) {
        if (allPlain) {
            return true;
        }
        List<PortVlans> ports = vlans.get(host);
        if (ports == null) {
            return true;
        }
        for (int i = 0; i < ports.size(); i++) {
            if (ports.get(i).form(vlan) != PortVlans.NONE) {
                return true;
            }
        }
        return false;
    }
}
