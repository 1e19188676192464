package dev.weft.sim;

import dev.weft.base.IpPrefix;
import dev.weft.base.Tag;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Names what a compile changed, as finely as the tags of outcomes tell things apart.
 *
 * <pre>
 * port changed or gone      its device tag; on a bridge (also new ones): the bridge's flood tag
 * bridge, router gone       its device tag
 * MAC known to be at a port  the bridge's mac tag for it, in that VLAN
 * known address of a bridge the neighbour tag of each router joined to it
 * joined by another router  the neighbour tags of all it now knows or no longer knows through the bridge
 * chains of a device        its device tag
 * service table of a bridge its device tag; of a router: nothing, since no flow rests on it
 * rules of a service table  its device tag, which is on what they drop
 * addresses of the hosts    the tag of tunnel endpoints
 * rules of a chain          the tag of the chain that they are compiled into
 * whether it asks at all    its tag for that
 * whether any rule asks for phases of TCP   the tag of that
 * translation of a router   its device tag, unless all that is new is which of the same members take connections
 * pool                      its device tag
 * routes                    a route change per prefix whose routes differ
 * </pre>
 */
final class NetworkDelta {
    private final VirtualNetwork previous;
    private final @Nullable Port[] ports;
    private final @Nullable Bridge[] bridges;
    private final @Nullable Router[] routers;
    private final Chains chains;
    private final TunnelEndpoints endpoints;
    private final Map<String, MemberPool> pools;
    private final CompiledServices services;
    private final Set<Long> tags = new LinkedHashSet<>();
    private final Set<RouteChange> changes = new LinkedHashSet<>();

    NetworkDelta(
            VirtualNetwork previous,
            @Nullable Port[] ports,
            @Nullable Bridge[] bridges,
            @Nullable Router[] routers,
            Chains chains,
            TunnelEndpoints endpoints,
            Map<String, MemberPool> pools,
            CompiledServices services) {
        this.previous = previous;
        this.ports = ports;
        this.bridges = bridges;
        this.routers = routers;
        this.chains = chains;
        this.endpoints = endpoints;
        this.pools = pools;
        this.services = services;
    }

    VirtualNetwork.Delta compute() {
        for (int i = 0; i < ports.length; i++) {
            Port before = previous.port(i);
            if (before != ports[i]) {
                comparePort(before, ports[i]);
            }
        }
        for (int i = 0; i < bridges.length; i++) {
            Bridge before = previous.bridge(i);
            if (before != null && before != bridges[i]) {
                compareBridge(before, bridges[i]);
            }
        }
        for (int i = 0; i < routers.length; i++) {
            Router before = i < previous.routers.length ? previous.routers[i] : null;
            if (before != null && before != routers[i]) {
                compareRouter(before, routers[i]);
            }
        }
        if (previous.endpoints != endpoints) {
            tags.add(TunnelEndpoints.TAG);
        }
        for (int i = 0; i < previous.chains.limit(); i++) {
            CompiledChain before = previous.chains.chain(i);
            if (before != null && previous.chains.isAsking(i) != chains.isAsking(i)) {
                tags.add(before.askingTag);
            }
            if (before != null && before != chains.chain(i)) {
                tags.add(before.tag);
            }
        }
        if (previous.asksForTcpPhases() != chains.askForPhase) {
            tags.add(Tag.tcpPhases());
        }
        previous.pools.forEach((id, before) -> {
            if (before != pools.get(id)) {
                tags.add(before.tag);
            }
        });
        for (int i = 0; i < previous.services.limit(); i++) {
            CompiledServices.Table before = previous.services.table(i);
            if (before != null && before != services.table(i)) {
                tags.add(before.tag());
            }
        }
        return new VirtualNetwork.Delta(
                tags.stream().mapToLong(Long::longValue).toArray(), changes.toArray(new RouteChange[0]));
    }

