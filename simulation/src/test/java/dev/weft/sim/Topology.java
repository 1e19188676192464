package dev.weft.sim;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.ServicePrefix;
import dev.weft.base.Tag;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.flow.FlowText;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Vlan;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.sim.trace.Explanation;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.state.Phase;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.AddressGroup;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.DhcpSubnet;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.InstanceShare;
import dev.weft.topology.schema.Member;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Neighbour;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.PortGroup;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.SecurityRule;
import dev.weft.topology.schema.Service;
import dev.weft.topology.schema.ServiceBlock;
import dev.weft.topology.schema.ServiceEntry;
import dev.weft.topology.schema.ServicePort;
import dev.weft.topology.schema.ServiceRule;
import dev.weft.topology.schema.ServiceTable;
import dev.weft.topology.schema.Tenant;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * A virtual network for tests, seen from the host "here": topology by verbs, tables as a healthy cluster would have
 * them, and a little worker that applies effects, keeps flows and drops those that a change names. Everything has a
 * name; ports joining two devices are called {@code <this>-<that>}.
 *
 * <pre>
 * var net = Topology.build(t -> t.bridge("b1").router("r").join("b1", "r", "10.0.1.1/24").vm("a", "b1"));
 * net.inject("a", Frames.udp(...)).is("...");
 * </pre>
 */
public final class Topology {
    private static final UUID TENANT = id("tenant", "t");
    private static final int FLOOD_KEYS = 100_000;
    private static final int FLOOD_VLAN = 1_000;
    private static final int TUNNEL_MTU = 1464;

    private final MemoryTopologyStore store = new MemoryTopologyStore();
    private final Tables tables = new Tables(
            new ConnectionTable(new ConnectionTable.Limits(4096, 1024, 64), Lifetimes.STANDARD, 1, 42),
            Tables.Limits.STANDARD,
            7);
    private final Outcome scratch = new Outcome();
    private final Connection inHand = new Connection();
    private final Simulator simulator = new Simulator(tables, TUNNEL_MTU);
    private final Map<UUID, String> names = new TreeMap<>();
    private final Map<UUID, com.google.protobuf.Message> objects = new TreeMap<>();
    private final Map<String, String> hostOf = new LinkedHashMap<>();
    private final Map<String, UUID> aliases = new TreeMap<>();
    private final List<Flow> flows = new ArrayList<>();
    private final Set<Flood> floodsElsewhere = new LinkedHashSet<>();
    private Transaction.Builder pending = Transaction.builder();
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    public long now = 1_000_000_000L;

    /** A cached outcome. */
    public record Flow(
            String name, Packet packet, FlowKey key, FlowMask mask, Set<Long> tags, List<Read> reads, String outcome) {}

    /** A host takes floods of a bridge in a VLAN. */
    private record Flood(int bridge, int vlan, String host) {}

    /** A routed read of a flow. */
    public record Read(UUID router, long high, long low, int proven, int matched, long tag) {}

    /** What became of a packet, and of the frames it caused. */
    public record Sent(
            String outcome,
            List<String> emitted,
            Verdict verdict,
            FlowMask mask,
            boolean cacheable,
            List<String> logged) {}

    private Topology() {
        tables.connections().setEnding((table, slot) -> table.tags(slot, tag -> invalidate(Set.of(tag))));
        put(
                id("tenant", "t"),
                "t",
                Tenant.newBuilder().setId(TENANT.toString()).setName("t").build());
    }

    public static Topology build(Consumer<Topology> plan) {
        var topology = new Topology();
        topology.change(plan);
        return topology;
    }

    /** Applies the edits in one transaction, compiles, and drops the flows that the delta names. */
    public VirtualNetwork.Delta change(Consumer<Topology> edits) {
        edits.accept(this);
        store.apply(pending.build());
        pending = Transaction.builder();
        network = VirtualNetwork.compile(store.snapshot(), network);
        simulator.setNetwork(network);
        var delta = network.delta();
        for (long tag : delta.tags()) {
            poolChanged(tag);
        }
        invalidate(delta);
        locate();
        return delta;
    }

    // The plan.

    /** @param seeds {@code 10.0.1.9=02:00:00:00:00:09}, with {@code @10} behind it in VLAN 10 */
    public Topology bridge(String name, String... seeds) {
        var bridge = Bridge.newBuilder()
                .setId(id("bridge", name).toString())
                .setName(name)
                .setTenantId(TENANT.toString());
        for (String seed : seeds) {
            String[] parts = seed.split("[=@]");
            bridge.addNeighbours(Neighbour.newBuilder()
                    .setAddress(parts[0])
                    .setMac(parts[1])
                    .setVlan(parts.length == 2 ? 0 : Integer.parseInt(parts[2])));
        }
        return put(id("bridge", name), name, bridge.build());
    }

    public Topology bridge(String name, DhcpSubnet dhcp) {
        return put(
                id("bridge", name),
                name,
                Bridge.newBuilder()
                        .setId(id("bridge", name).toString())
                        .setName(name)
                        .setTenantId(TENANT.toString())
                        .addDhcp(dhcp)
                        .build());
    }

    public Topology router(String name) {
        return put(
                id("router", name),
                name,
                Router.newBuilder()
                        .setId(id("router", name).toString())
                        .setName(name)
                        .setTenantId(TENANT.toString())
                        .build());
    }

