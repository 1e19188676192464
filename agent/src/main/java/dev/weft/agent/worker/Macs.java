package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.StateMessage;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.agrona.collections.Int2IntCounterMap;

/**
 * What bridges know of MACs: from packets, from siblings, from other hosts, from the shared table. A port has only so
 * many, whoever says so, so that a VM that makes MACs up fills only its own share. The table's word stays until the table
 * takes it back, a sibling's until that takes it back; what was heard here ends when it is silent for long, a hint of
 * another host soon. Not thread safe: touched only by its worker thread.
 *
 * <p>A MAC that moves to and fro is where it is for a while: something joins its two ports, and believing each frame
 * would cost a simulation each.
 */
@HotPath
final class Macs {
    /** IEEE 802.1Q §8.8.3. */
    static final long AGE_NANOS = TimeUnit.SECONDS.toNanos(300);

    static final long HINT_NANOS = TimeUnit.SECONDS.toNanos(60);
    static final long DAMPED_NANOS = TimeUnit.SECONDS.toNanos(10);
    static final int MOVES = 5;

    /** A flow that was not used for so long may be gone; a round of looks at all MACs takes less. */
    private static final long RECENT_NANOS = TimeUnit.SECONDS.toNanos(25);

    private static final int LOOKED_AT_ONCE = 2048;
    private static final int ENDED_AT_ONCE = 64;

    // The note beside each: who says so (7..0), moves (15..8).
    private static final int TABLE = 0;
    private static final int HEARD = 1;
    private static final int SIBLING = 2;
    private static final int HINT = 3;
    private static final int SOURCE_BITS = 8;
    private static final long SOURCE_MASK = (1 << SOURCE_BITS) - 1;
    private static final int MAX_MOVES = 255;

    // Immutable after construction.
    private final Tables tables;
    private final Flows flows;
    private final Siblings siblings;
    private final StateChannel channel;
    private final Learnings learnings;
    private final int perPort;
    private final Tables.MacVisitor look = this::look;
    // Owned by the worker thread.
    private final Int2IntCounterMap macsOfPort = new Int2IntCounterMap(1024, 0.5f, 0);
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    private long overLimit;
    private long damped;
    private long now;
    private final int[] endedBridge = new int[ENDED_AT_ONCE];
    private final int[] endedVlan = new int[ENDED_AT_ONCE];
    private final long[] endedMac = new long[ENDED_AT_ONCE];
    private final int[] endedPort = new int[ENDED_AT_ONCE];
    private final boolean[] endedOwn = new boolean[ENDED_AT_ONCE];
    private int ended;

    Macs(Tables tables, Flows flows, Siblings siblings, StateChannel channel, Learnings learnings, int perPort) {
        this.tables = tables;
        this.flows = flows;
        this.siblings = siblings;
        this.channel = channel;
        this.learnings = learnings;
        this.perPort = perPort;
    }

    void setNetwork(VirtualNetwork next) {
        network = next;
    }

    /** A packet from this port has this source. Siblings and the table hear of it when it is news. */
    boolean heard(int bridge, int vlan, long mac, int port, long nowNanos) {
        if (!mayBe(bridge, vlan, mac, port, nowNanos) || !set(bridge, vlan, mac, port, HEARD, nowNanos)) {
            return false;
        }
        siblings.tell(new Command.MacHeard(bridge, vlan, mac, port));
        learnings.macLearned(bridge, vlan, mac, port);
        return true;
    }

    /** Tells a host that is about to get the first frame from a MAC where that is, so that answers are not flooded. */
    void tellHost(long hostHigh, long hostLow, int bridge, int vlan, long mac, int port) {
        if (network.hasBridge(bridge) && network.hasPort(port)) {
            channel.macLearned(hostHigh, hostLow, network.bridgeId(bridge), network.portId(port), mac, vlan);
        }
    }

