package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Service;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Which hosts have to know a change: those with an exterior port in any part of the virtual network that it touches,
 * before or after. Parts are devices joined by peered ports; a host elsewhere would simulate as before. What is no part
 * of a device itself, a chain or a group, touches the devices of all that refer to it, directly or through others.
 */
public final class HostsConcerned {
    private final TopologySnapshot snapshot;
    private final Map<String, Set<Message>> referrers = new HashMap<>();

    private HostsConcerned(TopologySnapshot snapshot) {
        this.snapshot = snapshot;
    }

    /** @param transaction what was applied between the two */
    public static Set<UUID> of(TopologySnapshot before, TopologySnapshot after, Transaction transaction) {
        var hosts = new TreeSet<UUID>();
        for (TopologySnapshot snapshot : List.of(before, after)) {
            hosts.addAll(new HostsConcerned(snapshot).concerned(transaction));
        }
        return hosts;
    }

    private Set<UUID> concerned(Transaction transaction) {
        var hosts = new HashSet<UUID>();
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
            snapshot.find(ref.kind(), ref.id()).ifPresent(object -> devices.addAll(devicesOf(object)));
        }
        hosts.addAll(reachedFrom(snapshot, devices));
        return hosts;
    }

    /** Ids of the bridges and routers that an object is, or stands on, or owns, or has an effect on. */
    private List<String> devicesOf(Message object) {
        ObjectKind kind = Schema.kindOf(object);
        String id = kind.idField().text(object);
        return switch (kind.name()) {
            case "bridge", "router" -> List.of(id);
            case "port" -> devicesOf((Port) object);
            case "tenant" -> ofTenant(id);
            case "service" -> ofTenant(((Service) object).getTenantId()); // all its routers are asked for its name
            case "host" ->
                snapshot.ports().stream()
                        .filter(port -> port.getHostId().equals(id))
                        .map(HostsConcerned::deviceOf)
                        .toList();
            default -> {
                // Whatever refers to a device belongs to it: a route to its router.
                var devices = new ArrayList<String>();
                References.visit(kind, object, (field, path, to) -> {
                    if (Set.of("bridge", "router").contains(referredKind(field))) {
                        devices.add(to);
                    }
                });
                devices.addAll(ofReferrers(id));
                yield devices;
            }
        };
    }

    /** A port is in groups that rules elsewhere look at. */
    private List<String> devicesOf(Port port) {
        var devices = new ArrayList<>(List.of(deviceOf(port)));
        References.visit(Schema.kindOf(port), port, (field, path, to) -> {
            if (referredKind(field).endsWith("group")) {
                devices.addAll(ofReferrers(to));
            }
        });
        return devices;
    }

    private static String referredKind(FieldRule field) {
        return field.reference() == null ? "" : field.reference().getTo();
    }

    /** Devices of all that refer to the object, or to what refers to it. */
    private Set<String> ofReferrers(String id) {
        if (referrers.isEmpty()) {
            indexReferrers();
        }
        var devices = new LinkedHashSet<String>();
        var seen = new HashSet<String>();
        var open = new ArrayDeque<>(List.of(id));
        while (!open.isEmpty()) {
            String next = open.remove();
            if (!seen.add(next)) {
                continue;
            }
            for (Message referrer : referrers.getOrDefault(next, Set.of())) {
                ObjectKind kind = Schema.kindOf(referrer);
                switch (kind.name()) {
                    case "bridge", "router" -> devices.add(kind.idField().text(referrer));
                    case "port" -> devices.add(deviceOf((Port) referrer));
                    default -> open.add(kind.idField().text(referrer));
                }
            }
        }
        return devices;
    }

    private void indexReferrers() {
        for (ObjectKind kind : Schema.kinds()) {
            for (Message object : snapshot.all(kind)) {
                References.visit(
                        kind,
                        object,
                        (field, path, to) -> referrers
                                .computeIfAbsent(to, key -> new LinkedHashSet<>())
                                .add(object));
            }
        }
    }

    private List<String> ofTenant(String tenant) {
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
