package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.base.Tag;
import dev.weft.sim.sal.SalRegistration;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.sim.service.ServiceRule;
import dev.weft.sim.service.ServiceTarget;
import dev.weft.topology.InterfaceAddress;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.InstanceShare;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.ServiceBlock;
import dev.weft.topology.schema.ServiceEntry;
import dev.weft.topology.schema.ServiceTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the topology says of services: the rules of all service tables, by dense index. Immutable. Workers bring their own
 * tables in line with it, {@link ServiceTables}. Entries for services that are not granted to the tenant (any more) are
 * left out.
 */
final class CompiledServices {
    static final CompiledServices EMPTY = new CompiledServices(Map.of(), new Table[0], Map.of());
    static final int NONE = -1;

    private static final IpPrefix ANY_V4 = IpPrefix.parse("0.0.0.0/0");
    private static final int ADDRESS = 128;

    final Map<UUID, Integer> indices;
    private final @Nullable Table[] tables;
    private final Map<UUID, Registrar> registrars;

    /**
     * @param instances whether those of the tenant's ports count
     * @param inputs what it was compiled from
     */
    record Table(
            UUID id,
            String name,
            String tenant,
            boolean instances,
            List<Object> inputs,
            List<Entry> entries,
            List<Share> shares,
            ServiceId registrar) {
        /** On what was dropped because of its rules. */
        @HotPath
        long tag() {
            return Tag.device(id);
        }

        /** Whether hosts send their registrations to this service. */
        @HotPath
        boolean isRegistrar(long word0, long word1, long word2, long word3) {
            return instances
                    && word0 == registrar.word0()
                    && word1 == registrar.word1()
                    && word2 == registrar.word2()
                    && word3 == registrar.word3();
        }

        /** The instance as the table has it; null when it gets nothing there. */
        @Nullable
        ServiceInstance asShared(ServiceInstance instance) {
            for (Share share : shares) {
                if (share.address == instance.address() && share.prefix.contains(instance.prefix())) {
                    return share.drain ? null : instance.withShare(share.priority, share.weight);
                }
            }
            return instance;
        }
    }

    /** What counts of an instance instead of what it says itself. */
    record Share(ServicePrefix prefix, int address, int priority, int weight, boolean drain) {
        static Share of(InstanceShare share) {
            return new Share(
                    ServicePrefix.parse(share.getPrefix()),
                    IpAddress.parse(share.getAddress()).v4Bits(),
                    share.getPriority(),
                    Math.max(1, share.getWeight()),
                    share.getDrain());
        }
    }

    /** What the VM behind a port may register: services that are its tenant's and its own, at the port's addresses. */
    record Registrar(
            String tenant,
            List<ServicePrefix> granted,
            List<ServicePrefix> allowed,
            List<Integer> addresses,
            Optional<IpAddress> v6) {
        boolean admits(ServiceInstance instance) {
            return granted.stream().anyMatch(block -> block.contains(instance.prefix()))
                    && allowed.stream().anyMatch(each -> each.contains(instance.prefix()))
                    && (addresses.isEmpty() || addresses.contains(instance.address()));
        }

        /** Whether it may register something that serves this. */
        boolean mayServe(ServiceId service) {
            return granted.stream().anyMatch(block -> block.contains(service))
                    && allowed.stream().anyMatch(each -> each.contains(service));
        }

        /** Where its instances may be; without addresses of its own, anywhere. */
        Stream<IpPrefix> places() {
            Stream<IpPrefix> v4 = addresses.isEmpty()
                    ? Stream.of(ANY_V4)
                    : addresses.stream().map(address -> whole(IpAddress.ofV4(address)));
            return Stream.concat(v4, v6.stream().map(CompiledServices::whole));
        }
    }

    record Entry(ServicePrefix prefix, boolean toAll, List<ServiceRule> rules) {}

    private CompiledServices(Map<UUID, Integer> indices, @Nullable Table[] tables, Map<UUID, Registrar> registrars) {
        this.indices = indices;
        this.tables = tables;
        this.registrars = registrars;
    }