    /** A VM on this host. */
    public Topology vm(String name, String bridge) {
        return exterior(name, port(name).setBridgeId(id("bridge", bridge).toString()), "here");
    }

    public Topology vm(String name, String bridge, String host) {
        return exterior(name, port(name).setBridgeId(id("bridge", bridge).toString()), host);
    }

    /** A VM whose port is more than plain. */
    public Topology vm(String name, String bridge, String host, Consumer<Port.Builder> more) {
        Port.Builder port = port(name).setBridgeId(id("bridge", bridge).toString());
        more.accept(port);
        return exterior(name, port, host);
    }

    public Topology statefulVm(String name, String bridge, String host) {
        return exterior(
                name, port(name).setBridgeId(id("bridge", bridge).toString()).setStateful(true), host);
    }

    /** A router port on a host's interface. */
    public Topology uplink(String name, String router, String host, String... addresses) {
        return exterior(
                name,
                port(name).setRouterId(id("router", router).toString()).addAllAddresses(List.of(addresses)),
                host);
    }

    public Topology join(String bridge, String router, String... addresses) {
        return join(bridge, router, port -> {}, addresses);
    }

    /** @param mtu of the router's port */
    public Topology join(String bridge, String router, int mtu, String... addresses) {
        join(bridge, router, addresses);
        String upper = router + "-" + bridge;
        return put(
                id("port", upper),
                upper,
                port(upper)
                        .setRouterId(id("router", router).toString())
                        .setPeerId(id("port", bridge + "-" + router).toString())
                        .addAllAddresses(List.of(addresses))
                        .setMtu(mtu)
                        .build());
    }

    /** @param more of the bridge's port */
    public Topology join(String bridge, String router, Consumer<Port.Builder> more, String... addresses) {
        String lower = bridge + "-" + router;
        String upper = router + "-" + bridge;
        Port.Builder ofBridge = port(lower)
                .setBridgeId(id("bridge", bridge).toString())
                .setPeerId(id("port", upper).toString());
        more.accept(ofBridge);
        put(id("port", lower), lower, ofBridge.build());
        return put(
                id("port", upper),
                upper,
                port(upper)
                        .setRouterId(id("router", router).toString())
                        .setPeerId(id("port", lower).toString())
                        .addAllAddresses(List.of(addresses))
                        .build());
    }

    public Topology joinBridges(String a, String b) {
        return joinBridges(a, port -> {}, b);
    }

    /** @param more of the first bridge's port */
    public Topology joinBridges(String a, Consumer<Port.Builder> more, String b) {
        Port.Builder first = port(a + "-" + b)
                .setBridgeId(id("bridge", a).toString())
                .setPeerId(id("port", b + "-" + a).toString());
        more.accept(first);
        put(id("port", a + "-" + b), a + "-" + b, first.build());
        return put(
                id("port", b + "-" + a),
                b + "-" + a,
                port(b + "-" + a)
                        .setBridgeId(id("bridge", b).toString())
                        .setPeerId(id("port", a + "-" + b).toString())
                        .build());
    }

    public Topology joinRouters(String a, String addressOfA, String b, String addressOfB) {
        put(
                id("port", a + "-" + b),
                a + "-" + b,
                port(a + "-" + b)
                        .setRouterId(id("router", a).toString())
                        .setPeerId(id("port", b + "-" + a).toString())
                        .addAddresses(addressOfA)
                        .build());
        return put(
                id("port", b + "-" + a),
                b + "-" + a,
                port(b + "-" + a)
                        .setRouterId(id("router", b).toString())
                        .setPeerId(id("port", a + "-" + b).toString())
                        .addAddresses(addressOfB)
                        .build());
    }

    /** {@code 10.9.0.0/16 port r-b2 via 10.0.2.254 from 10.0.1.0/24 weight 3}, or {@code 10.9.0.0/16 blackhole}. */
    public Topology route(String router, String words) {
        String[] word = words.split(" ");
        var route = Route.newBuilder()
                .setId(id("route", router + " " + words).toString())
                .setName("route-" + id("route", router + " " + words))
                .setTenantId(TENANT.toString())
                .setRouterId(id("router", router).toString())
                .setDestination(word[0]);
        for (int i = 1; i < word.length; i++) {
            switch (word[i]) {
                case "port" -> route.setPortId(id("port", word[++i]).toString());
                case "via" -> route.setGateway(word[++i]);
                case "from" -> route.setSource(word[++i]);
                case "weight" -> route.setWeight(Integer.parseInt(word[++i]));
                case "blackhole" -> route.setAction(Route.Action.BLACKHOLE);
                case "reject" -> route.setAction(Route.Action.REJECT);
                default -> throw new IllegalArgumentException("word '" + word[i] + "' in route " + words);
            }
        }
        return put(id("route", router + " " + words), words, route.build());
    }

    /** Each rule as {@link RuleText} has it. */
    public Topology chain(String name, String... rules) {
        var chain = Chain.newBuilder()
                .setId(id("chain", name).toString())
                .setName(name)
                .setTenantId(TENANT.toString());
        for (String rule : rules) {
            chain.addRules(RuleText.parse(rule));
        }
        return put(id("chain", name), name, chain.build());
    }

    /** A chain of the plan notes its decisions. */
    public Topology chainLog(String name, Chain.Log log) {
        Chain chain = (Chain) planned(id("chain", name));
        return put(id("chain", name), name, chain.toBuilder().setLog(log).build());
    }

