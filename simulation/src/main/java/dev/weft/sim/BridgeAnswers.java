package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Arp;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ndp;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;

/** What a bridge answers by itself: questions for addresses that it knows, and clients of its DHCP server, each in its
 * VLAN. */
@HotPath
final class BridgeAnswers {
    private static final long ALL_NODES_HIGH = 0xff02_0000_0000_0000L;
    private static final long ALL_NODES_LOW = 1;
    private static final String SEEDED = "answers from its seeded neighbours";

    private BridgeAnswers() {}

    /** Group frames only: what asks for an address this bridge knows, or by DHCP for its own. */
    static boolean isAnswered(Simulation sim, Bridge bridge, Port in, int vlan, BridgeVlan known) {
        int etherType = sim.useEtherType();
        if (etherType == Ethernet.ARP) {
            sim.out.notCacheable();
            return sim.packet.key.protocol() == Arp.REQUEST && isArpAnswered(sim, bridge, in, vlan, known);
        }
        if (etherType == Ethernet.IPV4) {
            return known.dhcp != null && known.dhcp.isAnswered(sim, bridge, in, vlan, known);
        }
        if (etherType != Ethernet.IPV6 || !sim.useIsDiscovery()) {
            return false;
        }
        sim.out.notCacheable();
        return sim.packet.key.l4Src() == Ndp.NEIGHBOUR_SOLICITATION
                && Ndp.isValidSolicitation(sim.packet)
                && isSolicitationAnswered(sim, bridge, in, vlan, known);
    }

    private static boolean isArpAnswered(Simulation sim, Bridge bridge, Port in, int vlan, BridgeVlan known) {
        long target = sim.dstLow();
        if (sim.srcLow() == target) {
            return false; // gratuitous: tells, does not ask
        }
        if (isForRouter(sim, bridge, in, vlan, known, 0, target)) {
            return true;
        }
        long mac = known.known.get(0, target);
        if (mac == FrozenMap.NONE || mac == sim.srcMac() || !sim.out.hasEmitRoom()) {
            return false;
        }
        int length = PacketWriter.arpReply(
                sim.out.emitBuffer(), sim.out.nextEmit(), mac, (int) target, sim.srcMac(), (int) sim.srcLow());
        sim.emitted(in, length, vlan, "ARP reply for ", sim.isExplaining() ? IpAddress.toString(0, target) : "");
        sim.consume(bridge, SEEDED);
        return true;
    }

    private static boolean isSolicitationAnswered(Simulation sim, Bridge bridge, Port in, int vlan, BridgeVlan known) {
        Packet packet = sim.packet;
        long at = packet.offset + packet.l4Offset;
        long high = Ndp.targetHigh(packet.segment, at);
        long low = Ndp.targetLow(packet.segment, at);
        if (isForRouter(sim, bridge, in, vlan, known, high, low)) {
            return true;
        }
        long mac = known.known.get(high, low);
        if (mac == FrozenMap.NONE || mac == sim.srcMac() || !sim.out.hasEmitRoom()) {
            return false;
        }
        advertise(sim, in, vlan, mac, high, low, Ndp.OVERRIDE);
        sim.consume(bridge, SEEDED);
        return true;
    }

    /** The router answers itself, since it learns from being asked. */
    private static boolean isForRouter(
            Simulation sim, Bridge bridge, Port in, int vlan, BridgeVlan known, long high, long low) {
        long towards = known.routerAddresses.get(high, low);
        Port port = towards == FrozenMap.NONE ? null : sim.network.port((int) towards);
        if (port == null || port == in) {
            return false;
        }
        if (sim.isExplaining()) {
            sim.explain(bridge, IpAddress.toString(high, low) + " is a router's, on port " + port.name);
        }
        bridge.forward(sim, in, port, vlan);
        return true;
    }

    /**
     * The answer to the valid solicitation at hand; a duplicate address check is answered to all (RFC 4861 §7.2.4).
     *
     * @param vlan of the question; 0 at routers
     */
    static void advertise(Simulation sim, Port out, int vlan, long mac, long high, long low, int flags) {
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
        String whom = sim.isExplaining() ? IpAddress.toString(high, low) : "";
        sim.emitted(out, length, vlan, "neighbour advertisement for ", whom);
    }
}
