package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.StateMessage;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import org.agrona.collections.Int2IntCounterMap;

/**
 * What bridges know of MACs: from packets, from siblings, from the shared table. A port has only so many, so that a VM
 * that makes MACs up fills only its own share. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class Macs {
    // Immutable after construction.
    private final Tables tables;
    private final Flows flows;
    private final Siblings siblings;
    private final StateChannel channel;
    private final Learnings learnings;
    private final int perPort;
    // Owned by the worker thread.
    private final Int2IntCounterMap macsOfPort = new Int2IntCounterMap(1024, 0.5f, 0);
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    private long overLimit;

    Macs(Tables tables, Flows flows, Siblings siblings, StateChannel channel, Learnings learnings, int perPort) {
        this.tables = tables;
        this.flows = flows;
        this.siblings = siblings;
        this.channel = channel;
        this.learnings = learnings;
        this.perPort = perPort;
    }

    void setNetwork(VirtualNetwork now) {
        network = now;
    }

    /** A packet from this port has this source. Siblings and the table hear of it when it is news. */
    boolean heard(int bridge, int vlan, long mac, int port) {
        if (tables.macPort(bridge, vlan, mac) != port && macsOfPort.get(port) >= perPort) {
            overLimit++;
            return false;
        }
        if (!learn(bridge, vlan, mac, port)) {
            return false;
        }
        siblings.tell(new Command.MacLearned(bridge, vlan, mac, port));
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
    void told(MemorySegment segment, long offset) {
        int bridge = network.bridgeIndex(
                new UUID(StateMessage.bridgeHigh(segment, offset), StateMessage.bridgeLow(segment, offset)));
        int port = network.portIndex(
                new UUID(StateMessage.macPortHigh(segment, offset), StateMessage.macPortLow(segment, offset)));
        if (!network.hasBridge(bridge) || !network.hasPort(port) || network.bridgeOfPort(port) != bridge) {
            return;
        }
        int vlan = StateMessage.vlan(segment, offset);
        long mac = StateMessage.learnedMac(segment, offset);
        if (learn(bridge, vlan, mac, port)) {
            siblings.tell(new Command.MacLearned(bridge, vlan, mac, port));
        }
    }

    /** A sibling or the table says so. Whether it is news. */
    boolean learn(int bridge, int vlan, long mac, int port) {
        int before = tables.macPort(bridge, vlan, mac);
        if (!tables.learnMac(bridge, vlan, mac, port)) {
            return false;
        }
        if (before != Tables.NONE) {
            macsOfPort.decrementAndGet(before);
        }
        macsOfPort.incrementAndGet(port);
        invalidate(bridge, vlan, mac);
        return true;
    }

    /**
     * The table of neighbours says so, which may be ahead of the table of MACs, but never knows better.
     *
     * @param routerPort that the neighbour is behind
     */
    void suppose(long mac, int port, int routerPort) {
        int bridge = network.hasPort(port) ? network.bridgeOfPort(port) : VirtualNetwork.NONE;
        int vlan = vlanTowards(port, routerPort);
        if (bridge != VirtualNetwork.NONE && vlan >= 0 && tables.macPort(bridge, vlan, mac) == Tables.NONE) {
            learn(bridge, vlan, mac, port);
        }
    }

    /** A neighbour behind a router's port answered from this port of ours or another host's. */
    void answered(long mac, int port, int routerPort) {
        int bridge = network.hasPort(port) ? network.bridgeOfPort(port) : VirtualNetwork.NONE;
        int vlan = vlanTowards(port, routerPort);
        if (bridge != VirtualNetwork.NONE && vlan >= 0) {
            learn(bridge, vlan, mac, port);
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

    void forget(int bridge, int vlan, long mac, int port) {
        if (tables.forgetMac(bridge, vlan, mac, port)) {
            macsOfPort.decrementAndGet(port);
            invalidate(bridge, vlan, mac);
        }
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
}