    public Topology addressGroup(String name, String... addresses) {
        return put(
                id("address group", name),
                name,
                AddressGroup.newBuilder()
                        .setId(id("address group", name).toString())
                        .setName(name)
                        .setTenantId(TENANT.toString())
                        .addAllAddresses(List.of(addresses))
                        .build());
    }

    public Topology portGroup(String name, String... members) {
        put(
                id("port group", name),
                name,
                PortGroup.newBuilder()
                        .setId(id("port group", name).toString())
                        .setName(name)
                        .setTenantId(TENANT.toString())
                        .build());
        for (String member : members) {
            Port port = (Port) planned(id("port", member));
            put(
                    id("port", member),
                    member,
                    port.toBuilder()
                            .addPortGroupIds(id("port group", name).toString())
                            .build());
        }
        return this;
    }

    /**
     * Rules like {@code in tcp 80 from 10.0.0.0/8}, {@code out icmp 8 v4 to group web}, {@code in from addresses admins};
     * {@code stateless}, {@code deny-egress}, {@code log-all} and {@code log-dropped} by themselves.
     */
    public Topology securityGroup(String name, String... rules) {
        var group = SecurityGroup.newBuilder()
                .setId(id("security group", name).toString())
                .setName(name)
                .setTenantId(TENANT.toString());
        for (String rule : rules) {
            switch (rule) {
                case "stateless" -> group.setStateless(true);
                case "deny-egress" -> group.setDenyEgress(true);
                case "log-all" -> group.setLog(Chain.Log.ALL);
                case "log-dropped" -> group.setLog(Chain.Log.DROPPED);
                default -> {
                    SecurityRule parsed = RuleText.security(rule);
                    if (rule.startsWith("in")) {
                        group.addIngress(parsed);
                    } else {
                        group.addEgress(parsed);
                    }
                }
            }
        }
        return put(id("security group", name), name, group.build());
    }

    public boolean isStateful(String port) {
        return ((Port) planned(id("port", port))).getStateful();
    }

    /** The port is in these security groups, and no others. */
    public Topology guard(String port, String... groups) {
        var changed = ((Port) planned(id("port", port))).toBuilder().clearSecurityGroupIds();
        for (String group : groups) {
            changed.addSecurityGroupIds(id("security group", group).toString());
        }
        return put(id("port", port), port, changed.build());
    }

    /** @param kind {@code port}, {@code bridge} or {@code router} */
    public Topology disable(String kind, String name, boolean disabled) {
        var device = planned(id(kind, name)).toBuilder();
        device.setField(device.getDescriptorForType().findFieldByName("disabled"), disabled);
        return put(id(kind, name), name, device.build());
    }

    /** @param kind {@code port}, {@code bridge} or {@code router}; @param field {@code inbound}, {@code forward} ... */
    public Topology hook(String kind, String name, String field, String chain) {
        var device = planned(id(kind, name)).toBuilder();
        var descriptor = device.getDescriptorForType().findFieldByName(field + "_chain_id");
        device.setField(descriptor, chain.isEmpty() ? "" : id("chain", chain).toString());
        return put(id(kind, name), name, device.build());
    }

    private com.google.protobuf.Message planned(UUID id) {
        return Objects.requireNonNull(objects.get(id), () -> "no object " + id + " in the plan");
    }

    /** Services of this tenant. */
    public Topology serviceBlock(String name, String prefix) {
        return put(
                id("service block", name),
                name,
                ServiceBlock.newBuilder()
                        .setId(id("service block", name).toString())
                        .setName(name)
                        .setOwnerId(TENANT.toString())
                        .setPrefix(prefix)
                        .build());
    }

    public Topology removeServiceBlock(String name) {
        pending.delete(ServiceBlock.class, id("service block", name));
        return this;
    }

    /** Entries like {@code 0x00004001/32 forward 10.0.2.9 weight 3, demux port c priority 5} or {@code * all forward ...}. */
    public Topology serviceTable(String name, String... entries) {
        var table = ServiceTable.newBuilder()
                .setId(id("service table", name).toString())
                .setName(name)
                .setTenantId(TENANT.toString());
        for (String text : entries) {
            String[] head = text.split(" ", 2);
            var entry = ServiceEntry.newBuilder().setPrefix(head[0]).setAll(head[1].startsWith("all "));
            for (String rule : head[1].replaceFirst("^all ", "").split(", ")) {
                entry.addRules(serviceRule(rule.split(" ")));
            }
            table.addEntries(entry);
        }
        return put(id("service table", name), name, table.build());
    }

    private static ServiceRule serviceRule(String[] word) {
        var rule = ServiceRule.newBuilder().setAction(ServiceRule.Action.valueOf(word[0].toUpperCase(Locale.ROOT)));
        for (int i = 1; i < word.length; i++) {
            switch (word[i]) {
                case "port" -> rule.setPortId(id("port", word[++i]).toString());
                case "weight" -> rule.setWeight(Integer.parseInt(word[++i]));
                case "priority" -> rule.setPriority(Integer.parseInt(word[++i]));
                default -> rule.setAddress(word[i]);
            }
        }
        return rule.build();
    }

    /** @param kind {@code bridge} or {@code router} */
    public Topology services(String kind, String name, String table) {
        var device = planned(id(kind, name)).toBuilder();
        var descriptor = device.getDescriptorForType().findFieldByName("service_table_id");
        device.setField(descriptor, id("service table", table).toString());
        return put(id(kind, name), name, device.build());
    }

