package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.MacAddress;
import dev.weft.state.ConnectionTable;
import dev.weft.state.PortBlocks;
import java.util.Arrays;
import java.util.UUID;
import org.agrona.collections.Int2IntHashMap;
import org.agrona.collections.LongHashSet;

/**
 * What one worker knows besides the topology: where ports are, MACs, neighbours, connections. Not thread safe: touched
 * only by its worker thread, which applies what the control side, the outcomes and the peers say. Ports, bridges and
 * routers are the dense indices of {@link VirtualNetwork}.
 *
 * <p>A mutator returns whether something changed. Then flows that rest on it must go; the comment on each names the
 * tags. Lookups allocate nothing; MACs and neighbours are bounded at construction, the rest grows with the topology.
 */
@HotPath
public final class Tables {
    /** Nothing there. */
    public static final int NONE = -1;

    /** An expiry that never comes. */
    public static final long NEVER = Long.MAX_VALUE;

    static final long NO_MAC = -1;
    static final long FAILED_MAC = -2;

    private static final int REMOTE_WORDS = 2;

    // Immutable after construction.
    private final ConnectionTable connections;
    private final PortBlocks blocks;
    private final StickyClients stickyClients;
    // Owned by the worker thread. By port:
    private int[] datapathPorts = {};
    private int[] remoteKeys = {};
    private long[] remoteHosts = {};
    private final Int2IntHashMap portOfDatapathPort = new Int2IntHashMap(NONE);
    private final FloodTable floods = new FloodTable();
    private final ServiceTables services = new ServiceTables();
    // (bridge, vlan, MAC) -> port, note, time
    private final WideMap macs;
    private int macCursor;
    // (router, high, low) -> MAC, port, expiry
    private final WideMap neighbours;
    private final LongHashSet downMembers = new LongHashSet();
    private long refused;

    /** Where one copy of a flood goes. */
    record FloodTarget(UUID host, long high, long low, int key) {}

    /**
     * How much one worker may learn.
     *
     * @param macs entries over all bridges
     * @param neighbours entries over all routers
     */
    public record Limits(int macs, int neighbours) {
        public static final Limits STANDARD = new Limits(1 << 16, 1 << 16);

        public Limits {
            if (macs < 1 || macs > 1 << 24 || neighbours < 1 || neighbours > 1 << 24) {
                throw new IllegalArgumentException(
                        "table limits " + macs + " MACs, " + neighbours + " neighbours (expected 1..16777216 each)");
            }
        }
    }

    /** @param seed of the hashes; secret, since strangers choose MACs */
    public Tables(ConnectionTable connections, Limits limits, long seed) {
        this(connections, new PortBlocks(0, 1), limits, seed);
    }

    /**
     * @param blocks of public ports this worker may give out
     * @param seed of the hashes; secret, since strangers choose MACs
     */
    public Tables(ConnectionTable connections, PortBlocks blocks, Limits limits, long seed) {
        this.connections = connections;
        this.blocks = blocks;
        stickyClients = new StickyClients(this, seed);
        macs = new WideMap(limits.macs(), seed);
        neighbours = new WideMap(limits.neighbours(), ~seed);
    }

    /** This worker's connections; tags by {@link ConnectionTable#tag}. */
    public ConnectionTable connections() {
        return connections;
    }

    /**
     * A member of a pool answers its health checks no longer, or again. Tags: the pool's.
     *
     * @param member as {@link VirtualNetwork#memberName} has it
     */
    public boolean setDown(long member, boolean down) {
        return down ? downMembers.add(member) : downMembers.remove(member);
    }

    boolean isDown(long member) {
        return downMembers.contains(member);
    }

    /** Blocks of public ports this worker may give out. */
    public PortBlocks blocks() {
        return blocks;
    }

    /** Clients that stay where their balancer's table would not have them. Tags: none, it is asked for new connections only. */
    public StickyClients stickyClients() {
        return stickyClients;
    }

    /** This worker's service tables. */
    public ServiceTables services() {
        return services;
    }

    /** Entries not taken because a table was full. */
    public long refused() {
        return refused;
    }

    /** The port is here. Tags: {@code location(port)}, {@code flood(its bridge)}. */
    public boolean setLocalPort(int port, int datapathPort) {
        growPorts(port);
        int before = datapathPorts[port];
        if (before == datapathPort) {
            return false;
        }
        forgetDatapathPort(port, before);
        int displaced = portOfDatapathPort.get(datapathPort);
        if (displaced != NONE) {
            datapathPorts[displaced] = NONE;
        }
        datapathPorts[port] = datapathPort;
        portOfDatapathPort.put(datapathPort, port);
        return true;
    }

    /** Tags: {@code location(port)}, {@code flood(its bridge)}. */
    public boolean clearLocalPort(int port) {
        int before = localPort(port);
        if (before == NONE) {
            return false;
        }
        forgetDatapathPort(port, before);
        datapathPorts[port] = NONE;
        return true;
    }

