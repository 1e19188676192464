package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.sim.match.Lpm;
import java.util.ArrayList;
import java.util.HashMap;
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
    static final RouteTable EMPTY = new RouteTable(Lpm.EMPTY, new Group[0], new Choice[0]);

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
    record Group(IpPrefix prefix, List<Route> routes) {
        Group {
            routes = List.copyOf(routes);
        }
    }

    /** What prefixes of equal routes share, since many have the same few next hops: a packet then reads less memory. */
    private static final class Choice {
        final Route[] routes;
        final boolean hasSources;
        /** What counts when no source fits: the next shorter prefix, as a lookup gives it. */
        long outer = Lpm.answer(Lpm.NONE, 0, 0);

        Choice(List<Route> routes, boolean hasSources) {
            this.routes = routes.toArray(new Route[0]);
            this.hasSources = hasSources;
        }
    }

    private final Lpm lpm;
    private final Group[] groups;
    /** By the values of the prefixes. */
    private final Choice[] choices;

    private RouteTable(Lpm lpm, Group[] groups, Choice[] choices) {
        this.lpm = lpm;
        this.groups = groups;
        this.choices = choices;
    }

    static RouteTable of(SortedMap<IpPrefix, List<Route>> byPrefix) {
        List<IpPrefix> prefixes = new ArrayList<>(byPrefix.size());
        List<Choice> choices = new ArrayList<>();
        Map<List<Route>, Integer> shared = new HashMap<>();
        var groups = new Group[byPrefix.size()];
        var values = new int[groups.length];
        for (Map.Entry<IpPrefix, List<Route>> entry : byPrefix.entrySet()) {
            int i = prefixes.size();
            prefixes.add(entry.getKey());
            List<Route> routes = entry.getValue();
            Integer known = shared.get(routes);
            if (known == null) {
                boolean hasSources = routes.stream().anyMatch(Route::hasSource);
                known = choices.size();
                choices.add(new Choice(routes, hasSources));
                if (!hasSources) {
                    shared.put(List.copyOf(routes), known);
                }
            }
            groups[i] = new Group(entry.getKey(), routes);
            values[i] = known;
        }
        Lpm lpm = Lpm.of(prefixes, values);
        for (int i = 0; i < groups.length; i++) {
            Choice choice = choices.get(values[i]);
            int outer = choice.hasSources ? lpm.outer(i) : Lpm.NONE;
            if (outer != Lpm.NONE) {
                choice.outer = Lpm.answer(values[outer], groups[outer].prefix.bits(), 0);
            }
        }
        return new RouteTable(lpm, groups, choices.toArray(new Choice[0]));
    }

    /** By prefix, in {@link RouteCompiler}'s order. */
    Group[] groups() {
        return groups;
    }

    /** Packed as {@link Lpm#lookup} does; the value is for {@link #choose} and {@link #outer}. */
    long find(long high, long low) {
        return lpm.lookup(high, low);
    }

    /** The next shorter prefix, packed in the same way, where {@link #choose} had no route. */
    long outer(int value) {
        return choices[value].outer;
    }

    /** Whether some route of the prefix leads out of the port. */
    boolean mayLeaveBy(int value, int port) {
        for (Route route : choices[value].routes) {
            if (route.kind == Kind.FORWARD && route.port == port) {
                return true;
            }
        }
        return false;
    }

    /** Whether some route of the prefix fits every packet to it: shorter ones do not count then. */
    boolean isForAll(int value) {
        for (Route route : choices[value].routes) {
            if (!route.hasSource()) {
                return true;
            }
        }
        return false;
    }

    /** The prefix's route for this packet; null when all have sources and none fits. */
    @Nullable
    Route choose(int value, Simulation sim, long salt) {
        Choice choice = choices[value];
        Route[] candidates = choice.routes;
        if (!choice.hasSources && candidates.length == 1) {
            return candidates[0];
        }
        int bits = choice.hasSources ? longestSource(candidates, sim) : Route.ANY_SOURCE;
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
