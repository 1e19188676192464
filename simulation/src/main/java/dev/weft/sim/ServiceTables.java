package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.ServicePrefix;
import dev.weft.sim.service.ServiceChoices;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.sim.service.ServiceRule;
import dev.weft.sim.service.ServiceSlot;
import dev.weft.sim.service.ServiceTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One worker's service tables, by the dense index of the network's, and what it chose from them lately. Not thread safe:
 * the worker follows each network between two simulations, which only read; what they found is counted after them.
 */
@HotPath
public final class ServiceTables {
    private static final int CHOICES = 1 << 14;

    private CompiledServices followed = CompiledServices.EMPTY;
    private @Nullable ServiceTable[] tables = {};
    private final Map<InstanceKey, ServiceInstance> instances = new HashMap<>();
    /** By table: those that are rules of it. */
    private final List<Map<InstanceKey, ServiceRule>> ruling = new ArrayList<>();

    private final List<Long> touched = new ArrayList<>();
    private final List<Integer> changed = new ArrayList<>();
    private final ServiceChoices choices = new ServiceChoices(CHOICES);

    private record InstanceKey(ServicePrefix prefix, UUID port) {}

    /** An instance is there, or is another now. Whether a table has it as a rule that it had not. */
    public boolean up(ServiceInstance instance) {
        var key = new InstanceKey(instance.prefix(), instance.port());
        instances.put(key, instance);
        touched.clear();
        boolean news = false;
        for (int i = 0; i < tables.length; i++) {
            news |= rule(i, key, instance);
        }
        return news;
    }

    /** An instance is gone. */
    public void down(ServicePrefix prefix, UUID port) {
        var key = new InstanceKey(prefix, port);
        instances.remove(key);
        touched.clear();
        for (int i = 0; i < tables.length; i++) {
            unrule(i, key);
        }
    }

    private boolean rule(int index, InstanceKey key, ServiceInstance instance) {
        ServiceTable table = tables[index];
        CompiledServices.Table compiled = followed.table(index);
        Map<InstanceKey, ServiceRule> rules = ruling.get(index);
        boolean admitted = table != null && compiled != null && followed.admits(compiled, instance);
        ServiceInstance shared = admitted ? compiled.asShared(instance) : null;
        ServiceRule rule = shared == null ? null : followed.ruleOf(shared);
        ServiceRule before = rules.get(key);
        if (rule != null && rule.equals(before)) {
            return false;
        }
        boolean stays = rule != null && before != null && rule.target().equals(before.target());
        if (!stays) { // else it keeps what was counted
            unrule(index, key);
        }
        if (table == null || rule == null || !table.put(key.prefix(), rule)) {
            return false;
        }
        rules.put(key, rule);
        touch(compiled);
        return true;
    }

    private void unrule(int index, InstanceKey key) {
        ServiceTable table = tables[index];
        ServiceRule before = ruling.get(index).remove(key);
        if (table != null && before != null) {
            table.remove(key.prefix(), before.target());
            touch(followed.table(index));
        }
    }

    private void touch(CompiledServices.@Nullable Table table) {
        if (table != null && !touched.contains(table.tag())) {
            touched.add(table.tag());
        }
    }

    /** Tags of the tables that the last instance that came or went has changed. */
    public List<Long> touched() {
        return touched;
    }

    /** Brings the tables in line with the network. */
    void follow(CompiledServices services) {
        changed.clear();
        if (services == followed) {
            return;
        }
        while (ruling.size() < services.limit()) {
            ruling.add(new HashMap<>());
        }
        if (tables.length < services.limit()) {
            tables = Arrays.copyOf(tables, services.limit());
        }
        for (int i = 0; i < services.limit(); i++) {
            CompiledServices.Table before = followed.table(i);
            CompiledServices.Table after = services.table(i);
            if (before != after) {
                tables[i] = after == null ? null : followed(tables[i], before, after);
                if (after == null) {
                    ruling.get(i).clear();
                }
                changed.add(i);
            }
        }
        followed = services;
        for (int i = 0; i < tables.length; i++) {
            int index = i;
            instances.forEach((key, instance) -> rule(index, key, instance));
        }
    }

    private static ServiceTable followed(
            @Nullable ServiceTable table, CompiledServices.@Nullable Table before, CompiledServices.Table after) {
        ServiceTable following = table == null ? new ServiceTable() : table;
        Map<ServicePrefix, CompiledServices.Entry> gone = new HashMap<>();
        if (before != null) {
            before.entries().forEach(entry -> gone.put(entry.prefix(), entry));
        }
        for (CompiledServices.Entry entry : after.entries()) {
            CompiledServices.Entry was = gone.remove(entry.prefix());
            if (!entry.equals(was)) {
                follow(following, was, entry);
            }
        }
        gone.values().forEach(entry -> entry.rules().forEach(rule -> following.remove(entry.prefix(), rule.target())));
        return following;
    }

    private static void follow(ServiceTable table, CompiledServices.@Nullable Entry was, CompiledServices.Entry entry) {
        Set<ServiceRule> kept = new HashSet<>(entry.rules());
        if (was != null) {
            for (ServiceRule rule : was.rules()) {
                if (!kept.contains(rule)) {
                    table.remove(entry.prefix(), rule.target());
                }
            }
        }
        entry.rules().forEach(rule -> table.put(entry.prefix(), rule));
        table.setToAll(entry.prefix(), entry.toAll());
    }

    /** Those whose rules the last network changed. */
    public List<Integer> changed() {
        return changed;
    }

    /** One more than the largest index given. */
    public int limit() {
        return tables.length;
    }

    /** Null when there is no such table. */
    public @Nullable ServiceTable table(int index) {
        return index >= 0 && index < tables.length ? tables[index] : null;
    }

    /** On flows that rest on the rules of a table. */
    long tag(int index) {
        CompiledServices.Table table = followed.table(index);
        return table == null ? 0 : table.tag();
    }

    ServiceChoices choices() {
        return choices;
    }

    /** After a simulation: counts what it resolved, and remembers what it chose. */
    public void applied(Outcome outcome, int length, long nowNanos) {
        for (int i = 0; i < outcome.serviceCount(); i++) {
            ServiceSlot slot = outcome.service(i);
            ServiceTable its = table(outcome.serviceTable(i));
            if (its != null) {
                its.count(slot, length);
            }
            if (outcome.serviceConnection() != 0) {
                choices.put(outcome.serviceConnection(), slot.rule().target(), nowNanos);
            }
        }
        ServiceTable table = table(outcome.serviceTable());
        if (table != null && outcome.serviceCount() == 0) {
            table.countUnresolved();
        }
    }
}
