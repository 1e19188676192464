package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.topology.TopologySnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A topology compiled for simulation. Immutable: shared by all workers of a host.
 *
 * <p>Ports, bridges and routers have dense indices from 0 on, which tables and outcomes speak. Within a process they
 * are stable: a compile passes on those of the network before it, and an index is never given to another object.
 * Devices that a change does not touch are shared with the network before.
 */
public final class VirtualNetwork {
    public static final VirtualNetwork EMPTY = new VirtualNetwork(
            0,
            Map.of(),
            Map.of(),
            Map.of(),
            new Port[0],
            new Bridge[0],
            new Router[0],
            Chains.EMPTY,
            Map.of(),
            TunnelEndpoints.NONE,
            CompiledServices.EMPTY,
            Map.of(),
            Delta.NONE);

    /** No such object. */
    public static final int NONE = -1;

    private final long changeNumber;
    final Map<UUID, Integer> portIndices;
    final Map<UUID, Integer> bridgeIndices;
    final Map<UUID, Integer> routerIndices;
    final @Nullable Port[] ports;
    final @Nullable Bridge[] bridges;
    final @Nullable Router[] routers;
    final Chains chains;
    /** By id of their object. */
    final Map<String, MemberPool> pools;

    final TunnelEndpoints endpoints;
    final CompiledServices services;
    /** By tenant. */
    final Map<String, ServiceNames> names;

    final StickyClients.Balancer[] sticky;
    private final Delta delta;

    /**
     * What is different from the network before: flows that carry one of the tags go, and so do those with a routed
     * read that one of the route changes {@linkplain RouteChange#concerns concerns}.
     */
    public static final class Delta {
        static final Delta NONE = new Delta(new long[0], new RouteChange[0]);

        private final long[] tags;
        private final RouteChange[] routes;

        Delta(long[] tags, RouteChange[] routes) {
            this.tags = tags;
            this.routes = routes;
        }

        /** Do not write to it. */
        public long[] tags() {
            return tags;
        }

        /** Do not write to it. */
        public RouteChange[] routes() {
            return routes;
        }

        public boolean isEmpty() {
            return tags.length == 0 && routes.length == 0;
        }
    }

    VirtualNetwork(
            long changeNumber,
            Map<UUID, Integer> portIndices,
            Map<UUID, Integer> bridgeIndices,
            Map<UUID, Integer> routerIndices,
            @Nullable Port[] ports,
            @Nullable Bridge[] bridges,
            @Nullable Router[] routers,
            Chains chains,
            Map<String, MemberPool> pools,
            TunnelEndpoints endpoints,
            CompiledServices services,
            Map<String, ServiceNames> names,
            Delta delta) {
        this.changeNumber = changeNumber;
        this.portIndices = portIndices;
        this.bridgeIndices = bridgeIndices;
        this.routerIndices = routerIndices;
        this.ports = ports;
        this.bridges = bridges;
        this.routers = routers;
        this.chains = chains;
        this.pools = pools;
        this.endpoints = endpoints;
        this.services = services;
        this.names = names;
        sticky = stickyIn(routers, services);
        this.delta = delta;
    }

    private static StickyClients.Balancer[] stickyIn(@Nullable Router[] routers, CompiledServices services) {
        var sticky = new ArrayList<StickyClients.Balancer>();
        for (Router router : routers) {
            for (NatRule rule : router == null ? List.<NatRule>of() : router.nat.rules) {
                if (!rule.sticky()) {
                    continue;
                }
                CompiledServices.Table table = rule.service() == null ? null : services.table(rule.service().table);
                if (rule.members() != null) {
                    sticky.add(new StickyClients.Balancer(router.tag, rule, rule.members().tag));
                } else if (table != null) {
                    sticky.add(new StickyClients.Balancer(router.tag, rule, table.tag()));
                }
            }
        }
        return sticky.toArray(StickyClients.Balancer[]::new);
    }