    /** As {@link #serviceTable}, of which registered instances are rules, too. */
    public Topology serviceTableWithInstances(String name, String... entries) {
        serviceTable(name, entries);
        ServiceTable table = (ServiceTable) planned(id("service table", name));
        return put(
                id("service table", name),
                name,
                table.toBuilder().setInstances(true).build());
    }

    /** @param words {@code 10.96.0.80,fd00:96::80 tcp 80}, with {@code to 8080} behind it */
    public Topology service(String router, String name, String service, String words) {
        String[] word = words.split(" ");
        return put(
                id("service", name),
                name,
                Service.newBuilder()
                        .setId(id("service", name).toString())
                        .setName(name)
                        .setTenantId(TENANT.toString())
                        .setRouterId(id("router", router).toString())
                        .setService(service)
                        .addAllAddresses(List.of(word[0].split(",")))
                        .addPorts(ServicePort.newBuilder()
                                .setProtocol(word[1])
                                .setPort(word[2])
                                .setTargetPort(word.length > 3 ? Integer.parseInt(word[4]) : 0))
                        .build());
    }

    /** As {@link #balancer}, with a service in place of a pool. */
    public Topology balancerOfService(String router, String name, String words, String service) {
        balancer(router, name, words, "");
        Balancer balancer = (Balancer) planned(id("balancer", name));
        return put(
                id("balancer", name),
                name,
                balancer.toBuilder().clearPoolId().setService(service).build());
    }

    /** The VM behind a port serves a service at this IPv4 address. */
    public void register(String port, String prefix, String address, int weight) {
        var instance = new ServiceInstance(
                ServicePrefix.parse(prefix),
                id("port", port),
                IpAddress.parse(address).v4Bits(),
                0,
                weight);
        tables.services().up(instance);
        servicesTouched();
    }

    public void unregister(String port, String prefix) {
        tables.services().down(ServicePrefix.parse(prefix), id("port", port));
        servicesTouched();
    }

    private void servicesTouched() {
        invalidate(Set.copyOf(tables.services().touched()));
        tables.services().touched().forEach(this::poolChanged);
    }

    /** The part of a service's packets that the instance at an address gets, by the table. */
    public Topology share(String table, String prefix, String address, int priority, int weight, boolean drain) {
        ServiceTable before = (ServiceTable) planned(id("service table", table));
        return put(
                id("service table", table),
                table,
                before.toBuilder()
                        .addShares(InstanceShare.newBuilder()
                                .setPrefix(prefix)
                                .setAddress(address)
                                .setPriority(priority)
                                .setWeight(weight)
                                .setDrain(drain))
                        .build());
    }

    public UUID portId(String name) {
        return id("port", name);
    }

    public ServiceTables serviceTables() {
        return tables.services();
    }

    /**
     * {@code source out of up to 203.0.113.1 ports 20000-20063}, {@code destination 203.0.113.9 tcp 80 to 10.0.1.5 ports
     * 8080}, {@code static 10.0.1.5 out of up to 203.0.113.5}; {@code from} a source.
     */
    public Topology nat(String router, String name, String words) {
        String[] word = words.split(" ");
        var nat = Nat.newBuilder()
                .setId(id("nat", name).toString())
                .setName(name)
                .setTenantId(TENANT.toString())
                .setRouterId(id("router", router).toString())
                .setType(Nat.Type.valueOf(word[0].toUpperCase(Locale.ROOT)));
        for (int i = 1; i < word.length; i++) {
            switch (word[i]) {
                case "out" -> nat.setPortId(id("port", word[i += 2]).toString());
                case "from" -> nat.setSource(word[++i]);
                case "for" -> nat.setDestination(word[++i]);
                case "tcp", "udp" -> nat.setProtocol(word[i]).setDestinationPort(word[++i]);
                case "to" -> nat.addAddresses(word[++i]);
                case "ports" -> nat.setPorts(word[++i]);
                default -> throw new IllegalArgumentException("word '" + word[i] + "' in nat " + words);
            }
        }
        return put(id("nat", name), name, nat.build());
    }

    /** Members as {@code 10.0.2.5:8080}, with {@code *3} for a weight and {@code !} in front of one that drains. */
    public Topology pool(String name, String... members) {
        var pool = Pool.newBuilder()
                .setId(id("pool", name).toString())
                .setName(name)
                .setTenantId(TENANT.toString());
        for (String member : members) {
            String[] parts = member.replace("!", "").split("[*]");
            int colon = parts[0].lastIndexOf(':');
            pool.addMembers(Member.newBuilder()
                    .setAddress(parts[0].substring(0, colon).replaceAll("[\\[\\]]", ""))
                    .setPort(Integer.parseInt(parts[0].substring(colon + 1)))
                    .setWeight(parts.length > 1 ? Integer.parseInt(parts[1]) : 0)
                    .setDraining(member.startsWith("!")));
        }
        return put(id("pool", name), name, pool.build());
    }

    /** As {@link #pool(String, String...)}, and each member is asked whether it is well. */
    public Topology checkedPool(String name, String... members) {
        pool(name, members);
        var pool = (Pool) planned(id("pool", name));
        return put(
                id("pool", name),
                name,
                pool.toBuilder()
                        .setHealth(Health.newBuilder().setType(Health.Type.TCP))
                        .build());
    }

