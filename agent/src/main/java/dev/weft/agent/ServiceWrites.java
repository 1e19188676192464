package dev.weft.agent;

import dev.weft.base.IpAddress;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.InterfaceAddress;
import dev.weft.topology.TopologyException;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.InstanceShare;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.ServiceEntry;
import dev.weft.topology.schema.ServiceRule;
import dev.weft.topology.schema.ServiceTable;
import dev.weft.topology.schema.Tenant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Answers {@code service-rule} and {@code service-share}: changes one rule, or one instance's part, of a service table,
 * and leaves the rest as it is, also what others write at the same time. Thread safe.
 */
final class ServiceWrites {
    /** Others write the same table: again, from what it is then. */
    private static final int TRIES = 10;

    private final TopologyStore store;

    ServiceWrites(TopologyStore store) {
        this.store = store;
    }

    /**
     * Arguments: {@code table}, {@code service}, {@code action} ({@code forward}, {@code demux}, {@code delay}, {@code
     * drop}); of the first two {@code to}, an address or port; optional {@code priority}, {@code weight}, and {@code
     * remove}, which takes the rule away.
     */
    Map<String, ?> rule(Map<String, String> arguments) {
        String prefix = prefix(arguments);
        boolean remove = arguments.containsKey("remove");
        change(arguments, table -> {
            ServiceRule rule = ruleOf(arguments);
            ServiceEntry.Builder entry = entryOf(table, prefix);
            List<ServiceRule> others = entry.getRulesList().stream()
                    .filter(each -> !hasSameTarget(each, rule) && (remove || !(isForAll(each) && isForAll(rule))))
                    .toList();
            if (remove && others.size() == entry.getRulesCount()) {
                throw new AgentException("table '" + table.getName() + "' has no such rule for " + prefix);
            }
            entry.clearRules().addAllRules(others);
            if (!remove) {
                entry.addRules(rule);
            }
            if (entry.getRulesCount() > 0) {
                table.addEntries(entry);
            }
        });
        return Map.of("table", arguments.get("table"), "service", prefix);
    }

    /** Takes the entry of this prefix out, or begins one. */
    private static ServiceEntry.Builder entryOf(ServiceTable.Builder table, String prefix) {
        for (int i = 0; i < table.getEntriesCount(); i++) {
            if (table.getEntries(i).getPrefix().equals(prefix)) {
                ServiceEntry.Builder found = table.getEntries(i).toBuilder();
                table.removeEntries(i);
                return found;
            }
        }
        return ServiceEntry.newBuilder().setPrefix(prefix);
    }

    /** An entry has one such rule: the next takes its place. */
    private static boolean isForAll(ServiceRule rule) {
        return rule.getAction() == ServiceRule.Action.DELAY || rule.getAction() == ServiceRule.Action.DROP;
    }

    private static boolean hasSameTarget(ServiceRule one, ServiceRule other) {
        return one.getAction() == other.getAction()
                && one.getAddress().equals(other.getAddress())
                && one.getPortId().equals(other.getPortId());
    }

    private ServiceRule ruleOf(Map<String, String> arguments) {
        String action = Arguments.required(arguments, "action", "forward, demux, delay or drop");
        ServiceRule.Builder rule = ServiceRule.newBuilder();
        try {
            rule.setAction(ServiceRule.Action.valueOf(action.toUpperCase(Locale.ROOT)));
        } catch (IllegalArgumentException unknown) {
            throw new AgentException("action '" + action + "' (expected forward, demux, delay or drop)", unknown);
        }
        String to = arguments.get("to");
        if (to != null && IpAddress.tryParse(to).isPresent()) {
            rule.setAddress(to);
        } else if (to != null) {
            rule.setPortId(PortNames.find(store.snapshot(), to).getId());
        }
        return rule.setPriority(Arguments.number(arguments, "priority", 0))
                .setWeight(Arguments.number(arguments, "weight", 0))
                .build();
    }

    /**
     * Arguments: {@code table}, {@code service}, {@code port} (or address of the instance); optional {@code priority},
     * {@code weight}, {@code drain}, and {@code remove}: what the instance says itself counts again.
     */
    Map<String, ?> share(Map<String, String> arguments) {
        String prefix = prefix(arguments);
        String address = addressOf(Arguments.required(arguments, "port", "the port or address of the instance"));
        change(arguments, table -> {
            List<InstanceShare> others = table.getSharesList().stream()
                    .filter(share -> !share.getPrefix().equals(prefix)
                            || !share.getAddress().equals(address))
                    .toList();
            table.clearShares().addAllShares(others);
            if (!arguments.containsKey("remove")) {
                table.addShares(InstanceShare.newBuilder()
                        .setPrefix(prefix)
                        .setAddress(address)
                        .setPriority(Arguments.number(arguments, "priority", 0))
                        .setWeight(Arguments.number(arguments, "weight", 0))
                        .setDrain(arguments.containsKey("drain")));
            }
        });
        return Map.of("table", arguments.get("table"), "service", prefix, "address", address);
    }

    private String addressOf(String text) {
        if (IpAddress.tryParse(text).isPresent()) {
            return text;
        }
        Port port = PortNames.find(store.snapshot(), text);
        return port.getAddressesList().stream()
                .map(each -> InterfaceAddress.parse(each).address())
                .filter(IpAddress::isV4)
                .findFirst()
                .map(IpAddress::toString)
                .orElseThrow(() -> new AgentException("port '" + text + "' says no IPv4 address; give the address"));
    }

    private void change(Map<String, String> arguments, Consumer<ServiceTable.Builder> edit) {
        String name = Arguments.required(arguments, "table", "a service table");
        for (int i = 1; ; i++) {
            TopologySnapshot snapshot = store.snapshot();
            ServiceTable before = table(snapshot, name);
            ServiceTable.Builder table = before.toBuilder();
            edit.accept(table);
            try {
                store.apply(Transaction.builder()
                        .put(table.build(), snapshot.version(before))
                        .build());
                return;
            } catch (TopologyException refused) {
                boolean overtaken = table(store.snapshot(), name) != before;
                if (i == TRIES || !overtaken) {
                    throw new AgentException(refused.getMessage(), refused);
                }
            }
        }
    }

    private static ServiceTable table(TopologySnapshot snapshot, String text) {
        List<ServiceTable> named = snapshot.all(ServiceTable.class).stream()
                .filter(table -> text.equals(table.getId())
                        || text.equals(table.getName())
                        || text.equals(tenant(snapshot, table) + "/" + table.getName()))
                .toList();
        if (named.size() == 1) {
            return named.getFirst();
        }
        throw new AgentException("service table '" + text + "' "
                + (named.isEmpty() ? "does not exist" : "is the name of " + named.size() + " tables")
                + " (expected TENANT/NAME, a NAME that only one has, or an id)");
    }

    private static String tenant(TopologySnapshot snapshot, ServiceTable table) {
        return snapshot.tenant(UUID.fromString(table.getTenantId()))
                .map(Tenant::getName)
                .orElse("");
    }

    private static String prefix(Map<String, String> arguments) {
        String text = Arguments.required(arguments, "service", "a service like 0x00004001");
        try {
            return ServicePrefix.parse(text).toString();
        } catch (IllegalArgumentException wrong) {
            throw new AgentException(wrong.getMessage(), wrong);
        }
    }
}