    private void forgetDatapathPort(int port, int datapathPort) {
        if (datapathPort != NONE && portOfDatapathPort.get(datapathPort) == port) {
            portOfDatapathPort.remove(datapathPort);
        }
    }

    /** The datapath port, or {@link #NONE} when it is not on this host. */
    public int localPort(int port) {
        return port < datapathPorts.length ? datapathPorts[port] : NONE;
    }

    /** The virtual port of a datapath port, or {@link #NONE}. */
    public int portOfDatapathPort(int datapathPort) {
        return portOfDatapathPort.get(datapathPort);
    }

    /** The port is at another host, which delivers what comes with the key. Tags: {@code location(port)}. */
    public boolean setRemotePort(int port, long hostHigh, long hostLow, int key) {
        growPorts(port);
        int at = port * REMOTE_WORDS;
        if (remoteKeys[port] == key && remoteHosts[at] == hostHigh && remoteHosts[at + 1] == hostLow) {
            return false;
        }
        remoteKeys[port] = key;
        remoteHosts[at] = hostHigh;
        remoteHosts[at + 1] = hostLow;
        return true;
    }

    /** Tags: {@code location(port)}. */
    public boolean clearRemotePort(int port) {
        if (remoteKey(port) == NONE) {
            return false;
        }
        remoteKeys[port] = NONE;
        return true;
    }

    /** The tunnel key, or {@link #NONE} when nobody has published one. */
    public int remoteKey(int port) {
        return port < remoteKeys.length ? remoteKeys[port] : NONE;
    }

    /** Underlay address of a port that has a {@link #remoteKey}. */
    public long remoteHigh(int port) {
        return remoteHosts[port * REMOTE_WORDS];
    }

    public long remoteLow(int port) {
        return remoteHosts[port * REMOTE_WORDS + 1];
    }

    /**
     * A host that takes floods of the bridge in a VLAN, without a tag. Tags: {@code flood(bridge)}.
     *
     * @param vlan 0: of all VLANs, with their tags
     */
    public boolean setFloodTarget(int bridge, int vlan, UUID host, long hostHigh, long hostLow, int key) {
        return floods.setTarget(bridge, vlan, new FloodTarget(host, hostHigh, hostLow, key));
    }

    /** Tags: {@code flood(bridge)}. */
    public boolean clearFloodTarget(int bridge, int vlan, UUID host) {
        return floods.clearTarget(bridge, vlan, host);
    }

    /** By host, so that a flood is the same everywhere. */
    FloodTarget[] floodTargets(int bridge, int vlan) {
        return floods.targets(bridge, vlan);
    }

    /** The key under which this host takes floods of the bridge in a VLAN; {@link #NONE} for none any more. No tags. */
    public boolean setFloodKey(int bridge, int vlan, int ownKey) {
        return floods.setOwnKey(bridge, vlan, ownKey);
    }

    /** The key set for it, or {@link #NONE}. */
    public int floodKey(int bridge, int vlan) {
        return floods.ownKey(bridge, vlan);
    }

    /** The bridge that this key of ours floods, or {@link #NONE}. */
    public int bridgeOfFloodKey(int key) {
        return floods.bridgeOf(key);
    }

    /** The VLAN that this key of ours floods; 0: all, with their tags. */
    public int vlanOfFloodKey(int key) {
        return floods.vlanOf(key);
    }

    /**
     * The MAC is behind the port now. Tags: {@code mac(bridge, vlan, mac)}.
     *
     * @param vlan 0 for untagged
     */
    public boolean learnMac(int bridge, int vlan, long mac, int port) {
        int slot = macs.find(bridge, vlan, mac);
        if (slot == WideMap.NONE) {
            if (macs.isFull() || MacAddress.isGroup(mac)) {
                refused++;
                return false;
            }
            macs.setValues(macs.add(bridge, vlan, mac), port, 0, 0);
            return true;
        }
        if (macs.value(slot, 0) == port) {
            return false;
        }
        macs.setValues(slot, port, macs.value(slot, 1), macs.value(slot, 2));
        return true;
    }

    /** Is shown a learned MAC, with what {@link #noteMac} wrote last. */
    public interface MacVisitor {
        void visit(int bridge, int vlan, long mac, int port, long note, long nanos);
    }

    /** Writes beside a MAC that was learned what its owner wants to know later; no decision rests on it. */
    public void noteMac(int bridge, int vlan, long mac, long note, long nanos) {
        int slot = macs.find(bridge, vlan, mac);
        if (slot != WideMap.NONE) {
            macs.setValues(slot, macs.value(slot, 0), note, nanos);
        }
    }

    /** The note beside a MAC, 0 when there is none. */
    public long macNote(int bridge, int vlan, long mac) {
        int slot = macs.find(bridge, vlan, mac);
        return slot == WideMap.NONE ? 0 : macs.value(slot, 1);
    }