    private void comparePort(@Nullable Port before, @Nullable Port after) {
        if (before != null && after != null && before.behavesAs(after)) {
            return;
        }
        if (before != null) {
            tags.add(before.tag);
            floodOf(before, previous.bridges);
        }
        if (after != null) {
            floodOf(after, bridges);
        }
    }

    private void floodOf(Port port, @Nullable Bridge[] where) {
        Bridge bridge = port.onBridge ? where[port.device] : null;
        if (bridge != null) {
            tags.add(Tag.flood(bridge.id));
        }
    }

    private void compareBridge(Bridge before, @Nullable Bridge after) {
        if (after == null
                || before.inboundChain != after.inboundChain
                || before.outboundChain != after.outboundChain
                || before.disabled != after.disabled
                || before.serviceTable != after.serviceTable) {
            tags.add(before.tag);
        }
        Set<Router> joined = new LinkedHashSet<>(joined(before, previous.ports, previous.routers));
        if (after != null) {
            joined.addAll(joined(after, ports, routers));
        }
        for (BridgeVlan vlan : before.vlans) {
            compareVlan(before, vlan, after == null ? BridgeVlan.EMPTY : after.inVlan(vlan.id), vlan.id, joined);
        }
        for (BridgeVlan vlan : after == null ? new BridgeVlan[0] : after.vlans) {
            compareVlan(before, before.inVlan(vlan.id), vlan, vlan.id, joined);
        }
    }

    private void compareVlan(Bridge bridge, BridgeVlan before, BridgeVlan after, int vlan, Set<Router> joined) {
        FrozenMap.difference(before.fixedMacs, after.fixedMacs, (high, mac) -> tags.add(Tag.mac(bridge.id, vlan, mac)));
        if ((before.dhcp == null) != (after.dhcp == null)) {
            tags.add(Tag.flood(bridge.id)); // broadcasts are looked into now, or no longer
            tags.add(Tag.mac(bridge.id, vlan, before.dhcp != null ? before.dhcp.mac : after.dhcp.mac));
        }
        // A router port that came to the bridge or left it changed, and its device tag is on every flow that used it.
        FrozenMap.difference(before.known, after.known, (high, low) -> {
            for (Router router : joined) {
                tags.add(Tag.neighbour(router.id, high, low));
            }
        });
    }

    private static List<Router> joined(Bridge bridge, @Nullable Port[] ports, @Nullable Router[] routers) {
        return Arrays.stream(bridge.interior)
                .mapToObj(each -> ports[each])
                .map(port -> port == null || port.peer == Port.NONE ? null : ports[port.peer])
                .filter(peer -> peer != null && !peer.onBridge)
                .map(peer -> routers[peer.device])
                .filter(router -> router != null)
                .toList();
    }

    private void compareRouter(Router before, @Nullable Router after) {
        if (after == null) {
            tags.add(before.tag);
            return;
        }
        if (before.disabled != after.disabled || !before.chains.equals(after.chains) || !before.nat.isSame(after.nat)) {
            tags.add(before.tag);
        }
        compareRoutes(after.id, before.routes.groups(), after.routes.groups());
    }

    /** Both are in order of prefix. */
    private void compareRoutes(UUID router, RouteTable.Group[] before, RouteTable.Group[] after) {
        int was = 0;
        int is = 0;
        while (was < before.length || is < after.length) {
            int order = was == before.length
                    ? 1
                    : is == after.length ? -1 : RouteCompiler.compare(before[was].prefix(), after[is].prefix());
            if (order != 0) {
                IpPrefix prefix = order < 0 ? before[was].prefix() : after[is].prefix();
                changes.add(new RouteChange(router, prefix));
            } else if (!before[was].routes().equals(after[is].routes())) {
                changes.add(new RouteChange(router, after[is].prefix()));
            }
            was += order <= 0 ? 1 : 0;
            is += order >= 0 ? 1 : 0;
        }
    }
}