    /** @param previous {@link #EMPTY} for the first */
    public static VirtualNetwork compile(TopologySnapshot snapshot, VirtualNetwork previous) {
        return new NetworkCompiler(snapshot, previous).compile();
    }

    /** Of the snapshot it was compiled from. */
    public long changeNumber() {
        return changeNumber;
    }

    public Delta delta() {
        return delta;
    }

    /** What tables know a member of a pool by. */
    public static long memberName(UUID pool, long high, long low, int port) {
        return MemberPool.nameOf(Tag.device(pool), high, low, port);
    }

    /** What people call the router with this tag. */
    public Optional<String> deviceName(long tag) {
        return Arrays.stream(routers)
                .filter(router -> router != null && router.tag == tag)
                .findFirst()
                .map(router -> router.kind() + " " + router.name);
    }

    /** All pools of public ports. */
    public List<NatPool> natPools() {
        return Arrays.stream(routers)
                .filter(Objects::nonNull)
                .flatMap(router -> Stream.concat(router.nat.rules.stream(), router.nat.hairpins.stream()))
                .filter(rule -> rule.kind() == NatRule.Kind.SOURCE)
                .map(NatPool::new)
                .toList();
    }

    /** The pool of public ports with this tag. */
    public Optional<NatPool> natPool(long tag) {
        return natPools().stream().filter(pool -> pool.tag() == tag).findFirst();
    }

    /** {@link #NONE} when there never was such a port; one that is gone keeps its index. */
    public int portIndex(UUID id) {
        return portIndices.getOrDefault(id, NONE);
    }

    public int bridgeIndex(UUID id) {
        return bridgeIndices.getOrDefault(id, NONE);
    }

    public int routerIndex(UUID id) {
        return routerIndices.getOrDefault(id, NONE);
    }

    /** Whether a rule somewhere asks how far a TCP connection is, so that none of its packets may go unseen. */
    @HotPath
    public boolean asksForTcpPhases() {
        return chains.askForPhase;
    }

    /** One more than the largest index given. */
    public int portLimit() {
        return ports.length;
    }

    /** Whether there is such a port now. */
    public boolean hasPort(int index) {
        return port(index) != null;
    }

    /** Whether there is such a bridge now. */
    public boolean hasBridge(int index) {
        return bridge(index) != null;
    }

    /** Whether there is such a router now. */
    public boolean hasRouter(int index) {
        return index >= 0 && index < routers.length && routers[index] != null;
    }

    /** Whether it is a router's port for health checks, whose host is whichever asks. */
    public boolean isHealthPort(int index) {
        Port port = port(index);
        return port != null && port.forChecks;
    }

    public UUID portId(int index) {
        return existing(index).id;
    }

    public String portName(int index) {
        return existing(index).name;
    }

    /** The bridge a port is on, {@link #NONE} for router ports. */
    public int bridgeOfPort(int index) {
        Port port = existing(index);
        return port.onBridge ? port.device : NONE;
    }

    /** The router a port is on, {@link #NONE} for bridge ports. */
    public int routerOfPort(int index) {
        Port port = existing(index);
        return port.onBridge ? NONE : port.device;
    }

    /** The MAC of a router port, configured or made from its id; 0 for bridge ports. */
    public long portMac(int index) {
        return existing(index).mac;
    }

    /** Whether the port has a host rather than a peer. */
    public boolean isExterior(int index) {
        return existing(index).bound;
    }

    /** Whether the address is in one of the port's subnets. */
    public boolean isOnLink(int routerPort, long high, long low) {
        return existing(routerPort).isOnLink(high, low);
    }

    /** Whether the router answers for the address at this port as for its own: inside ones stand behind it. */
    public boolean isTranslated(int routerPort, long high, long low) {
        Port port = existing(routerPort);
        return port.isOnLink(high, low) && device(port) instanceof Router router && router.nat.claims(high, low);
    }

