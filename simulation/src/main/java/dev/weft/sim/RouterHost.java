package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Arp;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Ndp;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;

/**
 * What is for a router itself: ARP and neighbour discovery on its ports, echo requests, and packets it does not serve.
 * It learns neighbours from questions to it, answers and announcements, within the subnets of the port they came by.
 */
@HotPath
final class RouterHost {
    /** Ethernet and IPv6, the larger of the two. */
    private static final int HEADERS = Ethernet.LENGTH + Ipv6.LENGTH;

    private RouterHost() {}

    static void receiveArp(Simulation sim, Router router, Port in) {
        sim.out.notCacheable();
        Packet packet = sim.packet;
        long at = packet.offset + packet.l3Offset;
        long sender = sim.srcLow();
        long target = sim.dstLow();
        if (in.owns(0, sender)) {
            sim.drop(router, DropReason.OWN_SOURCE);
            return;
        }
        boolean toUs = in.owns(0, target) || answersFor(router, in, 0, target);
        if (!toUs && sender != target) {
            sim.drop(router, DropReason.FOR_ROUTER);
            return;
        }
        learn(sim, router, in, 0, sender, Arp.senderMac(packet.segment, at));
        if (toUs && packet.key.protocol() == Arp.REQUEST && sim.out.hasEmitRoom()) {
            int length = PacketWriter.arpReply(
                    sim.out.emitBuffer(), sim.out.nextEmit(), in.mac, (int) target, sim.srcMac(), (int) sender);
            sim.emitted(in, length, "ARP reply for ", sim.isExplaining() ? IpAddress.toString(0, target) : "");
        }
        sim.consume(router, "takes the ARP packet");
    }

    /** Addresses that stand for inside ones, in the subnet they are asked for in. */
    private static boolean answersFor(Router router, Port in, long high, long low) {
        return in.isOnLink(high, low) && router.nat.claims(high, low);
    }

    /** Types 133 to 137, to a group or to one of our addresses. */
    static void receiveDiscovery(Simulation sim, Router router, Port in) {
        sim.out.notCacheable();
        Packet packet = sim.packet;
        long at = packet.offset + packet.l4Offset;
        if (Ndp.isValidSolicitation(packet)) {
            solicited(sim, router, in, Ndp.targetHigh(packet.segment, at), Ndp.targetLow(packet.segment, at));
        } else if (Ndp.isValidAdvertisement(packet)) {
            advertised(sim, router, in, Ndp.targetHigh(packet.segment, at), Ndp.targetLow(packet.segment, at));
        } else {
            sim.drop(router, DropReason.FOR_ROUTER);
        }
    }

    private static void solicited(Simulation sim, Router router, Port in, long high, long low) {
        if (!in.owns(high, low) && !answersFor(router, in, high, low)) {
            sim.drop(router, DropReason.FOR_ROUTER);
            return;
        }
        Packet packet = sim.packet;
        long mac = Ndp.linkAddress(
                packet.segment, packet.offset + packet.l4Offset, packet.offset + packet.l3End, Ndp.SOURCE_LINK_ADDRESS);
        if (mac != Ndp.NO_MAC) {
            learn(sim, router, in, sim.srcHigh(), sim.srcLow(), mac);
        }
        if (sim.out.hasEmitRoom()) {
            BridgeAnswers.advertise(sim, in, 0, in.mac, high, low, Ndp.ROUTER | Ndp.OVERRIDE);
        }
        sim.consume(router, "takes the solicitation");
    }

    private static void advertised(Simulation sim, Router router, Port in, long high, long low) {
        Packet packet = sim.packet;
        long mac = Ndp.linkAddress(
                packet.segment, packet.offset + packet.l4Offset, packet.offset + packet.l3End, Ndp.TARGET_LINK_ADDRESS);
        // A unicast answer may leave the option out (RFC 4861 §4.4): the asker has just used the address.
        learn(sim, router, in, high, low, mac == Ndp.NO_MAC ? sim.srcMac() : mac);
        sim.consume(router, "takes the advertisement");
    }

    private static void learn(Simulation sim, Router router, Port in, long high, long low, long mac) {
        boolean sound = in.isOnLink(high, low)
                && !in.owns(high, low)
                && !IpAddress.isGroup(high, low)
                && !MacAddress.isGroup(mac)
                && mac != 0
                && Router.knownMac(sim, in, high, low) == FrozenMap.NONE; // what the topology says needs no telling
        if (!sound) {
            return;
        }
        sim.out.learnNeighbour(router.index, in.index, high, low, mac);
        if (sim.isExplaining()) {
            sim.explain(router, "learns that " + IpAddress.toString(high, low) + " is " + MacAddress.toString(mac));
        }
    }

    /** A unicast packet to one of the router's addresses, on this port or another. */
    static void receiveIp(Simulation sim, Router router, Port in, boolean v4) {
        int protocol = sim.useProtocol();
        int fragment = sim.useFragment();
        if (protocol == (v4 ? Ipv4.ICMP : Ipv6.ICMPV6)) {
            if (!v4 && sim.useIsDiscovery()) {
                receiveDiscovery(sim, router, in);
                return;
            }
            if (fragment == FlowKey.NOT_FRAGMENT && isEchoRequest(sim.useIcmpType(), v4)) {
                answerEcho(sim, router, in);
                return;
            }
            sim.drop(router, DropReason.FOR_ROUTER);
            return;
        }
        if (v4 && ServiceWalk.isForRouter(sim, router)) {
            ServiceWalk.atRouter(sim, router, in);
            return;
        }
        if (v4 && isDhcp(sim, router, in) || DnsServer.isAnswered(sim, router, in)) {
            return;
        }
        sim.drop(router, DropReason.FOR_ROUTER);
        boolean ports = protocol == Ipv4.TCP || protocol == Ipv4.UDP;
        sim.icmpError(in, ports ? IcmpError.PORT_UNREACHABLE : IcmpError.PROTOCOL_UNREACHABLE);
    }

    /** A client of the bridge behind the port, whose DHCP server has this router's address, renews its lease. */
    private static boolean isDhcp(Simulation sim, Router router, Port in) {
        BridgeVlan bridge = Router.bridgeBehind(sim, in);
        return bridge.dhcp != null && bridge.dhcp.isAnswered(sim, router, in, BridgeVlan.UNTAGGED, bridge);
    }

    private static boolean isEchoRequest(int type, boolean v4) {
        return type == (v4 ? Icmp.ECHO_REQUEST : Icmpv6.ECHO_REQUEST);
    }

    private static void answerEcho(Simulation sim, Router router, Port in) {
        sim.out.notCacheable();
        Packet packet = sim.packet;
        int body = packet.l3End - packet.l4Offset;
        if (body > Outcome.MAX_EMIT_LENGTH - HEADERS || !sim.out.hasEmitRoom()) {
            sim.drop(router, DropReason.TOO_LONG);
            return;
        }
        int length = PacketWriter.echoReply(sim.out.emitBuffer(), sim.out.nextEmit(), packet, in.mac, sim.srcMac());
        sim.translateAnswer(length);
        sim.emitted(in, length, "echo reply", "");
        sim.consume(router, "answers the echo request");
    }
}