    /** The router's members are asked from a host; {@code checks-ROUTER} is the port's name here. */
    public Topology asker(String router, String host) {
        String name = "checks-" + router;
        names.put(HealthPort.idAt(id("router", router)), name);
        aliases.put(name, HealthPort.idAt(id("router", router)));
        hostOf.put(name, host);
        return this;
    }

    /** @param words {@code 203.0.113.80 tcp 80}, with {@code sticky} behind it */
    public Topology balancer(String router, String name, String words, String pool) {
        String[] word = words.split(" ");
        return put(
                id("balancer", name),
                name,
                Balancer.newBuilder()
                        .setId(id("balancer", name).toString())
                        .setName(name)
                        .setTenantId(TENANT.toString())
                        .setRouterId(id("router", router).toString())
                        .setAddress(word[0])
                        .setProtocol(word[1])
                        .setPort(word[2])
                        .setPoolId(id("pool", pool).toString())
                        .setSticky(word.length > 3)
                        .build());
    }

    /** The member's health checks fail, or succeed again. */
    public void down(String pool, String address, int l4Port, boolean down) {
        var ip = IpAddress.parse(address);
        if (tables.setDown(VirtualNetwork.memberName(id("pool", pool), ip.high(), ip.low(), l4Port), down)) {
            invalidate(Set.of(Tag.device(id("pool", pool))));
            poolChanged(Tag.device(id("pool", pool)));
        }
    }

    public UUID poolId(String name) {
        return id("pool", name);
    }

    private void poolChanged(long tag) {
        tables.stickyClients()
                .poolChanged(tag, now, (rule, clientHigh, clientLow, memberHigh, memberLow, memberPort) -> {});
    }

    public Topology removeNat(String name) {
        pending.delete(Nat.class, id("nat", name));
        return this;
    }

    /** This worker may give out these ports of the pool of a rule. */
    public void grant(String nat, String address, int first, int count) {
        var ip = IpAddress.parse(address);
        tables.blocks().grant(Tag.device(id("nat", nat)), ip.high(), ip.low(), first, count);
    }

    public Topology removeRoute(String router, String words) {
        pending.delete(Route.class, id("route", router + " " + words));
        return this;
    }

    public Topology removePort(String name) {
        hostOf.remove(name);
        pending.delete(Port.class, id("port", name));
        return this;
    }

    private Topology exterior(String name, Port.Builder port, String host) {
        host(host);
        hostOf.put(name, host);
        put(
                id("port", name),
                name,
                port.setHostId(id("host", host).toString())
                        .setInterface("if-" + Math.floorMod(name.hashCode(), 1_000_000))
                        .build());
        return this;
    }

    private void host(String name) {
        if (!names.containsKey(id("host", name))) {
            put(
                    id("host", name),
                    name,
                    Host.newBuilder()
                            .setId(id("host", name).toString())
                            .setName(name)
                            .setUnderlay(underlay(name).toString())
                            .build());
        }
    }

    private Port.Builder port(String name) {
        return Port.newBuilder()
                .setId(id("port", name).toString())
                .setName(name)
                .setTenantId(TENANT.toString());
    }

    private Topology put(UUID id, String name, com.google.protobuf.Message object) {
        names.put(id, name);
        objects.put(id, object);
        pending.put(object);
        return this;
    }

    // Names.

    public static UUID id(String kind, String name) {
        return UUID.nameUUIDFromBytes((kind + " " + name).getBytes(StandardCharsets.UTF_8));
    }

    private static IpAddress underlay(String host) {
        return IpAddress.ofV4(0xac10_0000 | Math.floorMod(host.hashCode(), 65_000));
    }

    /** The address of a host, whether it is there or not. */
    public String underlayOf(String host) {
        return underlay(host).toString();
    }

    /** What the store holds. */
    public TopologySnapshot snapshot() {
        return store.snapshot();
    }

    public int portIndex(String name) {
        return network.portIndex(aliases.getOrDefault(name, id("port", name)));
    }

    public int bridgeIndex(String name) {
        return network.bridgeIndex(id("bridge", name));
    }

    public int routerIndex(String name) {
        return network.routerIndex(id("router", name));
    }

    /** The MAC a VM of this name has, by convention; of a router port, its own. */
    public String mac(String port) {
        int index = portIndex(port);
        long mac = index == VirtualNetwork.NONE || !network.hasPort(index) ? 0 : network.portMac(index);
        return mac != 0 ? MacAddress.toString(mac) : vmMac(port);
    }

    /** The MAC a VM of this name has, by convention. */
    public static String vmMac(String name) {
        return MacAddress.toString(0x0600_0000_0000L | name.hashCode() & 0xffff_ffffL);
    }

    public VirtualNetwork network() {
        return network;
    }

    public Tables tables() {
        return tables;
    }

    public Simulator simulator() {
        return simulator;
    }

    public List<Flow> flows() {
        return flows;
    }

    // What the cluster would know.

