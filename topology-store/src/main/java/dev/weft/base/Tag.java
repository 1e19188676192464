package dev.weft.base;

import java.util.UUID;

/**
 * What a flow's verdict rested on, as 64 bits: a kind in the top byte, a hash of the thing below it. Tags are the only
 * language of invalidation: a change names tags, flows that carry one of them go. Two things that share a tag by chance
 * cost a needless re-simulation, never a wrong flow.
 */
@HotPath
public final class Tag {
    private static final int DEVICE = 1;
    private static final int ROUTED = 2;
    private static final int MAC = 3;
    private static final int NEIGHBOUR = 4;
    private static final int CONNECTION = 5;
    private static final int HOST = 6;
    private static final int LOCATION = 7;
    private static final int FLOOD = 8;
    private static final int DATAPATH_PORT = 9;

    private static final int CHAIN = 20;
    private static final int TUNNEL_MTU = 21;
    private static final int TCP_PHASES = 22;

    private Tag() {}

    /** A bridge, router or port: its own settings, its ports, everything not covered by a finer tag. */
    public static long device(UUID id) {
        return of(DEVICE, id.getMostSignificantBits(), id.getLeastSignificantBits(), 0);
    }

    /**
     * A longest-prefix decision of a router for destinations in {@code high:low/provenBits} that matched a route of
     * {@code matchedBits}; see the worker's index of these, which turns a changed prefix into tags.
     */
    public static long routed(UUID router, long high, long low, int provenBits, int matchedBits) {
        long where = Hashing.combine(router.getMostSignificantBits(), router.getLeastSignificantBits());
        return of(ROUTED, where, Hashing.combine(high, low), (long) provenBits << 8 | matchedBits);
    }

    /** A bridge's knowledge of a MAC, or its lack of it. */
    public static long mac(UUID bridge, int vlan, long mac) {
        return of(MAC, bridge.getMostSignificantBits(), bridge.getLeastSignificantBits(), (long) vlan << 48 | mac);
    }

    /** A router's knowledge of a neighbour's MAC, or its lack of it. */
    public static long neighbour(UUID router, long high, long low) {
        long where = Hashing.combine(router.getMostSignificantBits(), router.getLeastSignificantBits());
        return of(NEIGHBOUR, where, high, low);
    }

    /** A connection looked up, found or not; {@code hash} of its key. */
    public static long connection(long hash) {
        return of(CONNECTION, hash, 0, 0);
    }

    /** A host's underlay address and liveness. */
    public static long host(UUID id) {
        return of(HOST, id.getMostSignificantBits(), id.getLeastSignificantBits(), 0);
    }

    /** Where an exterior port is: its host and tunnel key, or nowhere. */
    public static long location(UUID port) {
        return of(LOCATION, port.getMostSignificantBits(), port.getLeastSignificantBits(), 0);
    }

    /** The hosts a flood on this bridge goes to. */
    public static long flood(UUID bridge) {
        return of(FLOOD, bridge.getMostSignificantBits(), bridge.getLeastSignificantBits(), 0);
    }

    /** A port of the local datapath. */
    public static long datapathPort(int port) {
        return of(DATAPATH_PORT, port, 0, 0);
    }

    /** What fits the tunnel of this host. */
    public static long tunnelMtu() {
        return of(TUNNEL_MTU, 0, 0, 0);
    }

    /** Whether a rule somewhere asks how far a TCP connection is. */
    public static long tcpPhases() {
        return of(TCP_PHASES, 0, 0, 0);
    }

    /** Whether many flows carry it: a thing of the topology, of which there are few, rather than one address's. */
    public static boolean isShared(long tag) {
        return switch ((int) (tag >>> 56)) {
            case DEVICE, HOST, LOCATION, FLOOD, DATAPATH_PORT, CHAIN, TUNNEL_MTU, TCP_PHASES -> true;
            default -> false;
        };
    }

    /** A chain's rules, those of chains that are compiled into it, and the members of groups they look at. */
    public static long chain(UUID id) {
        return of(CHAIN, id.getMostSignificantBits(), id.getLeastSignificantBits(), 0);
    }

    private static long of(int kind, long a, long b, long c) {
        long hash = Hashing.combine(Hashing.combine(Hashing.combine(kind, a), b), c);
        return (long) kind << 56 | hash >>> 8;
    }
}
