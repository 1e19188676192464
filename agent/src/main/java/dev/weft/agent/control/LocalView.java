package dev.weft.agent.control;

import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Port;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What one host needs of a topology: the ports it is to carry, the bridges they are on, and every device a packet from
 * one of them can come to, across peers. A host follows the tables of these devices and of no others. Immutable.
 *
 * @param ports exterior ports bound to this host, by id
 * @param bridges within reach
 * @param routers within reach
 * @param floods what the exterior ports here take floods of
 */
record LocalView(Map<UUID, Port> ports, Set<UUID> bridges, Set<UUID> routers, Set<FloodDomain> floods) {
    static final LocalView EMPTY = new LocalView(Map.of(), Set.of(), Set.of(), Set.of());

    LocalView {
        ports = Map.copyOf(ports);
        bridges = Set.copyOf(bridges);
        routers = Set.copyOf(routers);
        floods = Set.copyOf(floods);
    }

    /** @param more ports that are this host's and not in the topology */
    static LocalView of(TopologySnapshot snapshot, UUID host, Map<UUID, Port> more) {
        String hostId = host.toString();
        var local = new HashMap<>(more);
        var portsOf = new HashMap<String, Set<Port>>();
        for (Port port : snapshot.ports()) {
            portsOf.computeIfAbsent(device(port), device -> new HashSet<>()).add(port);
            if (port.getHostId().equals(hostId)) {
                local.put(UUID.fromString(port.getId()), port);
            }
        }
        Set<String> reached = reach(snapshot, local, portsOf);
        return new LocalView(
                local,
                only(reached, id -> snapshot.bridge(id).isPresent()),
                only(reached, id -> snapshot.router(id).isPresent()),
                local.values().stream()
                        .filter(port -> !port.getBridgeId().isEmpty())
                        .flatMap(FloodDomain::of)
                        .collect(Collectors.toSet()));
    }

    private static Set<String> reach(TopologySnapshot snapshot, Map<UUID, Port> local, Map<String, Set<Port>> portsOf) {
        var reached = new HashSet<String>();
        var open = new ArrayDeque<String>();
        local.values().forEach(port -> open.add(device(port)));
        while (!open.isEmpty()) {
            String device = open.remove();
            if (!reached.add(device)) {
                continue;
            }
            for (Port port : portsOf.getOrDefault(device, Set.of())) {
                if (!port.getPeerId().isEmpty()) {
                    snapshot.port(UUID.fromString(port.getPeerId())).ifPresent(peer -> open.add(device(peer)));
                }
            }
        }
        return reached;
    }

    private static String device(Port port) {
        return port.getBridgeId().isEmpty() ? port.getRouterId() : port.getBridgeId();
    }

    private static Set<UUID> only(Set<String> ids, Predicate<UUID> kind) {
        return ids.stream().map(UUID::fromString).filter(kind).collect(Collectors.toSet());
    }
}
