package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Lpm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * A router's routes, compiled: the given ones, and those that its addresses imply. Immutable.
 *
 * <p>Implied: each address of its own is LOCAL, each IPv4 subnet's last address BROADCAST (prefixes up to /30), each
 * subnet is on the link of its port unless a given route without a source says otherwise for exactly that prefix.
 *
 * <p>Routes of one prefix: those with the longest source that fits the packet count, weighted; when none fits the next
 * shorter prefix is looked at. The choice among several hashes source, destination and protocol, not the ports: all
 * connections of a pair of hosts take one way, and share one flow.
 */
@HotPath
final class RouteTable {
    static final RouteTable EMPTY = new RouteTable(Lpm.EMPTY, new Group[0]);

    /** What a route says. */
    enum Kind {
        LOCAL,
        BROADCAST,
        FORWARD,
        BLACKHOLE,
        REJECT
    }

    /**
     * One route.
     *
     * @param port dense index, of {@code FORWARD}
     * @param hasGateway else the destination itself is the next hop
     * @param sourceBits length of the source prefix in the 128-bit form, {@code ANY_SOURCE} for any
     */
    record Route(
            Kind kind,
            int port,
            boolean hasGateway,
            long gatewayHigh,
            long gatewayLow,
            long sourceHigh,
            long sourceLow,
            int sourceBits,
            int weight) {
        static final int ANY_SOURCE = -1;

        static Route implied(Kind kind, int port) {
            return new Route(kind, port, false, 0, 0, 0, 0, ANY_SOURCE, 1);
        }

        boolean hasSource() {
            return sourceBits != ANY_SOURCE;
        }
    }

    /** The routes of one prefix. */
    record Group(IpPrefix prefix, List<Route> routes, boolean hasSources) {
        Group {
            routes = List.copyOf(routes);
        }
    }

    private final Lpm lpm;
    private final Group[] groups;
    private final Route[][] routes;

    private RouteTable(Lpm lpm, Group[] groups) {
        this.lpm = lpm;
        this.groups = groups;
        routes = new Route[groups.length][];
        for (int i = 0; i < groups.length; i++) {
            routes[i] = groups[i].routes.toArray(new Route[0]);
        }
    }

    static RouteTable of(SortedMap<IpPrefix, List<Route>> byPrefix) {
        List<IpPrefix> prefixes = new ArrayList<>();
        List<Group> groups = new ArrayList<>();
        for (Map.Entry<IpPrefix, List<Route>> entry : byPrefix.entrySet()) {
            prefixes.add(entry.getKey());
            boolean hasSources = entry.getValue().stream().anyMatch(Route::hasSource);
            groups.add(new Group(entry.getKey(), entry.getValue(), hasSources));
        }
        return new RouteTable(Lpm.of(prefixes), groups.toArray(new Group[0]));
    }

    Group[] groups() {
        return groups;
    }

    /** Packed as {@link Lpm#lookup} does; the value is a group. */
    long find(long high, long low) {
        return lpm.lookup(high, low);
    }

    /** The group of the next shorter prefix, {@link Lpm#NONE} when there is none. */
    int outer(int group) {
        return lpm.outer(group);
    }

    IpPrefix prefix(int group) {
        return groups[group].prefix;
    }

    int bits(int group) {
        return groups[group].prefix.bits();
    }

    /** Whether some route of the group leads out of the port. */
    boolean mayLeaveBy(int group, int port) {
        for (Route route : routes[group]) {
            if (route.kind == Kind.FORWARD && route.port == port) {
                return true;
            }
        }
        return false;
    }

    /** Whether some route of the group fits every packet to its prefix: shorter ones do not count then. */
    boolean isForAll(int group) {
        for (Route route : routes[group]) {
            if (!route.hasSource()) {
                return true;
            }
        }
        return false;
    }

    /** The group's route for this packet; null when all have sources and none fits. */
    @Nullable
    Route choose(int group, Simulation sim, long salt) {
        Route[] candidates = routes[group];
        if (!groups[group].hasSources && candidates.length == 1) {
            return candidates[0];
        }
        int bits = groups[group].hasSources ? longestSource(candidates, sim) : Route.ANY_SOURCE;
        int total = 0;
        Route last = null;
        boolean several = false;
        for (Route route : candidates) {
            if (isCandidate(route, bits, sim)) {
                several = last != null;
                last = route;
                total += route.weight;
            }
        }
        return several ? weighted(candidates, bits, total, sim, salt) : last;
    }

    private static Route weighted(Route[] candidates, int bits, int total, Simulation sim, long salt) {
        long hash = Hashing.combine(salt, sim.useSrcHigh(128));
        hash = Hashing.combine(hash, sim.srcLow());
        hash = Hashing.combine(hash, sim.useDstHigh(128));
        hash = Hashing.combine(hash, sim.dstLow());
        hash = Hashing.combine(hash, sim.useProtocol());
        int point = (int) Long.remainderUnsigned(hash, total);
        Route chosen = candidates[0];
        for (Route route : candidates) {
            if (isCandidate(route, bits, sim)) {
                chosen = route;
                point -= route.weight;
                if (point < 0) {
                    break;
                }
            }
        }
        return chosen;
    }

    /** Those of the longest fitting source have one source, since two of a length never fit the same address. */
    private static boolean isCandidate(Route route, int bits, Simulation sim) {
        return route.sourceBits == bits && (bits == Route.ANY_SOURCE || common(route, sim) >= bits);
    }

    private static int longestSource(Route[] candidates, Simulation sim) {
        int longest = Route.ANY_SOURCE;
        for (Route route : candidates) {
            if (route.sourceBits != Route.ANY_SOURCE) {
                int common = common(route, sim);
                boolean fits = common >= route.sourceBits;
                sim.useSrcHigh(fits ? route.sourceBits : common + 1);
                longest = fits ? Math.max(longest, route.sourceBits) : longest;
            }
        }
        return longest;
    }

    private static int common(Route route, Simulation sim) {
        return Lpm.commonBits(route.sourceHigh ^ sim.srcHigh(), route.sourceLow ^ sim.srcLow());
    }
}
