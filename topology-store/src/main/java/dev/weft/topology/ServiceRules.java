package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.InstanceShare;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.ServiceBlock;
import dev.weft.topology.schema.ServiceCheck;
import dev.weft.topology.schema.ServiceEntry;
import dev.weft.topology.schema.ServiceInstance;
import dev.weft.topology.schema.ServiceRule;
import dev.weft.topology.schema.ServiceTable;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;

/** Whose services are whose, and what a rule must say so that a service table can follow it. */
final class ServiceRules {
    private static final int MAX_WEIGHT = 0xffff;
    /** Of one port; as many as it may register. */
    private static final int MAX_INSTANCES = 64;
    /** An instance is to be missed within 200 ms. */
    private static final int LEAST_INTERVAL_MILLIS = 20;

    private final Draft draft;
    private final Rules.Report report;

    ServiceRules(Draft draft, Rules.Report report) {
        this.draft = draft;
        this.report = report;
    }

    void checkBlock(ObjectRef ref, ServiceBlock block) {
        var prefix = ServicePrefix.parse(block.getPrefix());
        draft.forEach(Schema.kindOf(ServiceBlock.class), (other, object) -> {
            var theirs = (ServiceBlock) object;
            // Where both are touched one of the two reports.
            boolean mine = !draft.isTouched(other) || ref.id().compareTo(other.id()) > 0;
            if (mine
                    && draft.isTouched(ref)
                    && !other.equals(ref)
                    && ServicePrefix.parse(theirs.getPrefix()).overlaps(prefix)) {
                report.of(
                        block,
                        "prefix",
                        block.getPrefix(),
                        "overlaps " + theirs.getPrefix() + " of block '" + theirs.getName()
                                + "' (expected services that are nobody's yet)");
            }
        });
    }

    void checkTable(ServiceTable table) {
        Set<ServicePrefix> seen = new HashSet<>();
        for (int i = 0; i < table.getEntriesCount(); i++) {
            ServiceEntry entry = table.getEntries(i);
            String path = "entries[" + i + "]";
            var prefix = ServicePrefix.parse(entry.getPrefix());
            if (!seen.add(prefix)) {
                report.of(
                        table, path + ".prefix", entry.getPrefix(), "occurs twice (expected one entry with all rules)");
            }
            if (prefix.bits() > 0 && !isGranted(table.getTenantId(), prefix)) {
                report.of(
                        table,
                        path + ".prefix",
                        entry.getPrefix(),
                        "is in no service block of the tenant (expected services that were granted to it, or *)");
            }
            if (entry.getRulesCount() == 0) {
                report.of(table, path + ".rules", "", "missing: an entry has a rule at least");
            }
            checkRules(table, entry, path);
        }
        checkChecks(table);
        checkShares(table);
        if (!table.getRegistrar().isEmpty()
                && ServicePrefix.parse(table.getRegistrar()).bits() != ServiceId.BITS) {
            report.of(table, "registrar", table.getRegistrar(), "expected one service, without a length");
        }
    }

