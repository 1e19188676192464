package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.base.Tag;
import dev.weft.sim.match.Lpm;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.IcmpError;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A router for IPv4 and IPv6, compiled. Immutable. What is for the router itself is in {@link RouterHost}.
 *
 * <p>It takes untagged frames only (a priority tag is none): bridges take the tags off. It forwards unicast only. The next hop's MAC comes from the topology where that knows it (the port at the other end of a router-to-router
 * link; router ports and seeds of the bridge at the other end), else from what was learned, else the packet waits.
 */
@HotPath
final class Router extends Device {
    /** What all of this was compiled from, to see whether it must be again. */
    final Object[] inputs;

    /** The given routes, for the next compile to take over. */
    final List<RouteCompiler.Given> given;

    final RouteTable routes;
    final RouterChains chains;
    final NatTable nat;
    /** Index of its service table. */
    final int serviceTable;
    /** Of its tenant's services, which it is asked for; null when there are none. */
    final @Nullable ServiceNames names;
    /** All addresses of its own, high and low. */
    private final long[] own;

    private final long salt;

    Router(
            int index,
            UUID id,
            String name,
            boolean disabled,
            Object[] inputs,
            List<RouteCompiler.Given> given,
            RouteTable routes,
            RouterChains chains,
            NatTable nat,
            int serviceTable,
            @Nullable ServiceNames names,
            long[] own) {
        super(index, id, name, disabled);
        this.inputs = inputs;
        this.given = given;
        this.routes = routes;
        this.chains = chains;
        this.nat = nat;
        this.serviceTable = serviceTable;
        this.names = names;
        this.own = own;
        salt = tag;
    }

    @Override
    String kind() {
        return "router";
    }

    @Override
    void expectAnswers(Simulation sim) {
        sim.expectAnswers(chains.localRedirect());
        sim.expectAnswers(chains.inbound());
        sim.expectAnswers(chains.forward());
        sim.expectAnswers(chains.outbound());
    }

    @Override
    void receive(Simulation sim, Port in) {
        if (sim.useIsTagged()) {
            if (sim.useVlan() != 0) {
                sim.drop(this, DropReason.TAGGED_AT_ROUTER);
                return;
            }
            sim.retag(0);
        }
        if (sim.useIsSourceGroup()) {
            sim.drop(this, DropReason.GROUP_SOURCE_MAC);
            return;
        }
        long dst = sim.useDstMac();
        boolean group = MacAddress.isGroup(dst);
        if (!group && dst != in.mac) {
            sim.drop(this, DropReason.OTHER_MAC);
            return;
        }
        switch (sim.useEtherType()) {
            case Ethernet.ARP -> RouterHost.receiveArp(sim, this, in);
            case Ethernet.IPV4 -> receiveIp(sim, in, true, group);
            case Ethernet.IPV6 -> receiveIp(sim, in, false, group);
            default -> sim.drop(this, DropReason.NOT_IP);
        }
    }

    private void receiveIp(Simulation sim, Port in, boolean v4, boolean group) {
        if (group) {
            if (!v4 && sim.useIsDiscovery()) {
                RouterHost.receiveDiscovery(sim, this, in);
            } else {
                sim.drop(this, DropReason.GROUP_AT_ROUTER);
            }
            return;
        }
        if (IpRules.useIsBadSource(sim, v4)) {
            sim.drop(this, DropReason.BAD_SOURCE);
            return;
        }
        if (disabled && (v4 || !sim.useIsDiscovery())) {
            sim.icmpError(in, IcmpError.ADMIN_PROHIBITED);
            sim.drop(this, DropReason.DISABLED);
            return;
        }
        if (useIsOwnSource(sim, v4)) {
            sim.drop(this, DropReason.OWN_SOURCE);
            return;
        }
        // Discovery is how neighbours are found at all: no rule comes between.
        boolean ruled = chains.hasAnyBeforeRouting() && !in.forChecks && (v4 || !sim.useIsDiscovery());
        if (!sim.nat.beforeRouting(this, in, v4)) {
            return;
        }
        if (!ruled || sim.nat.answersCheck() || chains.passBeforeRouting(sim, in)) {
            route(sim, in, v4);
        }
    }

