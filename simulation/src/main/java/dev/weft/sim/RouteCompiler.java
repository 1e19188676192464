package dev.weft.sim;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.topology.schema.Route;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/** The routes of one router: those given, read from their messages, and those its ports imply. */
final class RouteCompiler {
    private static final int V4_BITS = 96;
    private static final int LONGEST_WITH_BROADCAST = V4_BITS + 30;

    private final List<Port> ports;
    private final Map<UUID, Integer> portIndices;
    private final Map<Route, Given> before = new IdentityHashMap<>();

    /** A route as read from its message. */
    record Given(Route message, IpPrefix destination, RouteTable.Route route) {}

    /** @param before as of the last compile: snapshots share the messages that did not change */
    RouteCompiler(List<Port> ports, Map<UUID, Integer> portIndices, List<Given> before) {
        this.ports = ports;
        this.portIndices = portIndices;
        before.forEach(given -> this.before.put(given.message, given));
    }

    List<Given> compile(List<Route> messages) {
        List<Given> given = new ArrayList<>(messages.size());
        for (Route message : messages) {
            Given known = before.get(message);
            given.add(
                    known != null
                            ? known
                            : new Given(message, IpPrefix.parse(message.getDestination()), read(message)));
        }
        return given;
    }

    private RouteTable.Route read(Route message) {
        var kind =
                switch (message.getAction()) {
                    case BLACKHOLE -> RouteTable.Kind.BLACKHOLE;
                    case REJECT -> RouteTable.Kind.REJECT;
                    case FORWARD, UNRECOGNIZED -> RouteTable.Kind.FORWARD;
                };
        String port = message.getPortId();
        boolean hasGateway = !message.getGateway().isEmpty();
        var gateway = hasGateway ? IpAddress.parse(message.getGateway()) : new IpAddress(0, 0);
        boolean hasSource = !message.getSource().isEmpty();
        var source = hasSource ? IpPrefix.parse(message.getSource()) : new IpPrefix(0, 0, 0);
        return new RouteTable.Route(
                kind,
                port.isEmpty() ? Port.NONE : NetworkCompiler.indexOf(portIndices, port),
                hasGateway,
                gateway.high(),
                gateway.low(),
                source.high(),
                source.low(),
                hasSource ? source.bits() : RouteTable.Route.ANY_SOURCE,
                Math.max(1, message.getWeight()));
    }

    SortedMap<IpPrefix, List<RouteTable.Route>> byPrefix(List<Given> given) {
        SortedMap<IpPrefix, List<RouteTable.Route>> byPrefix = new TreeMap<>(RouteCompiler::compare);
        for (Given each : given) {
            byPrefix.computeIfAbsent(each.destination, prefix -> new ArrayList<>(1))
                    .add(each.route);
        }
        ports.forEach(port -> addSubnets(port, byPrefix));
        // What is the router's own stays so, whatever the routes say.
        ports.forEach(port -> addOwn(port, byPrefix));
        return byPrefix;
    }

    private static void addSubnets(Port port, Map<IpPrefix, List<RouteTable.Route>> byPrefix) {
        for (int i = 0; i < port.addressCount(); i++) {
            int bits = port.networkBits(i);
            var subnet = new IpPrefix(port.addressHigh(i), port.addressLow(i), bits);
            boolean v4 = subnet.isV4();
            if (IpRules.isLinkLocal(subnet.high(), subnet.low(), v4)) {
                continue;
            }
            var routes = byPrefix.computeIfAbsent(subnet, prefix -> new ArrayList<>(1));
            var implied = RouteTable.Route.implied(RouteTable.Kind.FORWARD, port.index);
            if (routes.stream().allMatch(RouteTable.Route::hasSource)) {
                routes.add(implied);
            }
            if (v4 && bits <= LONGEST_WITH_BROADCAST) {
                replace(byPrefix, 0, subnet.low() | -1L >>> bits - 64, RouteTable.Kind.BROADCAST);
            }
        }
    }

    private static void addOwn(Port port, Map<IpPrefix, List<RouteTable.Route>> byPrefix) {
        for (int i = 0; i < port.addressCount(); i++) {
            replace(byPrefix, port.addressHigh(i), port.addressLow(i), RouteTable.Kind.LOCAL);
        }
    }

    private static void replace(
            Map<IpPrefix, List<RouteTable.Route>> byPrefix, long high, long low, RouteTable.Kind kind) {
        List<RouteTable.Route> alone = new ArrayList<>(1);
        alone.add(RouteTable.Route.implied(kind, Port.NONE));
        byPrefix.put(new IpPrefix(high, low, 128), alone);
    }

    /** By address, then the shorter first. */
    static int compare(IpPrefix a, IpPrefix b) {
        int byHigh = Long.compareUnsigned(a.high(), b.high());
        int byAddress = byHigh != 0 ? byHigh : Long.compareUnsigned(a.low(), b.low());
        return byAddress != 0 ? byAddress : Integer.compare(a.bits(), b.bits());
    }
}
