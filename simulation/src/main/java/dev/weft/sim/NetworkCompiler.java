package dev.weft.sim;

import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Service;
import dev.weft.topology.schema.ServiceTable;
import dev.weft.topology.schema.Tenant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One compile: snapshot and previous network in, next network out. Parts whose inputs are the same as before are taken
 * over as they are.
 */
final class NetworkCompiler {
    private final TopologySnapshot snapshot;
    private final List<dev.weft.topology.schema.Port> healthPorts;
    private final VirtualNetwork previous;
    private final SecurityGroups securityGroups;
    private final List<Chain> chains;
    private final Map<UUID, Integer> portIndices;
    private final Map<UUID, Integer> bridgeIndices;
    private final Map<UUID, Integer> routerIndices;
    private final Map<UUID, Integer> chainIndices;
    private final Map<UUID, Integer> serviceIndices;
    private final @Nullable Port[] ports;
    private final @Nullable Bridge[] bridges;
    private final @Nullable Router[] routers;
    private final List<List<Port>> bridgePorts;
    private final List<List<Port>> routerPorts;
    private Map<String, ServiceNames> names = Map.of();

    NetworkCompiler(TopologySnapshot snapshot, VirtualNetwork previous) {
        this.snapshot = snapshot;
        this.previous = previous;
        healthPorts = HealthPort.of(snapshot);
        portIndices = indices(
                indices(previous.portIndices, snapshot.ports(), dev.weft.topology.schema.Port::getId),
                healthPorts,
                dev.weft.topology.schema.Port::getId);
        bridgeIndices = indices(previous.bridgeIndices, snapshot.bridges(), dev.weft.topology.schema.Bridge::getId);
        routerIndices = indices(previous.routerIndices, snapshot.routers(), dev.weft.topology.schema.Router::getId);
        securityGroups = new SecurityGroups(snapshot);
        chains = new ArrayList<>(snapshot.all(Chain.class));
        chains.addAll(securityGroups.chains());
        chainIndices = indices(previous.chains.indices, chains, Chain::getId);
        serviceIndices = indices(previous.services.indices, snapshot.all(ServiceTable.class), ServiceTable::getId);
        ports = new Port[portIndices.size()];
        bridges = new Bridge[bridgeIndices.size()];
        routers = new Router[routerIndices.size()];
        bridgePorts = lists(bridges.length);
        routerPorts = lists(routers.length);
    }

    VirtualNetwork compile() {
        snapshot.ports().forEach(this::compilePort);
        healthPorts.forEach(this::compilePort);
        names = compileNames();
        for (var bridge : snapshot.bridges()) {
            int index = indexOf(bridgeIndices, bridge.getId());
            bridges[index] = compileBridge(index, bridge);
        }
        var routes = new HashMap<String, List<dev.weft.topology.schema.Route>>();
        for (var route : snapshot.routes()) {
            routes.computeIfAbsent(route.getRouterId(), id -> new ArrayList<>()).add(route);
        }
        var nats = new HashMap<String, List<Nat>>();
        for (var nat : snapshot.all(Nat.class)) {
            nats.computeIfAbsent(nat.getRouterId(), id -> new ArrayList<>()).add(nat);
        }
        var balancers = new HashMap<String, List<Balancer>>();
        for (var balancer : snapshot.all(Balancer.class)) {
            balancers
                    .computeIfAbsent(balancer.getRouterId(), id -> new ArrayList<>())
                    .add(balancer);
        }
        var addressed = new HashMap<String, List<Service>>();
        for (var service : snapshot.all(Service.class)) {
            addressed
                    .computeIfAbsent(service.getRouterId(), id -> new ArrayList<>())
                    .add(service);
        }
        Map<String, MemberPool> pools = compilePools();
        CompiledServices services = CompiledServices.compile(snapshot, serviceIndices, previous.services);
        for (var router : snapshot.routers()) {
            int index = indexOf(routerIndices, router.getId());
            routers[index] = compileRouter(
                    index,
                    router,
                    routes.getOrDefault(router.getId(), List.of()),
                    nats.getOrDefault(router.getId(), List.of()),
                    balancers.getOrDefault(router.getId(), List.of()),
                    addressed.getOrDefault(router.getId(), List.of()),
                    pools,
                    services);
        }
        Chains chains = compileChains();
        var endpoints = TunnelEndpoints.of(snapshot, previous.endpoints);
        var delta = new NetworkDelta(previous, ports, bridges, routers, chains, endpoints, pools, services).compute();
        return new VirtualNetwork(
                snapshot.changeNumber(),
                portIndices,
                bridgeIndices,
                routerIndices,
                ports,
                bridges,
                routers,
                chains,
                pools,
                endpoints,
                services,
                names,
                delta);
    }

