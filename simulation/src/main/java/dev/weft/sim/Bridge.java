package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.MacAddress;
import dev.weft.base.Tag;
import dev.weft.sim.packet.Ethernet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A learning bridge, compiled. Immutable. Each VLAN is a bridge of its own; {@link PortVlans} says which a port carries.
 *
 * <p>Known without learning, in the VLAN of each: the MACs and addresses of router ports joined to it and of VMs that the
 * topology describes, and the seeded neighbours. Questions for these are answered by {@link BridgeAnswers}, what is not known is flooded by
 * {@link BridgeFlood}.
 */
@HotPath
final class Bridge extends Device {
    /** What all of this was compiled from, to see whether it must be again. */
    final Object[] inputs;
    /** By port id, so that a flood is the same everywhere. */
    final int[] exterior;

    final int[] interior;
    /** Those in which something is known, ascending. */
    final BridgeVlan[] vlans;
    /** Where its exterior ports are. */
    final BridgeHosts hosts;
    /** Some port gives frames another VLAN than their tag says, or refuses some. */
    private final boolean vlanAware;

    final int inboundChain;
    final int outboundChain;
    /** Index of its service table. */
    final int serviceTable;

    Bridge(
            int index,
            UUID id,
            String name,
            boolean disabled,
            Object[] inputs,
            int[] exterior,
            int[] interior,
            BridgeVlan[] vlans,
            BridgeHosts hosts,
            boolean vlanAware,
            int inboundChain,
            int outboundChain,
            int serviceTable) {
        super(index, id, name, disabled);
        this.inputs = inputs;
        this.exterior = exterior;
        this.interior = interior;
        this.vlans = vlans;
        this.hosts = hosts;
        this.vlanAware = vlanAware;
        this.inboundChain = inboundChain;
        this.outboundChain = outboundChain;
        this.serviceTable = serviceTable;
    }

    @Override
    String kind() {
        return "bridge";
    }

    /** What is known in a VLAN. */
    BridgeVlan inVlan(int vlan) {
        for (BridgeVlan each : vlans) {
            if (each.id == vlan) {
                return each;
            }
        }
        return BridgeVlan.EMPTY;
    }

    @Override
    void expectAnswers(Simulation sim) {
        sim.expectAnswers(inboundChain);
        sim.expectAnswers(outboundChain);
    }

    @Override
    void receive(Simulation sim, Port in) {
        if (disabled) {
            sim.drop(this, DropReason.DISABLED);
            return;
        }
        int tag = sim.useVlan();
        int vlan = in.vlans.vlanOf(tag);
        if (vlan == PortVlans.NONE) {
            sim.drop(this, DropReason.VLAN_NOT_ALLOWED);
            return;
        }
        boolean mayLoseTag = sim.isTagged() && (vlanAware || tag == 0);
        if (mayLoseTag && sim.useEtherType() == Ethernet.VLAN) {
            sim.drop(this, DropReason.DOUBLE_TAGGED);
            return;
        }
        if (!sim.chains.passes(inboundChain, in.index, Port.NONE)) {
            return;
        }
        BridgeVlan known = inVlan(vlan);
        if (!isFromRouter(sim, in)) {
            long src = sim.useSrcMac();
            if (MacAddress.isGroup(src)) {
                sim.drop(this, DropReason.GROUP_SOURCE_MAC);
                return;
            }
            learn(sim, in, vlan, known, src);
        }
        long dst = sim.useDstMac();
        if (!MacAddress.isGroup(dst)) {
            receiveUnicast(sim, in, vlan, known, dst);
            return;
        }
        sim.out.addTag(Tag.flood(id));
        if (!isAnswered(sim, in, vlan, known)) {
            BridgeFlood.flood(sim, this, in, vlan);
        }
    }

    private boolean isAnswered(Simulation sim, Port in, int vlan, BridgeVlan known) {
        boolean looksFor = serviceTable != CompiledServices.NONE && ServiceWalk.isDiscovery(sim, this, in, known);
        return looksFor || BridgeAnswers.isAnswered(sim, this, in, vlan, known);
    }

    /** Router ports say nothing new: their MACs are known. */
    private static boolean isFromRouter(Simulation sim, Port in) {
        Port peer = in.peer == Port.NONE ? null : sim.network.port(in.peer);
        return peer != null && !peer.onBridge;
    }

    private void learn(Simulation sim, Port in, int vlan, BridgeVlan known, long src) {
        long tag = Tag.mac(id, vlan, src);
        boolean fixed = known.fixedMacs.get(0, src) != FrozenMap.NONE;
        if (!fixed && sim.tables.macPort(index, vlan, src) != in.index) {
            if (sim.out.hasTag(tag)) {
                sim.out.notCacheable(); // decided, on the way here, without knowing what it teaches here
            }
            sim.out.learnMac(index, vlan, src, in.index);
            if (sim.isExplaining()) {
                sim.explain(this, "learns " + MacAddress.toString(src) + inWords(vlan) + " on port " + in.name);
            }
        }
        sim.out.addTag(tag);
    }

    private void receiveUnicast(Simulation sim, Port in, int vlan, BridgeVlan known, long dst) {
        sim.out.addTag(Tag.mac(id, vlan, dst));
        if (known.dhcp != null && dst == known.dhcp.mac) {
            if (!known.dhcp.isAnswered(sim, this, in, vlan, known)) {
                sim.drop(this, DropReason.FOR_DHCP_SERVER);
            }
            return;
        }
        Port port = portOf(sim, vlan, known, dst);
        if (port == null) {
            if (sim.isExplaining()) {
                sim.explain(this, MacAddress.toString(dst) + " is not known" + inWords(vlan));
            }
            BridgeFlood.flood(sim, this, in, vlan);
        } else if (port == in) {
            sim.drop(this, DropReason.SAME_PORT);
        } else {
            if (sim.isExplaining()) {
                sim.explain(this, MacAddress.toString(dst) + " is on port " + port.name + inWords(vlan));
            }
            forward(sim, in, port, vlan);
        }
    }

    private @Nullable Port portOf(Simulation sim, int vlan, BridgeVlan known, long mac) {
        long fixed = known.fixedMacs.get(0, mac);
        int index = fixed != FrozenMap.NONE ? (int) fixed : learnedPort(sim, vlan, mac);
        Port port = index == Tables.NONE ? null : sim.network.port(index);
        // A table may still hold what a topology change has made void.
        return port != null && port.onBridge && port.device == this.index && port.vlans.form(vlan) != PortVlans.NONE
                ? port
                : null;
    }

    /** What this very frame teaches counts already: it is in the tables before the frame's flow is in the cache. */
    private int learnedPort(Simulation sim, int vlan, long mac) {
        int now = sim.out.learnedPort(index, vlan, mac);
        return now != Tables.NONE ? now : sim.tables.macPort(index, vlan, mac);
    }

    /** To a port that carries the VLAN, in the form it has there. */
    void forward(Simulation sim, Port in, Port out, int vlan) {
        sim.out.addTag(out.tag);
        if (sim.chains.passes(outboundChain, in.index, out.index)) {
            sim.retag(out.vlans.form(vlan) == PortVlans.TAGGED ? vlan : 0);
            sim.leave(out);
        }
    }

    static String inWords(int vlan) {
        return vlan == BridgeVlan.UNTAGGED ? "" : " in VLAN " + vlan;
    }
}