    private void locate() {
        Set<Long> changed = new HashSet<>();
        Set<Flood> floods = new LinkedHashSet<>();
        for (int port = 0; port < network.portLimit(); port++) {
            boolean exterior = network.hasPort(port) && network.isExterior(port);
            String host = exterior ? hostOf.get(names.get(network.portId(port))) : "";
            boolean moved = "here".equals(host)
                    ? tables.setLocalPort(port, port + 1) | tables.clearRemotePort(port)
                    : tables.clearLocalPort(port);
            if (exterior && !"here".equals(host)) {
                var address = underlay(host);
                moved |= tables.setRemotePort(port, address.high(), address.low(), port + 1);
                int bridge = network.bridgeOfPort(port);
                if (bridge != VirtualNetwork.NONE) {
                    Port message = store.snapshot().port(network.portId(port)).orElseThrow();
                    Arrays.stream(FloodVlans.of(message)).forEach(vlan -> floods.add(new Flood(bridge, vlan, host)));
                }
            }
            if (moved && network.hasPort(port)) {
                changed.add(Tag.location(network.portId(port)));
                int bridge = network.bridgeOfPort(port);
                if (bridge != VirtualNetwork.NONE) {
                    changed.add(Tag.flood(network.bridgeId(bridge)));
                }
            }
        }
        for (Flood flood : floods) {
            var address = underlay(flood.host);
            int key = FLOOD_KEYS + flood.vlan * FLOOD_VLAN + flood.bridge;
            if (tables.setFloodTarget(
                    flood.bridge, flood.vlan, id("host", flood.host), address.high(), address.low(), key)) {
                changed.add(Tag.flood(network.bridgeId(flood.bridge)));
            }
        }
        floodsElsewhere.removeAll(floods);
        for (Flood gone : floodsElsewhere) {
            tables.clearFloodTarget(gone.bridge, gone.vlan, id("host", gone.host));
            if (network.hasBridge(gone.bridge)) {
                changed.add(Tag.flood(network.bridgeId(gone.bridge)));
            }
        }
        floodsElsewhere.clear();
        floodsElsewhere.addAll(floods);
        invalidate(changed);
    }

    /** The host of this port is gone: nobody says any more where it is. */
    public void lose(String port) {
        if (tables.clearRemotePort(portIndex(port))) {
            invalidate(Set.of(Tag.location(id("port", port))));
        }
    }

    public void learnMac(String bridge, String mac, String port) {
        learnMac(bridge, 0, mac, port);
    }

    public void learnMac(String bridge, int vlan, String mac, String port) {
        long bits = MacAddress.parse(mac).bits();
        if (tables.learnMac(bridgeIndex(bridge), vlan, bits, portIndex(port))) {
            invalidate(Set.of(Tag.mac(id("bridge", bridge), vlan, bits)));
        }
    }

    public void learnNeighbour(String router, String address, String mac) {
        var ip = IpAddress.parse(address);
        long bits = MacAddress.parse(mac).bits();
        if (tables.learnNeighbour(routerIndex(router), ip.high(), ip.low(), bits, VirtualNetwork.NONE, Tables.NEVER)) {
            invalidate(Set.of(Tag.neighbour(id("router", router), ip.high(), ip.low())));
        }
    }

    public void failNeighbour(String router, String address) {
        var ip = IpAddress.parse(address);
        tables.failNeighbour(routerIndex(router), ip.high(), ip.low(), VirtualNetwork.NONE, Tables.NEVER);
        invalidate(Set.of(Tag.neighbour(id("router", router), ip.high(), ip.low())));
    }

    /** The VM is known on its port, and every router on its bridge knows its address. */
    public void settle(String vm, String... addresses) {
        int port = portIndex(vm);
        int bridge = network.bridgeOfPort(port);
        learnMac(names.get(network.bridgeId(bridge)), mac(vm), vm);
        for (int each = 0; each < network.portLimit(); each++) {
            if (!network.hasPort(each) || network.routerOfPort(each) == VirtualNetwork.NONE) {
                continue;
            }
            for (String address : addresses) {
                var ip = IpAddress.parse(address);
                if (network.isOnLink(each, ip.high(), ip.low())) {
                    learnNeighbour(names.get(network.routerId(network.routerOfPort(each))), address, mac(vm));
                }
            }
        }
    }

    private void invalidate(Set<Long> tags) {
        flows.removeIf(flow -> flow.tags.stream().anyMatch(tags::contains));
    }

    private void invalidate(VirtualNetwork.Delta delta) {
        Set<Long> tags = new HashSet<>();
        for (long tag : delta.tags()) {
            tags.add(tag);
        }
        invalidate(tags);
        flows.removeIf(flow -> flow.reads.stream().anyMatch(read -> {
            for (RouteChange change : delta.routes()) {
                if (change.router().equals(read.router)
                        && change.concerns(read.high, read.low, read.proven, read.matched)) {
                    return true;
                }
            }
            return false;
        }));
    }

    // Packets.

    /** Simulates without consequences. */
    public Sent look(String port, Packet packet) {
        Outcome out = scratch;
        packet.key.setIngress(portIndex(port) + 1, 0);
        simulator.simulate(packet, portIndex(port), now, out);
        return new Sent(describe(out), List.of(), out.toVerdict(), maskOf(out), out.cacheable(), logged(out));
    }

    /** As a worker does it: effects are applied, a cacheable outcome becomes a flow, emits are followed. */
    public Sent inject(String port, Frames frame) {
        return inject(port, frame.packet());
    }

    /** A flow found it too long for one of its outputs. */
    public Sent injectTooLong(String port, Frames frame) {
        var out = new Outcome();
        Packet packet = frame.packet();
        packet.key.setIngress(portIndex(port) + 1, 0);
        simulator.simulateTooLong(packet, portIndex(port), now, out);
        var verdict = out.toVerdict();
        return new Sent(
                describe(out),
                follow(verdict.emits(), Tables.NONE),
                verdict,
                maskOf(out),
                out.cacheable(),
                logged(out));
    }