    private Chains compileChains() {
        var places = new ConditionCompiler.Indices() {
            @Override
            public int port(String id) {
                return indexOf(portIndices, id);
            }

            @Override
            public int bridge(String id) {
                return indexOf(bridgeIndices, id);
            }

            @Override
            public int router(String id) {
                return indexOf(routerIndices, id);
            }
        };
        Groups groups = Groups.compile(snapshot, portIndices, previous.chains.groups);
        return new ChainCompiler(snapshot, chains, groups, previous.chains, chainIndices, places).compile();
    }

    /** By tenant. */
    private Map<String, ServiceNames> compileNames() {
        var services = new HashMap<String, List<Service>>();
        for (var service : snapshot.all(Service.class)) {
            services.computeIfAbsent(service.getTenantId(), id -> new ArrayList<>())
                    .add(service);
        }
        var names = new HashMap<String, ServiceNames>();
        for (var tenant : snapshot.all(Tenant.class)) {
            List<Service> its = services.get(tenant.getId());
            if (its != null) {
                ServiceNames now = ServiceNames.of(tenant.getName(), its);
                ServiceNames before = previous.names.get(tenant.getId());
                names.put(tenant.getId(), before != null && before.isSame(now) ? before : now);
            }
        }
        return Map.copyOf(names);
    }

    private Map<String, MemberPool> compilePools() {
        var pools = new HashMap<String, MemberPool>();
        for (Pool message : snapshot.all(Pool.class)) {
            MemberPool before = previous.pools.get(message.getId());
            pools.put(
                    message.getId(),
                    before != null && before.message.equals(message) ? before : new MemberPool(message));
        }
        return Map.copyOf(pools);
    }

    /** Of a reference that may be unset. */
    private int chain(String id) {
        return id.isEmpty() ? CompiledChain.NONE : indexOf(chainIndices, id);
    }

    /** Of a reference that may be unset. */
    private int serviceTable(String id) {
        return id.isEmpty() ? CompiledServices.NONE : indexOf(serviceIndices, id);
    }

    /** Those given before, and new ones behind them. Shared with the previous network when nothing is new. */
    private static <T> Map<UUID, Integer> indices(
            Map<UUID, Integer> before, Collection<T> objects, Function<T, String> id) {
        Map<UUID, Integer> indices = before;
        for (T object : objects) {
            var key = UUID.fromString(id.apply(object));
            if (!indices.containsKey(key)) {
                if (indices == before) {
                    indices = new HashMap<>(before);
                }
                indices.put(key, indices.size());
            }
        }
        return indices;
    }

