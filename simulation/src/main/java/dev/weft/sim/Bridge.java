package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.Tag;
import dev.weft.sim.packet.Arp;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ndp;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A learning bridge, compiled. Immutable.
 *
 * <p>Known without learning: the MACs and addresses of router ports joined to it, and the seeded neighbours. They hold
 * for untagged frames (and priority-tagged ones, VLAN 0); the frames of other VLANs pass by what is learned, each VLAN
 * for itself, and are never answered.
 */
@HotPath
final class Bridge extends Device {
    private static final long ALL_NODES_HIGH = 0xff02_0000_0000_0000L;
    private static final long ALL_NODES_LOW = 1;

    /** What all of this was compiled from, to see whether it must be again. */
    final Object[] inputs;
    /** By port id, so that a flood is the same everywhere. */
    final int[] exterior;

    final int[] interior;
    /** MAC of a joined router port, to our port towards it. */
    final FrozenMap routerMacs;
    /** Address of a joined router port, to our port towards it. */
    final FrozenMap routerAddresses;
    /** Address of a router port or seeded neighbour, to its MAC. */
    final FrozenMap known;

    final int inboundChain;
    final int outboundChain;

    Bridge(
            int index,
            UUID id,
            String name,
            Object[] inputs,
            int[] exterior,
            int[] interior,
            FrozenMap routerMacs,
            FrozenMap routerAddresses,
            FrozenMap known,
            int inboundChain,
            int outboundChain) {
        super(index, id, name);
        this.inputs = inputs;
        this.exterior = exterior;
        this.interior = interior;
        this.routerMacs = routerMacs;
        this.routerAddresses = routerAddresses;
        this.known = known;
        this.inboundChain = inboundChain;
        this.outboundChain = outboundChain;
    }

    @Override
    String kind() {
        return "bridge";
    }

    @Override
    void receive(Simulation sim, Port in) {
        if (!sim.chains.passes(inboundChain, in.index, Port.NONE)) {
            return;
        }
        int vlan = sim.useVlan();
        if (!isFromRouter(sim, in)) {
            long src = sim.useSrcMac();
            if (MacAddress.isGroup(src)) {
                sim.drop(this, DropReason.GROUP_SOURCE_MAC);
                return;
            }
            learn(sim, in, vlan, src);
        }
        long dst = sim.useDstMac();
        if (!MacAddress.isGroup(dst)) {
            receiveUnicast(sim, in, vlan, dst);
        } else if (!isAnswered(sim, in, vlan)) {
            flood(sim, in);
        }
    }

    /** Router ports say nothing new: their MACs are known. */
    private static boolean isFromRouter(Simulation sim, Port in) {
        Port peer = in.peer == Port.NONE ? null : sim.network.port(in.peer);
        return peer != null && !peer.onBridge;
    }

    private void learn(Simulation sim, Port in, int vlan, long src) {
        long tag = Tag.mac(id, vlan, src);
        boolean joined = vlan == 0 && routerMacs.get(0, src) != FrozenMap.NONE;
        if (!joined && sim.tables.macPort(index, vlan, src) != in.index) {
            if (sim.out.hasTag(tag)) {
                sim.out.notCacheable(); // decided, on the way here, without knowing what it teaches here
            }
            sim.out.learnMac(index, vlan, src, in.index);
            if (sim.isExplaining()) {
                sim.explain(this, "learns " + MacAddress.toString(src) + " on port " + in.name);
            }
        }
        sim.out.addTag(tag);
    }

    private void receiveUnicast(Simulation sim, Port in, int vlan, long dst) {
        sim.out.addTag(Tag.mac(id, vlan, dst));
        Port port = portOf(sim, vlan, dst);
        if (port == null) {
            if (sim.isExplaining()) {
                sim.explain(this, MacAddress.toString(dst) + " is not known");
            }
            flood(sim, in);
        } else if (port == in) {
            sim.drop(this, DropReason.SAME_PORT);
        } else {
            if (sim.isExplaining()) {
                sim.explain(this, MacAddress.toString(dst) + " is on port " + port.name);
            }
            forward(sim, in, port);
        }
    }

    private void forward(Simulation sim, Port in, Port out) {
        if (sim.chains.passes(outboundChain, in.index, out.index)) {
            sim.leave(out);
        }
    }

    private @Nullable Port portOf(Simulation sim, int vlan, long mac) {
        long joined = vlan == 0 ? routerMacs.get(0, mac) : FrozenMap.NONE;
        int index = joined != FrozenMap.NONE ? (int) joined : learnedPort(sim, vlan, mac);
        Port port = index == Tables.NONE ? null : sim.network.port(index);
        // A table may still hold what a topology change has made void.
        return port != null && port.onBridge && port.device == this.index ? port : null;
    }