    /** A routed read of its own: only a change of our own addresses, which are whole-length prefixes, concerns it. */
    private boolean useIsOwnSource(Simulation sim, boolean v4) {
        int proven = v4 ? 96 : 0;
        boolean mine = false;
        for (int i = 0; i < own.length; i += 2) {
            int common = Lpm.commonBits(own[i] ^ sim.srcHigh(), own[i + 1] ^ sim.srcLow());
            mine |= common == 128;
            proven = Math.max(proven, Math.min(128, common + 1));
        }
        sim.useSrcHigh(proven);
        sim.tagSourceRead(this, proven, 128);
        return mine;
    }

    /** Whether packets to the source of this one may be routed out of a port: in doubt, they are. */
    boolean useMayAnswerBy(Simulation sim, int port) {
        long found = routes.find(sim.srcHigh(), sim.srcLow());
        int proven = Lpm.proven(found);
        boolean may = false;
        while (Lpm.value(found) != Lpm.NONE) {
            may = routes.mayLeaveBy(Lpm.value(found), port);
            if (may || routes.isForAll(Lpm.value(found))) {
                break;
            }
            found = routes.outer(Lpm.value(found));
        }
        sim.useSrcHigh(proven);
        sim.tagSourceRead(this, proven, Lpm.bits(found));
        return may;
    }

    private void route(Simulation sim, Port in, boolean v4) {
        long found = routes.find(sim.dstHigh(), sim.dstLow());
        int proven = Lpm.proven(found);
        sim.useDstHigh(proven);
        RouteTable.Route route = null;
        while (Lpm.value(found) != Lpm.NONE) {
            route = routes.choose(Lpm.value(found), sim, salt);
            if (route != null) {
                break;
            }
            found = routes.outer(Lpm.value(found));
        }
        sim.tagRead(this, sim.dstHigh(), sim.dstLow(), proven, Lpm.bits(found));
        if (route != null && sim.isExplaining()) {
            explainRoute(sim, new IpPrefix(sim.dstHigh(), sim.dstLow(), Lpm.bits(found)), route);
        }
        if (route != null && route.kind() == RouteTable.Kind.LOCAL) {
            RouterHost.receiveIp(sim, this, in, v4);
        } else if (IpRules.useIsBadDestination(sim, v4)) {
            boolean multicast = IpRules.isMulticast(sim.dstHigh(), sim.dstLow(), v4);
            sim.drop(this, multicast ? DropReason.GROUP_AT_ROUTER : DropReason.BAD_DESTINATION);
        } else if (IpRules.useIsLinkLocal(sim, v4)) {
            sim.drop(this, DropReason.LINK_LOCAL);
        } else {
            follow(sim, in, v4, route);
        }
    }

    private void follow(Simulation sim, Port in, boolean v4, RouteTable.@Nullable Route route) {
        if (route == null) {
            refuse(sim, in, DropReason.NO_ROUTE, IcmpError.NO_ROUTE);
            return;
        }
        switch (route.kind()) {
            case FORWARD -> forward(sim, in, v4, route);
            case BROADCAST -> sim.drop(this, DropReason.DIRECTED_BROADCAST);
            case BLACKHOLE -> sim.drop(this, DropReason.BLACKHOLE);
            case REJECT -> refuse(sim, in, DropReason.REJECTED, IcmpError.ADMIN_PROHIBITED);
            case LOCAL -> throw new AssertionError("handled before");
        }
    }