    private static List<List<Port>> lists(int count) {
        List<List<Port>> lists = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            lists.add(new ArrayList<>());
        }
        return lists;
    }

    private void compilePort(dev.weft.topology.schema.Port message) {
        int index = indexOf(portIndices, message.getId());
        boolean onBridge = !message.getBridgeId().isEmpty();
        int device = onBridge
                ? indexOf(bridgeIndices, message.getBridgeId())
                : indexOf(routerIndices, message.getRouterId());
        int peer = message.getPeerId().isEmpty() ? Port.NONE : indexOf(portIndices, message.getPeerId());
        Guard guard = guard(message);
        Port before = previous.port(index);
        Port port = before != null && before.isFrom(message, device, peer, guard)
                ? before
                : new Port(
                        index,
                        message,
                        onBridge,
                        device,
                        peer,
                        chain(message.getInboundChainId()),
                        chain(message.getOutboundChainId()),
                        guard);
        ports[index] = port;
        (onBridge ? bridgePorts : routerPorts).get(device).add(port);
    }

    private Guard guard(dev.weft.topology.schema.Port message) {
        SecurityGroups.Ids ids = securityGroups.of(message);
        return ids.equals(SecurityGroups.Ids.NONE)
                ? Guard.NONE
                : new Guard(chain(ids.fromVm()), chain(ids.toVm()), ids.stateful());
    }

    private Bridge compileBridge(int index, dev.weft.topology.schema.Bridge message) {
        var compiler = new BridgeCompiler(bridgePorts.get(index), ports, names.get(message.getTenantId()));
        Object[] inputs = compiler.inputs(message);
        Bridge before = previous.bridge(index);
        return before != null && Arrays.equals(before.inputs, inputs)
                ? before
                : compiler.compile(
                        index,
                        message,
                        inputs,
                        chain(message.getInboundChainId()),
                        chain(message.getOutboundChainId()),
                        serviceTable(message.getServiceTableId()));
    }

    private Router compileRouter(
            int index,
            dev.weft.topology.schema.Router message,
            List<dev.weft.topology.schema.Route> routes,
            List<Nat> nats,
            List<Balancer> balancers,
            List<Service> addressed,
            Map<String, MemberPool> pools,
            CompiledServices services) {
        List<Port> own = routerPorts.get(index);
        List<Object> inputs = new ArrayList<>(own.size() + routes.size() + 1);
        inputs.add(message);
        inputs.addAll(own);
        inputs.addAll(routes);
        inputs.addAll(nats);
        inputs.addAll(balancers);
        balancers.forEach(balancer -> inputs.add(pools.get(balancer.getPoolId())));
        Map<ServiceId, BoundService> bound =
                bound(serviceTable(message.getServiceTableId()), balancers, addressed, services);
        inputs.addAll(addressed);
        inputs.add(bound);
        ServiceNames its = names.get(message.getTenantId());
        inputs.add(its);
        Router before = index < previous.routers.length ? previous.routers[index] : null;
        if (before != null && Arrays.equals(before.inputs, inputs.toArray())) {
            return before;
        }
        var compiler = new RouteCompiler(own, portIndices, before == null ? List.of() : before.given);
        List<RouteCompiler.Given> given = compiler.compile(routes);
        return new Router(
                index,
                UUID.fromString(message.getId()),
                message.getName(),
                message.getDisabled(),
                inputs.toArray(),
                given,
                RouteTable.of(compiler.byPrefix(given)),
                new RouterChains(
                        chain(message.getLocalRedirectChainId()),
                        chain(message.getInboundChainId()),
                        chain(message.getForwardChainId()),
                        chain(message.getOutboundChainId())),
                new NatCompiler(portIndices, pools, bound).compile(nats, balancers, addressed, own),
                serviceTable(message.getServiceTableId()),
                its,
                ownAddresses(own));
    }

    /** The services that addresses of a router stand for. */
    private static Map<ServiceId, BoundService> bound(
            int table, List<Balancer> balancers, List<Service> addressed, CompiledServices services) {
        Map<ServiceId, BoundService> bound = new HashMap<>();
        Stream.concat(
                        balancers.stream().map(Balancer::getService),
                        addressed.stream().map(Service::getService))
                .filter(text -> !text.isEmpty())
                .map(text -> ServicePrefix.parse(text).id())
                .forEach(id -> bound.computeIfAbsent(
                        id, service -> new BoundService(table, service, services.places(table, service))));
        return bound;
    }

    private static long[] ownAddresses(List<Port> ports) {
        long[] addresses =
                new long[2 * ports.stream().mapToInt(Port::addressCount).sum()];
        int at = 0;
        for (Port port : ports) {
            for (int i = 0; i < port.addressCount(); i++) {
                addresses[at++] = port.addressHigh(i);
                addresses[at++] = port.addressLow(i);
            }
        }
        return addresses;
    }

    static int indexOf(Map<UUID, Integer> indices, String id) {
        return indices.getOrDefault(UUID.fromString(id), Port.NONE);
    }
}