    /** Another host says so. Every worker here hears of it. */
    void told(MemorySegment segment, long offset, long nowNanos) {
        int bridge = network.bridgeIndex(
                new UUID(StateMessage.bridgeHigh(segment, offset), StateMessage.bridgeLow(segment, offset)));
        int port = network.portIndex(
                new UUID(StateMessage.macPortHigh(segment, offset), StateMessage.macPortLow(segment, offset)));
        if (!network.hasBridge(bridge) || !network.hasPort(port) || network.bridgeOfPort(port) != bridge) {
            return;
        }
        int vlan = StateMessage.vlan(segment, offset);
        long mac = StateMessage.learnedMac(segment, offset);
        if (hinted(bridge, vlan, mac, port, nowNanos)) {
            siblings.tell(new Command.MacHinted(bridge, vlan, mac, port));
        }
    }

    /** Another host says so, until the table does. Whether it is news. */
    boolean hinted(int bridge, int vlan, long mac, int port, long nowNanos) {
        return tables.localPort(port) == Tables.NONE // of its own ports this host knows best
                && mayBe(bridge, vlan, mac, port, nowNanos)
                && set(bridge, vlan, mac, port, HINT, nowNanos);
    }

    /** A sibling heard it, and sees to its end. */
    void heardBySibling(int bridge, int vlan, long mac, int port, long nowNanos) {
        set(bridge, vlan, mac, port, SIBLING, nowNanos);
    }

    /** The table says so, or confirms a hint. */
    void inTable(int bridge, int vlan, long mac, int port, long nowNanos) {
        if (!set(bridge, vlan, mac, port, TABLE, nowNanos) && source(tables.macNote(bridge, vlan, mac)) == HINT) {
            long note = tables.macNote(bridge, vlan, mac);
            tables.noteMac(bridge, vlan, mac, note & ~SOURCE_MASK | TABLE, tables.macNanos(bridge, vlan, mac));
        }
    }

    /**
     * The table of neighbours says so, which may be ahead of the table of MACs, but never knows better.
     *
     * @param routerPort that the neighbour is behind
     */
    void suppose(long mac, int port, int routerPort, long nowNanos) {
        int bridge = network.hasPort(port) ? network.bridgeOfPort(port) : VirtualNetwork.NONE;
        int vlan = vlanTowards(port, routerPort);
        if (bridge != VirtualNetwork.NONE && vlan >= 0 && tables.macPort(bridge, vlan, mac) == Tables.NONE) {
            hinted(bridge, vlan, mac, port, nowNanos);
        }
    }

    /** A neighbour behind a router's port answered from this port of another host's. */
    void answered(long mac, int port, int routerPort, long nowNanos) {
        int bridge = network.hasPort(port) ? network.bridgeOfPort(port) : VirtualNetwork.NONE;
        int vlan = vlanTowards(port, routerPort);
        if (bridge != VirtualNetwork.NONE && vlan >= 0) {
            hinted(bridge, vlan, mac, port, nowNanos);
        }
    }

    /** The VLAN of the VM's port in which the router is: that of the router's port, if it is on the same bridge. */
    private int vlanTowards(int port, int routerPort) {
        if (!network.hasPort(port)) {
            return VirtualNetwork.NONE;
        }
        boolean same = network.hasPort(routerPort) && network.isOnBridgeOf(routerPort, port);
        return network.vlanOfUntagged(same ? routerPort : port);
    }

    /** The table has it no more. */
    void forget(int bridge, int vlan, long mac, int port) {
        if (tables.forgetMac(bridge, vlan, mac, port)) {
            macsOfPort.decrementAndGet(port);
            invalidate(bridge, vlan, mac);
        }
    }

    /** It was silent for long where a sibling looks; if it was not here, it is ours from now on. */
    void agedBySibling(int bridge, int vlan, long mac, int port, long nowNanos) {
        if (tables.macPort(bridge, vlan, mac) != port) {
            return;
        }
        if (isUsed(bridge, vlan, mac, nowNanos)) {
            tables.noteMac(bridge, vlan, mac, HEARD, nowNanos);
            siblings.tell(new Command.MacHeard(bridge, vlan, mac, port));
            learnings.macLearned(bridge, vlan, mac, port);
        } else {
            forget(bridge, vlan, mac, port);
        }
    }

