package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;

/**
 * What a bridge sends to all ports of a VLAN: a copy to each port here, one to each other host that has such ports, and
 * one into each device joined to it. Copies that leave as the frame came go before those that need another tag.
 *
 * <p>A host has a key for each VLAN in which it has ports that are untagged; with it the frame comes without a tag. A
 * host whose ports in the VLAN are all tagged gets the frame with its tag, by the bridge's key for all VLANs.
 */
@HotPath
final class BridgeFlood {
    private BridgeFlood() {}

    static void flood(Simulation sim, Bridge bridge, Port in, int vlan) {
        if (!sim.chains.passes(bridge.outboundChain, in.index, Port.NONE)) {
            return;
        }
        if (sim.isExplaining()) {
            sim.explain(bridge, "floods" + Bridge.inWords(vlan));
        }
        boolean tagged = sim.isTagged();
        copies(sim, bridge, in.index, vlan, tagged, true);
        copies(sim, bridge, in.index, vlan, !tagged, true);
        for (int each : bridge.interior) {
            Port port = sim.network.port(each);
            int form = port == null ? PortVlans.NONE : port.vlans.form(vlan);
            if (each != in.index && port != null && form != PortVlans.NONE) {
                sim.retag(form == PortVlans.TAGGED ? vlan : 0);
                sim.branch(port);
            }
        }
    }

    /**
     * The frame came from another host: to this host's ports of the bridge, no further.
     *
     * @param vlan of the key it came with; 0: the frame's tag says
     */
    static void floodHere(Simulation sim, Bridge bridge, int vlan) {
        sim.explain(bridge, "flood from another host");
        if (bridge.disabled) {
            sim.drop(bridge, DropReason.DISABLED);
            return;
        }
        if (vlan == BridgeVlan.UNTAGGED && bridge.hosts.allPlain()) {
            sim.out.addTag(Tag.flood(bridge.id));
            local(sim, bridge, Port.NONE);
            return;
        }
        int tag = sim.useVlan();
        if (vlan != BridgeVlan.UNTAGGED && sim.isTagged()) {
            sim.drop(bridge, DropReason.VLAN_NOT_ALLOWED);
            return;
        }
        int of = vlan == BridgeVlan.UNTAGGED ? tag : vlan;
        boolean tagged = sim.isTagged();
        copies(sim, bridge, Port.NONE, of, tagged, false);
        copies(sim, bridge, Port.NONE, of, !tagged, false);
    }

    /** Those that leave in one of the two forms. */
    private static void copies(Simulation sim, Bridge bridge, int except, int vlan, boolean tagged, boolean elsewhere) {
        sim.out.addTag(Tag.flood(bridge.id));
        if (tagged && vlan == BridgeVlan.UNTAGGED) {
            return;
        }
        sim.retag(tagged ? vlan : 0);
        for (int each : bridge.exterior) {
            Port port = sim.network.port(each);
            int form = port == null ? PortVlans.NONE : port.vlans.form(vlan);
            if (form == (tagged ? PortVlans.TAGGED : PortVlans.UNTAGGED)) {
                output(sim, each, except);
            }
        }
        if (elsewhere && tagged) {
            tunnelTagged(sim, bridge, vlan);
        } else if (elsewhere) {
            tunnelUntagged(sim, bridge, vlan);
        }
    }

    /** Every port here takes every frame as it is. */
    private static void local(Simulation sim, Bridge bridge, int except) {
        for (int each : bridge.exterior) {
            output(sim, each, except);
        }
    }

    private static void output(Simulation sim, int each, int except) {
        Port port = sim.network.port(each);
        int datapathPort = sim.tables.localPort(each);
        if (each != except && datapathPort != Tables.NONE && port != null) {
            sim.exitFlood(port, datapathPort);
        }
    }

    private static void tunnelUntagged(Simulation sim, Bridge bridge, int vlan) {
        for (Tables.FloodTarget target : sim.tables.floodTargets(bridge.index, vlan)) {
            if (vlan != BridgeVlan.UNTAGGED || bridge.hosts.takes(target.host(), vlan)) {
                sim.leaveAt(bridge);
                sim.tunnel(target.high(), target.low(), target.key(), 0);
            }
        }
    }

    private static void tunnelTagged(Simulation sim, Bridge bridge, int vlan) {
        Tables.FloodTarget[] untagged = sim.tables.floodTargets(bridge.index, vlan);
        for (Tables.FloodTarget target : sim.tables.floodTargets(bridge.index, BridgeVlan.UNTAGGED)) {
            if (bridge.hosts.takes(target.host(), vlan) && !isAmong(untagged, target)) {
                sim.leaveAt(bridge);
                sim.tunnel(target.high(), target.low(), target.key(), 0);
            }
        }
    }

    private static boolean isAmong(Tables.FloodTarget[] targets, Tables.FloodTarget other) {
        for (Tables.FloodTarget each : targets) {
            if (each.host().equals(other.host())) {
                return true;
            }
        }
        return false;
    }
}