    public Sent inject(String port, Packet packet) {
        Outcome out = scratch;
        packet.key.setIngress(portIndex(port) + 1, 0);
        Traced traced = trace(port, packet);
        simulator.simulate(packet, portIndex(port), now, out);
        if (!traced.equals(traced(port, packet, out))) {
            throw new AssertionError("a trace says " + traced + ", and what is done is " + traced(port, packet, out));
        }
        var text = describe(out);
        apply(out, packet);
        if (out.cacheable()) {
            flows.add(flowOf(port, packet, out));
        }
        var verdict = out.toVerdict();
        return new Sent(
                text, follow(verdict.emits(), portIndex(port)), verdict, maskOf(out), out.cacheable(), logged(out));
    }

    /** All that an outcome is, for comparison. */
    private record Traced(
            String outcome,
            boolean cacheable,
            String match,
            Set<Long> tags,
            List<Read> reads,
            List<String> emits,
            List<String> logged) {}

    /** As a person asks for it: the packet said in words and read again, explained, without consequences. */
    private Traced trace(String port, Packet packet) {
        byte[] frame = packet.segment.asSlice(packet.offset, packet.length).toArray(ValueLayout.JAVA_BYTE);
        Packet inWords = Frames.wrapped(PacketExpression.parse(PacketExpression.print(frame)));
        if (PacketParser.parse(inWords) != 0) {
            throw new AssertionError("said in words it is malformed: " + PacketExpression.print(frame));
        }
        inWords.key.copyFrom(packet.key); // a later fragment has the ports of its first one from the datapath
        var out = new Outcome();
        simulator.setExplanation(new Explanation());
        try {
            simulator.simulate(inWords, portIndex(port), now, out);
        } finally {
            simulator.setExplanation(null);
        }
        return traced(port, packet, out);
    }

    private Traced traced(String port, Packet packet, Outcome out) {
        Flow flow = flowOf(port, packet, out);
        return new Traced(
                flow.outcome,
                out.cacheable(),
                FlowText.of(flow.key, flow.mask),
                flow.tags,
                flow.reads,
                out.toVerdict().emits().stream()
                        .map(emit -> network.portName(emit.port())
                                + (emit.enters() ? " enters " : " leaves ")
                                + PacketExpression.print(emit.frame()))
                        .toList(),
                logged(out));
    }

    /** The frame came with the flood key of the bridge. */
    public Sent injectFlood(String bridge, Frames frame) {
        return injectFlood(bridge, FloodVlans.WITH_TAGS, frame);
    }

    /** The frame came with the flood key of the bridge's VLAN. */
    public Sent injectFlood(String bridge, int vlan, Frames frame) {
        var out = new Outcome();
        simulator.simulateFlood(frame.packet(), bridgeIndex(bridge), vlan, now, out);
        return new Sent(describe(out), List.of(), out.toVerdict(), maskOf(out), out.cacheable(), logged(out));
    }

    /** The question of a parked packet goes out. */
    public List<String> ask(Verdict.Park park) {
        var out = new Outcome();
        simulator.requestNeighbour(
                park.port(), park.neighbour().high(), park.neighbour().low(), out);
        return follow(out.toVerdict().emits(), Tables.NONE);
    }

    public String explain(String port, Frames frame) {
        return explain(port, frame.packet());
    }

    public String explain(String port, Packet packet) {
        var explanation = new Explanation();
        simulator.setExplanation(explanation);
        look(port, packet);
        simulator.setExplanation(null);
        return explanation.toText();
    }

    /** The rules that the decision is noted for, as {@code "<chain> <rule> <action>"}. */
    private List<String> logged(Outcome out) {
        var rules = new ArrayList<String>();
        for (int i = 0; i < out.ruleCount(); i++) {
            var rule = network.rule(out.ruleChain(i), out.rulePosition(i)).orElseThrow();
            rules.add(rule.chain() + " " + rule.rule() + " " + rule.action());
        }
        return rules;
    }

    private static FlowMask maskOf(Outcome out) {
        var mask = new FlowMask();
        mask.copyFrom(out.mask);
        return mask;
    }

    private Flow flowOf(String name, Packet packet, Outcome out) {
        var key = new FlowKey();
        key.copyFrom(packet.key);
        Set<Long> tags = new HashSet<>();
        for (int i = 0; i < out.tagCount(); i++) {
            tags.add(out.tag(i));
        }
        List<Read> reads = new ArrayList<>();
        for (int i = 0; i < out.readCount(); i++) {
            reads.add(new Read(
                    network.routerId(out.readRouter(i)),
                    out.readHigh(i),
                    out.readLow(i),
                    out.readProvenBits(i),
                    out.readMatchedBits(i),
                    out.readTag(i)));
        }
        return new Flow(name, packet, key, maskOf(out), tags, reads, describe(out));
    }