    /** Whether a table takes this instance. */
    boolean admits(Table table, ServiceInstance instance) {
        Registrar registrar = registrars.get(instance.port());
        return table.instances
                && registrar != null
                && registrar.tenant.equals(table.tenant)
                && registrar.admits(instance);
    }

    /** Whether the VM behind the port may register this, whatever tables there are. */
    boolean admits(ServiceInstance instance) {
        Registrar registrar = registrars.get(instance.port());
        return registrar != null && registrar.admits(instance);
    }

    /** The rule that an instance is: connections over IPv6 go to the first such address of its port. */
    ServiceRule ruleOf(ServiceInstance instance) {
        ServiceRule rule = instance.rule();
        Registrar registrar = registrars.get(instance.port());
        return registrar == null || registrar.v6.isEmpty()
                ? rule
                : new ServiceRule(rule.target().withV6(registrar.v6.get()), rule.priority(), rule.weight());
    }

    /** Wherever a table may send the connections of a service, whatever instances there are. */
    List<IpPrefix> places(int index, ServiceId service) {
        Table table = table(index);
        if (table == null) {
            return List.of();
        }
        Stream<IpPrefix> told = table.entries.stream()
                .filter(entry -> entry.prefix().contains(service))
                .flatMap(entry -> entry.rules().stream())
                .map(ServiceRule::target)
                .flatMap(CompiledServices::places);
        Stream<IpPrefix> registered = registrars.values().stream()
                .filter(registrar -> table.instances && registrar.tenant.equals(table.tenant))
                .filter(registrar -> registrar.mayServe(service))
                .flatMap(Registrar::places);
        return Stream.concat(told, registered)
                .distinct()
                .sorted(Comparator.comparing(IpPrefix::toString))
                .toList();
    }

    private static Stream<IpPrefix> places(ServiceTarget target) {
        return Stream.of(true, false)
                .filter(target::isReachable)
                .map(v4 -> new IpPrefix(target.high(v4), target.low(v4), ADDRESS));
    }

    private static IpPrefix whole(IpAddress address) {
        return new IpPrefix(address.high(), address.low(), ADDRESS);
    }

    int limit() {
        return tables.length;
    }

    @HotPath
    @Nullable
    Table table(int index) {
        return index >= 0 && index < tables.length ? tables[index] : null;
    }

    /** @param indices of all tables there ever were */
    static CompiledServices compile(TopologySnapshot snapshot, Map<UUID, Integer> indices, CompiledServices previous) {
        Map<String, Port> ports = new HashMap<>();
        if (!indices.isEmpty()) {
            snapshot.ports().forEach(port -> ports.put(port.getId(), port));
        }
        Map<String, List<ServicePrefix>> granted = new HashMap<>();
        for (var block : snapshot.all(ServiceBlock.class)) {
            granted.computeIfAbsent(block.getOwnerId(), owner -> new ArrayList<>())
                    .add(ServicePrefix.parse(block.getPrefix()));
        }
        var tables = new Table[indices.size()];
        for (var message : snapshot.all(ServiceTable.class)) {
            int index = NetworkCompiler.indexOf(indices, message.getId());
            List<ServicePrefix> own = granted.getOrDefault(message.getTenantId(), List.of());
            List<Object> inputs = inputs(message, own, ports);
            Table before = previous.table(index);
            tables[index] =
                    before != null && before.inputs.equals(inputs) ? before : compile(message, own, ports, inputs);
        }
        Map<UUID, Registrar> registrars = registrars(snapshot, granted);
        boolean same = Arrays.equals(tables, previous.tables) && registrars.equals(previous.registrars);
        return same ? previous : new CompiledServices(indices, tables, registrars);
    }

    private static Map<UUID, Registrar> registrars(
            TopologySnapshot snapshot, Map<String, List<ServicePrefix>> granted) {
        if (granted.isEmpty()) {
            return Map.of();
        }
        Map<UUID, Registrar> registrars = new HashMap<>();
        for (Port port : snapshot.ports()) {
            if (port.getAllowedServicesCount() + port.getInstancesCount() > 0) {
                registrars.put(
                        UUID.fromString(port.getId()),
                        new Registrar(
                                port.getTenantId(),
                                granted.getOrDefault(port.getTenantId(), List.of()),
                                allowed(port),
                                addresses(port).map(IpAddress::v4Bits).toList(),
                                v6(port)));
            }
        }
        return registrars;
    }