    private void checkShares(ServiceTable table) {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < table.getSharesCount(); i++) {
            InstanceShare share = table.getShares(i);
            String path = "shares[" + i + "]";
            if (!seen.add(share.getPrefix() + " " + share.getAddress())) {
                report.of(
                        table,
                        path + ".address",
                        share.getAddress(),
                        "is there twice with this prefix (expected once)");
            }
            if (!isGranted(table.getTenantId(), ServicePrefix.parse(share.getPrefix()))) {
                report.of(
                        table,
                        path + ".prefix",
                        share.getPrefix(),
                        "is in no service block of the tenant (expected services that were granted to it)");
            }
            if (!IpAddress.parse(share.getAddress()).isV4()) {
                report.of(table, path + ".address", share.getAddress(), "expected one IPv4 address (Serval is IPv4)");
            }
            checkPart(table, path, share.getPriority(), share.getWeight());
        }
    }

    private void checkPart(Message of, String path, int priority, int weight) {
        if (weight < 0 || weight > MAX_WEIGHT) {
            report.of(of, path + ".weight", Integer.toUnsignedString(weight), "expected 1..65535, or 0 for 1");
        }
        if (priority < 0) {
            report.of(of, path + ".priority", Integer.toUnsignedString(priority), "expected 0..2147483647");
        }
    }

    private void checkChecks(ServiceTable table) {
        Set<ServicePrefix> seen = new HashSet<>();
        for (int i = 0; i < table.getChecksCount(); i++) {
            ServiceCheck check = table.getChecks(i);
            String path = "checks[" + i + "]";
            var prefix = ServicePrefix.parse(check.getPrefix());
            if (!seen.add(prefix)) {
                report.of(table, path + ".prefix", check.getPrefix(), "occurs twice (expected one check)");
            }
            if (!isGranted(table.getTenantId(), prefix)) {
                report.of(
                        table,
                        path + ".prefix",
                        check.getPrefix(),
                        "is in no service block of the tenant (expected services that were granted to it)");
            }
            Health health = check.getHealth();
            if (health.getType() == Health.Type.NONE) {
                report.of(table, path + ".health.type", "none", "expected tcp, http or udp");
            }
            if (health.getPort() == 0) {
                report.of(
                        table, path + ".health.port", "0", "missing: a service has no port of its own to be asked at");
            }
            new BalancerRules(draft, (field, value, expected) -> report.of(table, path + "." + field, value, expected))
                    .checkHealth(health, LEAST_INTERVAL_MILLIS);
        }
    }

    void checkPort(Port port) {
        boolean exterior = !port.getHostId().isEmpty() || port.getPeerId().isEmpty();
        for (int i = 0; i < port.getAllowedServicesCount(); i++) {
            String text = port.getAllowedServices(i);
            String path = "allowed_services[" + i + "]";
            if (port.getBridgeId().isEmpty() || !exterior) {
                report.of(port, path, text, "only bridge ports with a host and interface have instances; remove it");
            } else if (!isGranted(port.getTenantId(), ServicePrefix.parse(text))) {
                report.of(
                        port,
                        path,
                        text,
                        "is in no service block of the tenant (expected services that were granted to it)");
            }
        }
    }

    /** What its VM serves: as what it registers, but that naming it allows it. */
    void checkInstances(Port port) {
        boolean exterior = !port.getHostId().isEmpty() || port.getPeerId().isEmpty();
        if (port.getInstancesCount() > 0 && (port.getBridgeId().isEmpty() || !exterior)) {
            report.of(port, "instances", "", "only bridge ports with a host and interface have instances; remove them");
        }
        if (port.getInstancesCount() > MAX_INSTANCES) {
            String count = Integer.toString(port.getInstancesCount());
            report.of(port, "instances", count, "expected " + MAX_INSTANCES + " at most");
        }
        Set<ServicePrefix> seen = new HashSet<>();
        for (int i = 0; i < port.getInstancesCount(); i++) {
            ServiceInstance instance = port.getInstances(i);
            String path = "instances[" + i + "]";
            var prefix = ServicePrefix.parse(instance.getService());
            if (!seen.add(prefix)) {
                report.of(port, path + ".service", instance.getService(), "occurs twice (expected once)");
            }
            if (!isGranted(port.getTenantId(), prefix)) {
                report.of(
                        port,
                        path + ".service",
                        instance.getService(),
                        "is in no service block of the tenant (expected services that were granted to it)");
            }
            checkAddress(port, instance, path);
            checkPart(port, path, instance.getPriority(), instance.getWeight());
        }
    }

    private void checkAddress(Port port, ServiceInstance instance, String path) {
        var own = port.getAddressesList().stream()
                .map(text -> InterfaceAddress.parse(text).address())
                .filter(IpAddress::isV4)
                .toList();
        boolean said = !instance.getAddress().isEmpty();
        boolean fits = said ? own.isEmpty() || own.contains(IpAddress.parse(instance.getAddress())) : !own.isEmpty();
        if (!fits || said && !IpAddress.parse(instance.getAddress()).isV4()) {
            report.of(
                    port,
                    path + ".address",
                    instance.getAddress(),
                    "expected an IPv4 address of the port, or none and a port that says one");
        }
    }

    private boolean isGranted(String tenant, ServicePrefix prefix) {
        return isGranted(draft, tenant, prefix);
    }

    /** Whether the prefix is in a block of the tenant. */
    static boolean isGranted(Draft draft, String tenant, ServicePrefix prefix) {
        boolean[] granted = {false};
        draft.forEach(Schema.kindOf(ServiceBlock.class), (ref, object) -> {
            var block = (ServiceBlock) object;
            granted[0] |= block.getOwnerId().equals(tenant)
                    && ServicePrefix.parse(block.getPrefix()).contains(prefix);
        });
        return granted[0];
    }

    private void checkRules(ServiceTable table, ServiceEntry entry, String path) {
        boolean exclusive = false;
        for (int i = 0; i < entry.getRulesCount(); i++) {
            ServiceRule rule = entry.getRules(i);
            String at = path + ".rules[" + i + "]";
            boolean goesOn =
                    rule.getAction() == ServiceRule.Action.FORWARD || rule.getAction() == ServiceRule.Action.DEMUX;
            if (goesOn) {
                checkTarget(table, rule, at);
            } else if (exclusive
                    || !rule.getAddress().isEmpty()
                    || !rule.getPortId().isEmpty()) {
                String action = rule.getAction().name().toLowerCase(Locale.ROOT);
                report.of(
                        table,
                        at + ".action",
                        action,
                        exclusive
                                ? "holds for all packets, as another rule of the entry does (expected one such rule)"
                                : "goes nowhere; remove address and port");
            }
            exclusive |= !goesOn;
            checkPart(table, at, rule.getPriority(), rule.getWeight());
        }
    }

    private void checkTarget(ServiceTable table, ServiceRule rule, String at) {
        boolean byAddress = !rule.getAddress().isEmpty();
        if (byAddress == !rule.getPortId().isEmpty()) {
            report.of(
                    table,
                    at + ".address",
                    rule.getAddress(),
                    "expected address or port, one of them: where the service is");
            return;
        }
        if (byAddress) {
            var address = IpAddress.parse(rule.getAddress());
            if (!address.isV4() || IpAddress.isGroup(address.high(), address.low()) || address.v4Bits() == -1) {
                report.of(table, at + ".address", rule.getAddress(), "expected one IPv4 address (Serval is IPv4)");
            }
            return;
        }
        draft.get(new ObjectRef(Schema.kindOf(Port.class), UUID.fromString(rule.getPortId())))
                .map(Port.class::cast)
                .filter(port -> port.getAddressesList().stream()
                        .noneMatch(
                                text -> InterfaceAddress.parse(text).address().isV4()))
                .ifPresent(port -> report.of(
                        table,
                        at + ".port",
                        port.getName(),
                        "has no IPv4 address (expected a port that says its address, or address instead)"));
    }
}