    private void apply(Outcome out, Packet packet) {
        tables.services().applied(out, packet.length, now);
        for (int i = 0; i < out.learnedMacCount(); i++) {
            int bridge = out.learnedMacBridge(i);
            if (tables.learnMac(bridge, out.learnedMacVlan(i), out.learnedMac(i), out.learnedMacPort(i))) {
                invalidate(Set.of(Tag.mac(network.bridgeId(bridge), out.learnedMacVlan(i), out.learnedMac(i))));
            }
        }
        for (int i = 0; i < out.learnedNeighbourCount(); i++) {
            int router = out.learnedNeighbourRouter(i);
            long high = out.learnedNeighbourHigh(i);
            long low = out.learnedNeighbourLow(i);
            if (tables.learnNeighbour(
                    router, high, low, out.learnedNeighbourMac(i), out.learnedNeighbourPort(i), Tables.NEVER)) {
                invalidate(Set.of(Tag.neighbour(network.routerId(router), high, low)));
            }
        }
        var connections = tables.connections();
        if (out.answeredSlot() != ConnectionTable.NONE) {
            int slot = out.answeredSlot();
            connections.read(slot, inHand);
            if (connections.answered(
                    slot, Phase.afterAnswer(inHand.phase(), inHand.forward.protocol(), out.answeredTcpFlags()))) {
                invalidate(Set.of(connections.phaseTag(slot)));
            }
        }
        if (out.hasConnection()) {
            int result = connections.put(out.connection(), out.connectionTcpFlags(), now);
            if (result == ConnectionTable.ADDED) {
                connections.tags(connections.begunBy(out.connection().forward, now), tag -> invalidate(Set.of(tag)));
            } else if (result == ConnectionTable.RENEWED) {
                invalidate(Set.of(connections.phaseTag(connections.begunBy(out.connection().forward, now))));
            } else if (result != ConnectionTable.KNOWN && result != ConnectionTable.RENEWED) {
                throw new AssertionError("the connection was not recorded: " + result);
            }
        }
    }

    /** Each as {@code "<port> <frame in words> -> <what became of it>"}. */
    private List<String> follow(List<Verdict.Emitted> emits, int cause) {
        List<String> texts = new ArrayList<>();
        for (var emit : emits) {
            if (emit.guarded()) {
                texts.add("guard of " + network.portName(emit.port()) + " " + PacketExpression.print(emit.frame()));
                continue;
            }
            var packet = Frames.wrapped(emit.frame());
            int malformed = PacketParser.parse(packet);
            if (malformed != 0) {
                throw new AssertionError("a device sent a malformed frame: " + malformed);
            }
            var out = new Outcome();
            if (emit.enters()) {
                simulator.simulateEntering(packet, emit.port(), cause, now, out);
            } else {
                simulator.simulateEmit(packet, emit.port(), now, out);
            }
            texts.add((emit.enters() ? "into " : "") + network.portName(emit.port()) + " "
                    + PacketExpression.print(emit.frame()) + " -> " + describe(out));
            apply(out, packet);
            texts.addAll(follow(out.toVerdict().emits(), cause));
        }
        return texts;
    }

    /** {@code dec-ttl, set-src-mac r-b2, set-dst-mac 06:.., output z}, {@code drop no-route}, {@code park 10.0.2.9}. */
    public String describe(Outcome out) {
        return switch (out.kind()) {
            case FORWARD -> describe(out.actions);
            case DROP -> "drop " + out.dropReason().label();
            case PARK ->
                out.isParkedOnService()
                        ? "park for a service"
                        : out.isParkedOnPool()
                                ? "park for ports"
                                : "park " + IpAddress.toString(out.parkedHigh(), out.parkedLow());
            case CONSUMED -> "consumed";
        };
    }

    private String describe(ActionList actions) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            long word = actions.word(i);
            texts.add(
                    switch (ActionList.operation(word)) {
                        case ActionList.OUTPUT -> "output " + network.portName(ActionList.port(word) - 1);
                        case ActionList.TUNNEL -> tunnel(ActionList.key(word));
                        case ActionList.SET_SRC_MAC -> "src " + MacAddress.toString(ActionList.mac(word));
                        case ActionList.SET_DST_MAC -> "dst " + MacAddress.toString(ActionList.mac(word));
                        case ActionList.DEC_TTL -> "dec-ttl";
                        case ActionList.SET_SRC -> "set-src " + address(actions, i);
                        case ActionList.SET_DST -> "set-dst " + address(actions, i);
                        case ActionList.SET_L4_SRC -> "set-l4-src " + ActionList.operand(word);
                        case ActionList.SET_L4_DST -> "set-l4-dst " + ActionList.operand(word);
                        case ActionList.SET_ICMP_ID -> "set-icmp-id " + ActionList.operand(word);
                        case ActionList.SET_DSCP -> "set-dscp " + ActionList.operand(word);
                        case ActionList.PUSH_VLAN -> "push-vlan " + Vlan.id(ActionList.operand(word));
                        case ActionList.POP_VLAN -> "pop-vlan";
                        default -> throw new AssertionError("action " + word);
                    });
        }
        return String.join(", ", texts);
    }

    private static String address(ActionList actions, int at) {
        return IpAddress.toString(actions.word(at + 1), actions.word(at + 2));
    }

    private String tunnel(int key) {
        if (key < FLOOD_KEYS) {
            return "tunnel to " + network.portName(key - 1);
        }
        int vlan = (key - FLOOD_KEYS) / FLOOD_VLAN;
        String bridge = network.bridgeName((key - FLOOD_KEYS) % FLOOD_VLAN);
        return "flood " + bridge + (vlan == 0 ? "" : " vlan " + vlan);
    }
}