    /** What this very frame teaches counts already: it is in the tables before the frame's flow is in the cache. */
    private int learnedPort(Simulation sim, int vlan, long mac) {
        int now = sim.out.learnedPort(index, vlan, mac);
        return now != Tables.NONE ? now : sim.tables.macPort(index, vlan, mac);
    }

    void flood(Simulation sim, Port in) {
        if (!sim.chains.passes(outboundChain, in.index, Port.NONE)) {
            return;
        }
        sim.explain(this, "floods");
        floodLocally(sim, in.index);
        for (Tables.FloodTarget target : sim.tables.floodTargets(index)) {
            sim.leaveAt(this);
            sim.tunnel(target.high(), target.low(), target.key());
        }
        for (int each : interior) {
            Port port = sim.network.port(each);
            if (each != in.index && port != null) {
                sim.branch(port);
            }
        }
    }

    /** To this host's ports of the bridge: all there is to do for a flood that came from another host. */
    void floodLocally(Simulation sim, int except) {
        sim.out.addTag(Tag.flood(id));
        for (int each : exterior) {
            int datapathPort = sim.tables.localPort(each);
            Port port = sim.network.port(each);
            if (each != except && datapathPort != Tables.NONE && port != null) {
                sim.exitFlood(port, datapathPort);
            }
        }
    }

    /** Group frames only: what asks for an address this bridge knows. */
    private boolean isAnswered(Simulation sim, Port in, int vlan) {
        int etherType = sim.useEtherType();
        if (etherType == Ethernet.ARP) {
            sim.out.notCacheable();
            return vlan == 0 && sim.packet.key.protocol() == Arp.REQUEST && isArpAnswered(sim, in);
        }
        if (etherType != Ethernet.IPV6 || !sim.useIsDiscovery()) {
            return false;
        }
        sim.out.notCacheable();
        return vlan == 0
                && sim.packet.key.l4Src() == Ndp.NEIGHBOUR_SOLICITATION
                && Ndp.isValidSolicitation(sim.packet)
                && isSolicitationAnswered(sim, in);
    }

    private boolean isArpAnswered(Simulation sim, Port in) {
        long target = sim.dstLow();
        if (sim.srcLow() == target) {
            return false; // gratuitous: tells, does not ask
        }
        if (isForRouter(sim, in, 0, target)) {
            return true;
        }
        long mac = known.get(0, target);
        if (mac == FrozenMap.NONE || mac == sim.srcMac() || !sim.out.hasEmitRoom()) {
            return false;
        }
        int length = PacketWriter.arpReply(
                sim.out.emitBuffer(), sim.out.nextEmit(), mac, (int) target, sim.srcMac(), (int) sim.srcLow());
        sim.emitted(in, length, "ARP reply for ", sim.isExplaining() ? IpAddress.toString(0, target) : "");
        sim.consume(this, "answers from its seeded neighbours");
        return true;
    }

    private boolean isSolicitationAnswered(Simulation sim, Port in) {
        Packet packet = sim.packet;
        long at = packet.offset + packet.l4Offset;
        long high = Ndp.targetHigh(packet.segment, at);
        long low = Ndp.targetLow(packet.segment, at);
        if (isForRouter(sim, in, high, low)) {
            return true;
        }
        long mac = known.get(high, low);
        if (mac == FrozenMap.NONE || mac == sim.srcMac() || !sim.out.hasEmitRoom()) {
            return false;
        }
        advertise(sim, in, mac, high, low, Ndp.OVERRIDE);
        sim.consume(this, "answers from its seeded neighbours");
        return true;
    }

    /** The router answers itself, since it learns from being asked. */
    private boolean isForRouter(Simulation sim, Port in, long high, long low) {
        long towards = routerAddresses.get(high, low);
        Port port = towards == FrozenMap.NONE ? null : sim.network.port((int) towards);
        if (port == null || port == in) {
            return false;
        }
        if (sim.isExplaining()) {
            sim.explain(this, IpAddress.toString(high, low) + " is a router's, on port " + port.name);
        }
        forward(sim, in, port);
        return true;
    }

    /** The answer to the valid solicitation at hand; a duplicate address check is answered to all (RFC 4861 §7.2.4). */
    static void advertise(Simulation sim, Port out, long mac, long high, long low, int flags) {
        boolean check = (sim.srcHigh() | sim.srcLow()) == 0;
        int length = PacketWriter.neighbourAdvertisement(
                sim.out.emitBuffer(),
                sim.out.nextEmit(),
                mac,
                high,
                low,
                check ? Ethernet.groupMac(ALL_NODES_HIGH, ALL_NODES_LOW) : sim.srcMac(),
                check ? ALL_NODES_HIGH : sim.srcHigh(),
                check ? ALL_NODES_LOW : sim.srcLow(),
                check ? flags : flags | Ndp.SOLICITED);
        sim.emitted(
                out, length, "neighbour advertisement for ", sim.isExplaining() ? IpAddress.toString(high, low) : "");
    }
}