    /** The time beside a MAC, 0 when there is none. */
    public long macNanos(int bridge, int vlan, long mac) {
        int slot = macs.find(bridge, vlan, mac);
        return slot == WideMap.NONE ? 0 : macs.value(slot, 2);
    }

    /** Shows some of the learned MACs, others at the next call; the visitor learns and forgets none. */
    public void visitMacs(int atMost, MacVisitor visitor) {
        for (int i = Math.min(atMost, macs.slots()); i > 0; i--) {
            macCursor = macCursor + 1 < macs.slots() ? macCursor + 1 : 0;
            if (macs.isUsed(macCursor)) {
                visitor.visit(
                        (int) macs.key(macCursor, 0),
                        (int) macs.key(macCursor, 1),
                        macs.key(macCursor, 2),
                        (int) macs.value(macCursor, 0),
                        macs.value(macCursor, 1),
                        macs.value(macCursor, 2));
            }
        }
    }

    /** Unless it has moved to another port meanwhile. Tags: {@code mac(bridge, vlan, mac)}. */
    public boolean forgetMac(int bridge, int vlan, long mac, int port) {
        int slot = macs.find(bridge, vlan, mac);
        if (slot == WideMap.NONE || macs.value(slot, 0) != port) {
            return false;
        }
        macs.remove(slot);
        return true;
    }

    /** The port the MAC was learned on, or {@link #NONE}. */
    public int macPort(int bridge, int vlan, long mac) {
        int slot = macs.find(bridge, vlan, mac);
        return slot == WideMap.NONE ? NONE : (int) macs.value(slot, 0);
    }

    public int macCount() {
        return macs.size();
    }

    /**
     * The neighbour answered. Tags: {@code neighbour(router, address)}; a new expiry alone changes nothing.
     *
     * @param port the router port it is behind, or {@link #NONE} when that is not known
     * @param expiresNanos when to forget it; {@link #NEVER}
     */
    public boolean learnNeighbour(int router, long high, long low, long mac, int port, long expiresNanos) {
        return setNeighbour(router, high, low, mac, port, expiresNanos);
    }

    /**
     * The neighbour did not answer: packets for it are unreachable until then, without asking again. Tags: {@code
     * neighbour(router, address)}.
     */
    public boolean failNeighbour(int router, long high, long low, int port, long untilNanos) {
        return setNeighbour(router, high, low, FAILED_MAC, port, untilNanos);
    }

    private boolean setNeighbour(int router, long high, long low, long mac, int port, long expiresNanos) {
        int slot = neighbours.find(router, high, low);
        if (slot == WideMap.NONE) {
            if (neighbours.isFull()) {
                refused++;
                return false;
            }
            neighbours.setValues(neighbours.add(router, high, low), mac, port, expiresNanos);
            return true;
        }
        boolean changed = neighbours.value(slot, 0) != mac || neighbours.value(slot, 1) != port;
        neighbours.setValues(slot, mac, port, expiresNanos);
        return changed;
    }

    /** Answered, failed or not: nothing is known of it now. Tags: {@code neighbour(router, address)}. */
    public boolean forgetNeighbour(int router, long high, long low) {
        int slot = neighbours.find(router, high, low);
        if (slot == WideMap.NONE) {
            return false;
        }
        neighbours.remove(slot);
        return true;
    }

    /** As {@link #forgetNeighbour(int, long, long)}, unless another MAC has been learned meanwhile. */
    public boolean forgetNeighbour(int router, long high, long low, long mac) {
        int slot = neighbours.find(router, high, low);
        if (slot == WideMap.NONE || neighbours.value(slot, 0) != mac) {
            return false;
        }
        neighbours.remove(slot);
        return true;
    }

    /**
     * The neighbour's MAC, {@link #NO_MAC} when it is unknown or known behind another port, {@link #FAILED_MAC} when
     * it did not answer.
     */
    long neighbourMac(int router, int port, long high, long low, long nowNanos) {
        int slot = neighbours.find(router, high, low);
        if (slot == WideMap.NONE) {
            return NO_MAC;
        }
        long expires = neighbours.value(slot, 2);
        int learnedPort = (int) neighbours.value(slot, 1);
        boolean over = expires != NEVER && expires - nowNanos <= 0;
        return over || learnedPort != NONE && learnedPort != port ? NO_MAC : neighbours.value(slot, 0);
    }

    public int neighbourCount() {
        return neighbours.size();
    }

    private void growPorts(int port) {
        int before = datapathPorts.length;
        if (port < before) {
            return;
        }
        int length = Math.max(64, Integer.highestOneBit(port) * 2);
        datapathPorts = Arrays.copyOf(datapathPorts, length);
        remoteKeys = Arrays.copyOf(remoteKeys, length);
        remoteHosts = Arrays.copyOf(remoteHosts, length * REMOTE_WORDS);
        Arrays.fill(datapathPorts, before, length, NONE);
        Arrays.fill(remoteKeys, before, length, NONE);
    }
}