    /** Ends what is silent for long, and hints that nobody confirmed. */
    void sweep(long nowNanos) {
        now = nowNanos;
        tables.visitMacs(LOOKED_AT_ONCE, look);
        while (ended > 0) {
            ended--;
            int bridge = endedBridge[ended];
            int vlan = endedVlan[ended];
            long mac = endedMac[ended];
            int port = endedPort[ended];
            if (!endedOwn[ended]) {
                forget(bridge, vlan, mac, port);
            } else if (isUsed(bridge, vlan, mac, nowNanos)) {
                tables.noteMac(bridge, vlan, mac, HEARD, nowNanos);
            } else if (nowNanos - tables.macNanos(bridge, vlan, mac) >= AGE_NANOS) {
                forget(bridge, vlan, mac, port);
                learnings.macForgotten(bridge, vlan, mac, port); // before a sibling says otherwise
                siblings.tell(new Command.MacAged(bridge, vlan, mac, port));
            }
        }
    }

    private void look(int bridge, int vlan, long mac, int port, long note, long nanos) {
        int source = source(note);
        // What the table says of a port here was heard before this agent began: one worker sees to its end.
        boolean own = source == HEARD
                || source == TABLE && siblings.isHome((int) mac) && tables.localPort(port) != Tables.NONE;
        boolean due = own ? now - nanos >= RECENT_NANOS : source == HINT && now - nanos >= HINT_NANOS;
        if (due && ended < ENDED_AT_ONCE) {
            endedBridge[ended] = bridge;
            endedVlan[ended] = vlan;
            endedMac[ended] = mac;
            endedPort[ended] = port;
            endedOwn[ended++] = own;
        }
    }

    private boolean isUsed(int bridge, int vlan, long mac, long nowNanos) {
        return network.hasBridge(bridge)
                && flows.usedSince(Tag.mac(network.bridgeId(bridge), vlan, mac), nowNanos - RECENT_NANOS);
    }

    /** Whether the MAC may come to this port: within the port's share, and not from where it was a moment ago. */
    private boolean mayBe(int bridge, int vlan, long mac, int port, long nowNanos) {
        int before = tables.macPort(bridge, vlan, mac);
        if (before == port) {
            return true;
        }
        if (macsOfPort.get(port) >= perPort) {
            overLimit++;
            return false;
        }
        boolean flaps = before != Tables.NONE
                && moves(tables.macNote(bridge, vlan, mac)) >= MOVES
                && nowNanos - tables.macNanos(bridge, vlan, mac) < DAMPED_NANOS;
        if (flaps) {
            damped++;
        }
        return !flaps;
    }

    /** Whether it is news. */
    private boolean set(int bridge, int vlan, long mac, int port, int source, long nowNanos) {
        int before = tables.macPort(bridge, vlan, mac);
        long note = tables.macNote(bridge, vlan, mac);
        long last = tables.macNanos(bridge, vlan, mac);
        if (!tables.learnMac(bridge, vlan, mac, port)) {
            return false;
        }
        int moves = 0;
        if (before != Tables.NONE) {
            macsOfPort.decrementAndGet(before);
            moves = nowNanos - last < DAMPED_NANOS ? Math.min(moves(note) + 1, MAX_MOVES) : 1;
        }
        macsOfPort.incrementAndGet(port);
        tables.noteMac(bridge, vlan, mac, (long) moves << SOURCE_BITS | source, nowNanos);
        invalidate(bridge, vlan, mac);
        return true;
    }

    private static int source(long note) {
        return (int) (note & SOURCE_MASK);
    }

    private static int moves(long note) {
        return (int) (note >>> SOURCE_BITS) & MAX_MOVES;
    }

    private void invalidate(int bridge, int vlan, long mac) {
        if (network.hasBridge(bridge)) {
            flows.invalidate(Tag.mac(network.bridgeId(bridge), vlan, mac));
        }
    }

    /** MACs not learned because their port has its share. */
    long overLimit() {
        return overLimit;
    }

    /** Moves not believed because the MAC had moved too often. */
    long damped() {
        return damped;
    }
}
