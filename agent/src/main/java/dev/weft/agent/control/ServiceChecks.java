package dev.weft.agent.control;

import dev.weft.agent.health.Target;
import dev.weft.base.IpAddress;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.ServiceCheck;
import dev.weft.topology.schema.ServiceTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Which instances of services are asked whether they are well, and through which router: as the checks of their tenant's
 * service tables say. Immutable.
 */
final class ServiceChecks {
    static final ServiceChecks NONE = new ServiceChecks(TopologySnapshot.EMPTY, Map.of());

    private final TopologySnapshot snapshot;
    /** By tenant, the longest prefix first. */
    private final Map<String, List<Check>> checks;

    /** @param router through which it is asked: one that has the table */
    record Check(UUID table, UUID router, ServicePrefix prefix, Health health) {
        Target target(InstanceValue instance) {
            IpAddress address = IpAddress.ofV4(instance.address());
            return HealthTargets.target(table, router, address, health.getPort(), health.getPort(), health);
        }
    }

    private ServiceChecks(TopologySnapshot snapshot, Map<String, List<Check>> checks) {
        this.snapshot = snapshot;
        this.checks = checks;
    }

    static ServiceChecks of(TopologySnapshot snapshot) {
        Map<String, String> routerOfTable = new HashMap<>();
        for (Router router : snapshot.routers()) {
            if (!router.getServiceTableId().isEmpty()) {
                routerOfTable.merge(
                        router.getServiceTableId(),
                        router.getId(),
                        (one, other) -> one.compareTo(other) < 0 ? one : other);
            }
        }
        Map<String, List<Check>> checks = new HashMap<>();
        for (ServiceTable table : snapshot.all(ServiceTable.class)) {
            String router = routerOfTable.get(table.getId());
            if (router != null) {
                for (ServiceCheck check : table.getChecksList()) {
                    checks.computeIfAbsent(table.getTenantId(), tenant -> new ArrayList<>())
                            .add(new Check(
                                    UUID.fromString(table.getId()),
                                    UUID.fromString(router),
                                    ServicePrefix.parse(check.getPrefix()),
                                    check.getHealth()));
                }
            }
        }
        Comparator<Check> longestFirst =
                Comparator.comparingInt(check -> -check.prefix().bits());
        checks.values().forEach(each -> each.sort(longestFirst.thenComparing(Check::table)));
        return new ServiceChecks(snapshot, checks);
    }

    /** Those that have checks. */
    Set<UUID> tables() {
        Set<UUID> tables = new HashSet<>();
        checks.values().forEach(each -> each.forEach(check -> tables.add(check.table())));
        return tables;
    }

    /** The check that an instance has to pass. */
    Optional<Check> of(InstanceKey key) {
        if (checks.isEmpty()) {
            return Optional.empty();
        }
        return snapshot.find(Port.class, key.port()).map(Port::getTenantId).stream()
                .flatMap(tenant -> checks.getOrDefault(tenant, List.of()).stream())
                .filter(check -> check.prefix().contains(key.prefix()))
                .findFirst();
    }

    /** Who is asked, of these instances. */
    Set<Target> targets(Map<InstanceKey, InstanceValue> instances) {
        Set<Target> targets = new HashSet<>();
        instances.forEach((key, value) -> of(key).ifPresent(check -> targets.add(check.target(value))));
        return targets;
    }
}