    public UUID bridgeId(int index) {
        return existingDevice(bridges, index, "bridge").id;
    }

    public String bridgeName(int index) {
        return existingDevice(bridges, index, "bridge").name;
    }

    /** The first few VLANs that trunk ports of the bridge name, ascending. Do not write to it. */
    public int[] trunkVlans(int bridge) {
        return existingDevice(bridges, bridge, "bridge").hosts.trunkVlans();
    }

    /** Whether a router's port is joined to the bridge that the other port is on. */
    public boolean isOnBridgeOf(int routerPort, int bridgePort) {
        Port port = existing(routerPort);
        Port peer = port.onBridge || port.peer == Port.NONE ? null : port(port.peer);
        Port other = existing(bridgePort);
        return peer != null && peer.onBridge && other.onBridge && peer.device == other.device;
    }

    /**
     * The VLAN that untagged frames from a port get on its bridge: from an exterior bridge port, or from the peer of a
     * router port. {@link #NONE} when it takes none, or is on no bridge.
     */
    public int vlanOfUntagged(int index) {
        Port port = existing(index);
        if (!port.onBridge) {
            port = port.peer == Port.NONE ? null : port(port.peer);
        }
        return port == null || !port.onBridge ? NONE : port.vlans.untagged();
    }

    /** Whether a host of the fabric has this underlay address. */
    public boolean isTunnelEndpoint(long high, long low) {
        return endpoints.contains(high, low);
    }

    /** Whether the VM behind the port may register this. */
    public boolean admits(ServiceInstance instance) {
        return services.admits(instance);
    }

    /** Empty when there is no such table now. */
    public Optional<String> serviceTableName(int index) {
        return Optional.ofNullable(services.table(index)).map(CompiledServices.Table::name);
    }

    /** Empty when there is no such table now. */
    public Optional<UUID> serviceTableId(int index) {
        return Optional.ofNullable(services.table(index)).map(CompiledServices.Table::id);
    }

    /**
     * A rule of a chain, for people.
     *
     * @param tenantId of the chain
     * @param rule its number and name; empty for the end of the chain
     * @param action what becomes of a packet that meets it, as {@code accept}
     */
    public record NamedRule(String tenantId, String chain, String rule, String action) {}

    /** As {@link Outcome#ruleChain} and {@link Outcome#rulePosition} say; empty when there is no such rule now. */
    public Optional<NamedRule> rule(int chain, int position) {
        CompiledChain found = chains.chain(chain);
        if (found == null || position >= found.size()) {
            return Optional.empty();
        }
        if (position < 0) {
            return Optional.of(new NamedRule(found.tenantId(), found.name, "", "accept"));
        }
        CompiledChain.Label label = found.label(position);
        return Optional.of(new NamedRule(found.tenantId(), label.chain(), label.rule(), found.action(position)));
    }

    public UUID routerId(int index) {
        return existingDevice(routers, index, "router").id;
    }

    @HotPath
    @Nullable
    Port port(int index) {
        return index >= 0 && index < ports.length ? ports[index] : null;
    }

    @HotPath
    @Nullable
    Bridge bridge(int index) {
        return index >= 0 && index < bridges.length ? bridges[index] : null;
    }

    @HotPath
    @Nullable
    Device device(Port port) {
        return port.onBridge ? bridges[port.device] : routers[port.device];
    }

    private Port existing(int index) {
        Port port = port(index);
        if (port == null) {
            throw new IllegalArgumentException(
                    "port index " + index + " (expected one that exists in change " + changeNumber + ")");
        }
        return port;
    }

    private <T extends Device> T existingDevice(@Nullable T[] devices, int index, String kind) {
        T device = index >= 0 && index < devices.length ? devices[index] : null;
        if (device == null) {
            throw new IllegalArgumentException(
                    kind + " index " + index + " (expected one that exists in change " + changeNumber + ")");
        }
        return device;
    }
}