    private void forward(Simulation sim, Port in, boolean v4, RouteTable.Route route) {
        Port port = sim.network.port(route.port());
        if (port == null) {
            sim.drop(this, DropReason.UNPLUGGED);
            return;
        }
        if (sim.ttl() <= 1) {
            refuse(sim, in, DropReason.TTL_EXPIRED, IcmpError.TIME_EXCEEDED);
            return;
        }
        if (sim.network.endpoints.useIsTunnelPacket(sim)) {
            sim.drop(this, DropReason.TUNNEL_ENDPOINT);
            return;
        }
        sim.out.addTag(port.tag);
        boolean ruled = !in.forChecks && !port.forChecks;
        if (ruled && !chains.passAfterRouting(sim, in, port) || !sim.nat.afterRouting(this, in, port, v4)) {
            return;
        }
        long high = route.hasGateway() ? route.gatewayHigh() : sim.useDstHigh(128);
        long low = route.hasGateway() ? route.gatewayLow() : sim.dstLow();
        sim.out.addTag(Tag.neighbour(id, high, low));
        long mac = neighbourMac(sim, port, high, low);
        if (mac == Tables.FAILED_MAC) {
            refuse(sim, in, DropReason.HOST_UNREACHABLE, IcmpError.HOST_UNREACHABLE);
        } else if (mac == Tables.NO_MAC) {
            ask(sim, in, port, high, low);
        } else {
            if (sim.isExplaining()) {
                sim.explain(
                        this,
                        "next hop " + IpAddress.toString(high, low) + " is " + MacAddress.toString(mac)
                                + "; out by port " + port.name + " as " + MacAddress.toString(port.mac)
                                + (v4 ? ", TTL less 1" : ", hop limit less 1"));
            }
            if (!sim.narrow(port.mtu)) {
                sim.tooLong(in, port.mtu);
                return;
            }
            sim.routed(in, port.mac, mac);
            sim.leave(port);
        }
    }

    private long neighbourMac(Simulation sim, Port port, long high, long low) {
        long known = knownMac(sim, port, high, low);
        return known != FrozenMap.NONE ? known : sim.tables.neighbourMac(index, port.index, high, low, sim.nowNanos);
    }

    /** As far as the topology knows; or {@link FrozenMap#NONE}. */
    static long knownMac(Simulation sim, Port port, long high, long low) {
        if (port.forChecks) {
            return HealthPort.ASKER_MAC.bits();
        }
        Port peer = port.peer == Port.NONE ? null : sim.network.port(port.peer);
        if (peer != null && !peer.onBridge) {
            sim.out.addTag(peer.tag);
            return peer.mac; // there is nobody else on such a link
        }
        return bridgeBehind(sim, port).known.get(high, low);
    }

    /** The VLAN of a bridge that the port is joined to. */
    static BridgeVlan bridgeBehind(Simulation sim, Port port) {
        Port peer = port.peer == Port.NONE ? null : sim.network.port(port.peer);
        if (peer == null || !peer.onBridge) {
            return BridgeVlan.EMPTY;
        }
        sim.out.addTag(peer.tag);
        Bridge bridge = (Bridge) sim.network.device(peer);
        return bridge == null ? BridgeVlan.EMPTY : bridge.inVlan(peer.vlans.untagged());
    }

    private void ask(Simulation sim, Port in, Port port, long high, long low) {
        int from = port.addressFor(high, low);
        boolean sameFamily = from != Port.NONE
                && IpAddress.isV4(port.addressHigh(from), port.addressLow(from)) == IpAddress.isV4(high, low);
        if (!sameFamily) {
            refuse(sim, in, DropReason.NO_ADDRESS, IcmpError.HOST_UNREACHABLE);
            return;
        }
        sim.out.parkOn(index, port.index, high, low);
        sim.out.notCacheable();
        if (sim.isExplaining()) {
            sim.explain(
                    this,
                    "next hop " + IpAddress.toString(high, low) + " is not known: asks for it out of port "
                            + port.name);
        }
    }

    private void refuse(Simulation sim, Port in, DropReason why, IcmpError error) {
        sim.drop(this, why);
        sim.icmpError(in, error);
    }

    private void explainRoute(Simulation sim, IpPrefix prefix, RouteTable.Route route) {
        String what =
                switch (route.kind()) {
                    case LOCAL -> "is the router's own";
                    case BROADCAST -> "is a subnet's broadcast address";
                    case BLACKHOLE -> "goes into a black hole";
                    case REJECT -> "is rejected";
                    case FORWARD ->
                        route.hasGateway()
                                ? "goes by gateway " + IpAddress.toString(route.gatewayHigh(), route.gatewayLow())
                                : "is on the link of a port";
                };
        sim.explain(this, "route " + prefix + " " + what);
    }
}