    /** What the topology says of its VM it may also say itself. */
    private static List<ServicePrefix> allowed(Port port) {
        return Stream.concat(
                        port.getAllowedServicesList().stream(),
                        port.getInstancesList().stream().map(each -> each.getService()))
                .map(ServicePrefix::parse)
                .toList();
    }

    private static Optional<IpAddress> v6(Port port) {
        return port.getAddressesList().stream()
                .map(text -> InterfaceAddress.parse(text).address())
                .filter(address -> !address.isV4())
                .findFirst();
    }

    /** IPv4 ones. */
    private static Stream<IpAddress> addresses(Port port) {
        return port.getAddressesList().stream()
                .map(text -> InterfaceAddress.parse(text).address())
                .filter(IpAddress::isV4);
    }

    private static List<Object> inputs(ServiceTable message, Collection<ServicePrefix> own, Map<String, Port> ports) {
        List<Object> inputs = new ArrayList<>(own);
        inputs.add(message);
        for (var entry : message.getEntriesList()) {
            for (var rule : entry.getRulesList()) {
                if (ports.get(rule.getPortId()) instanceof Port port) {
                    inputs.add(port);
                }
            }
        }
        return List.copyOf(inputs);
    }

    private static Table compile(
            ServiceTable message, List<ServicePrefix> own, Map<String, Port> ports, List<Object> inputs) {
        List<Entry> entries = new ArrayList<>();
        for (ServiceEntry entry : message.getEntriesList()) {
            var prefix = ServicePrefix.parse(entry.getPrefix());
            if (prefix.bits() == 0 || own.stream().anyMatch(block -> block.contains(prefix))) {
                List<ServiceRule> rules = new ArrayList<>();
                entry.getRulesList().forEach(rule -> rules.add(rule(rule, ports)));
                entries.add(new Entry(prefix, entry.getAll(), List.copyOf(rules)));
            }
        }
        return new Table(
                UUID.fromString(message.getId()),
                message.getName(),
                message.getTenantId(),
                message.getInstances(),
                inputs,
                List.copyOf(entries),
                message.getSharesList().stream()
                        .map(Share::of)
                        .sorted(Comparator.comparingInt(share -> -share.prefix().bits()))
                        .toList(),
                message.getRegistrar().isEmpty()
                        ? ServiceId.of(SalRegistration.DEFAULT_REGISTRAR)
                        : ServicePrefix.parse(message.getRegistrar()).id());
    }

    private static ServiceRule rule(dev.weft.topology.schema.ServiceRule rule, Map<String, Port> ports) {
        var target =
                switch (rule.getAction()) {
                    case FORWARD, UNRECOGNIZED -> withV6(ServiceTarget.forward(address(rule, ports)), rule, ports);
                    case DEMUX -> withV6(ServiceTarget.demux(address(rule, ports)), rule, ports);
                    case DELAY -> ServiceTarget.DELAY;
                    case DROP -> ServiceTarget.DROP;
                };
        return new ServiceRule(target, rule.getPriority(), Math.max(1, rule.getWeight()));
    }

    private static ServiceTarget withV6(
            ServiceTarget target, dev.weft.topology.schema.ServiceRule rule, Map<String, Port> ports) {
        return Optional.ofNullable(ports.get(rule.getPortId()))
                .flatMap(CompiledServices::v6)
                .map(target::withV6)
                .orElse(target);
    }

    /** The schema sees to it that there is one. */
    private static int address(dev.weft.topology.schema.ServiceRule rule, Map<String, Port> ports) {
        if (!rule.getAddress().isEmpty()) {
            return IpAddress.parse(rule.getAddress()).v4Bits();
        }
        return Optional.ofNullable(ports.get(rule.getPortId())).stream()
                .flatMap(CompiledServices::addresses)
                .findFirst()
                .map(IpAddress::v4Bits)
                .orElse(0);
    }
}
