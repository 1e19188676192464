package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Which hosts have to know a change: those with an exterior port in any part of the virtual network that it touches,
 * before or after. Parts are devices joined by peered ports; a host elsewhere would simulate as before.
 */
public final class HostsConcerned {
    private HostsConcerned() {}

    /** @param transaction what was applied between the two */
    public static Set<UUID> of(TopologySnapshot before, TopologySnapshot after, Transaction transaction) {
        var hosts = new TreeSet<UUID>();
        for (TopologySnapshot snapshot : List.of(before, after)) {
            var devices = new ArrayDeque<String>();
            for (Transaction.Operation operation : transaction.operations()) {
                ObjectRef ref =
                        switch (operation) {
                            case Transaction.Put put -> ObjectRef.of(put.object());
                            case Transaction.Delete delete -> new ObjectRef(delete.kind(), delete.id());
                        };
                if (ref.kind() == Schema.kindOf(Host.class)) {
                    hosts.add(ref.id());
                }
                snapshot.find(ref.kind(), ref.id()).ifPresent(object -> devices.addAll(devicesOf(snapshot, object)));
            }
            hosts.addAll(reachedFrom(snapshot, devices));
        }
        return hosts;
    }

    /** Ids of the bridges and routers that an object is, or stands on, or owns. */
    private static List<String> devicesOf(TopologySnapshot snapshot, Message object) {
        ObjectKind kind = Schema.kindOf(object);
        String id = kind.idField().text(object);
        return switch (kind.name()) {
            case "bridge", "router" -> List.of(id);
            case "port" -> List.of(deviceOf((Port) object));
            case "tenant" -> ofTenant(snapshot, id);
            case "host" ->
                snapshot.ports().stream()
                        .filter(port -> port.getHostId().equals(id))
                        .map(HostsConcerned::deviceOf)
                        .toList();
            default ->
                // Whatever refers to a device belongs to it: a route to its router.
                kind.references().stream()
                        .filter(field -> Set.of("bridge", "router")
                                .contains(
                                        field.reference() == null
                                                ? ""
                                                : field.reference().getTo()))
                        .map(field -> field.text(object))
                        .toList();
        };
    }

    private static List<String> ofTenant(TopologySnapshot snapshot, String tenant) {
        var devices = new ArrayList<String>();
        snapshot.bridges().stream().filter(b -> b.getTenantId().equals(tenant)).forEach(b -> devices.add(b.getId()));
        snapshot.routers().stream().filter(r -> r.getTenantId().equals(tenant)).forEach(r -> devices.add(r.getId()));
        return devices;
    }

    private static String deviceOf(Port port) {
        return port.getBridgeId().isEmpty() ? port.getRouterId() : port.getBridgeId();
    }

    private static Set<UUID> reachedFrom(TopologySnapshot snapshot, ArrayDeque<String> devices) {
        Map<String, List<Port>> ports = new HashMap<>();
        snapshot.ports()
                .forEach(port -> ports.computeIfAbsent(deviceOf(port), device -> new ArrayList<>())
                        .add(port));
        var hosts = new HashSet<UUID>();
        var seen = new HashSet<String>();
        while (!devices.isEmpty()) {
            String device = devices.remove();
            if (!seen.add(device)) {
                continue;
            }
            for (Port port : ports.getOrDefault(device, List.of())) {
                if (!port.getHostId().isEmpty()) {
                    hosts.add(UUID.fromString(port.getHostId()));
                }
                if (!port.getPeerId().isEmpty()) {
                    snapshot.port(UUID.fromString(port.getPeerId()))
                            .map(HostsConcerned::deviceOf)
                            .ifPresent(devices::add);
                }
            }
        }
        return hosts;
    }
}
