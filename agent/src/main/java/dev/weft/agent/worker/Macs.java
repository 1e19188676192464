package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
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
    private final Learnings learnings;
    private final int perPort;
    // Owned by the worker thread.
    private final Int2IntCounterMap macsOfPort = new Int2IntCounterMap(1024, 0.5f, 0);
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    private long overLimit;

    Macs(Tables tables, Flows flows, Siblings siblings, Learnings learnings, int perPort) {
        this.tables = tables;
        this.flows = flows;
        this.siblings = siblings;
        this.learnings = learnings;
        this.perPort = perPort;
    }

    void setNetwork(VirtualNetwork now) {
        network = now;
    }

    /** A packet from this port has this source. Siblings and the table hear of it. */
    void heard(int bridge, int vlan, long mac, int port) {
        if (macsOfPort.get(port) >= perPort) {
            overLimit++;
            return;
        }
        if (learn(bridge, vlan, mac, port)) {
            siblings.tell(new Command.MacLearned(bridge, vlan, mac, port));
            learnings.macLearned(bridge, vlan, mac, port);
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
