package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.match.Lpm;
import dev.weft.sim.packet.Arp;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Ndp;
import dev.weft.sim.packet.Packet;
import org.jspecify.annotations.Nullable;

/**
 * Holds what a VM sends against what the topology says that it is: source MAC, source address, what it says of itself by
 * ARP and neighbour discovery. It neither serves DHCP nor is it a router to its neighbours. Before all else that the
 * virtual network does with a packet.
 */
@HotPath
final class PortSecurity {
    private static final int DHCP_SERVER = 67;
    private static final int DHCP_CLIENT = 68;
    private static final int DHCP6_SERVER = 547;
    private static final int PORT_BITS = 16;
    private static final int FULL_ADDRESS = 128;

    private PortSecurity() {}

    /** Why the packet, as it came in, must not; null when it may. */
    static @Nullable DropReason refusal(Simulation sim, Station station) {
        int mac = station.macNumber(sim.useSrcMac());
        if (mac < 0) {
            return DropReason.SPOOFED_MAC;
        }
        return switch (sim.useEtherType()) {
            case Ethernet.ARP -> ofArp(sim, station);
            case Ethernet.IPV4 -> ofIpv4(sim, station, mac);
            case Ethernet.IPV6 -> ofIpv6(sim, station, mac);
            case Ethernet.VLAN, Ethernet.SERVICE_VLAN -> DropReason.DOUBLE_TAGGED; // nobody knows what is in it
            default -> null;
        };
    }

    /** What it says of itself is no part of a key. */
    private static @Nullable DropReason ofArp(Simulation sim, Station station) {
        sim.out.notCacheable();
        Packet packet = sim.packet;
        int mac = station.macNumber(Arp.senderMac(packet.segment, packet.offset + packet.l3Offset));
        boolean asksOnly = (int) sim.srcLow() == 0 && packet.key.protocol() == Arp.REQUEST; // RFC 5227 §2.1.1
        return mac >= 0 && (asksOnly || isOf(station, mac, 0, sim.srcLow())) ? null : DropReason.SPOOFED_NEIGHBOUR;
    }

    private static @Nullable DropReason ofIpv4(Simulation sim, Station station, int mac) {
        if (!useIsSource(sim, station, mac) && !isDhcpClient(sim)) {
            return DropReason.SPOOFED_ADDRESS;
        }
        return useIsFrom(sim, DHCP_SERVER) ? DropReason.ROGUE_DHCP : null;
    }

    /** A VM without an address asks for one (RFC 2131 §4.1). */
    private static boolean isDhcpClient(Simulation sim) {
        sim.useSrcHigh(FULL_ADDRESS);
        return (int) sim.srcLow() == 0 && useIsFrom(sim, DHCP_CLIENT) && sim.useL4Dst() == DHCP_SERVER;
    }

    private static @Nullable DropReason ofIpv6(Simulation sim, Station station, int mac) {
        boolean mine = useIsSource(sim, station, mac);
        if (sim.useProtocol() == Ipv6.ICMPV6 && sim.useFragment() != FlowKey.LATER_FRAGMENT) {
            return ofIcmpv6(sim, station, mine);
        }
        if (!mine) {
            return DropReason.SPOOFED_ADDRESS;
        }
        return useIsFrom(sim, DHCP6_SERVER) ? DropReason.ROGUE_DHCP : null;
    }

    private static @Nullable DropReason ofIcmpv6(Simulation sim, Station station, boolean mine) {
        int type = sim.useIcmpType();
        if (type == Ndp.ROUTER_ADVERTISEMENT || type == Icmpv6.REDIRECT) {
            return DropReason.ROGUE_ROUTER;
        }
        if (!mine && !(isUnspecified(sim) && maySendWithoutAddress(type))) {
            return DropReason.SPOOFED_ADDRESS;
        }
        if (type == Ndp.NEIGHBOUR_SOLICITATION || type == Ndp.NEIGHBOUR_ADVERTISEMENT) {
            sim.out.notCacheable();
            return isHonest(sim.packet, station, type) ? null : DropReason.SPOOFED_NEIGHBOUR;
        }
        return null;
    }

    private static boolean isUnspecified(Simulation sim) {
        sim.useSrcHigh(FULL_ADDRESS);
        return (sim.srcHigh() | sim.srcLow()) == 0;
    }

    /** RFC 4861 §4.1, §4.3; RFC 3590 §4. */
    private static boolean maySendWithoutAddress(int type) {
        return type == Ndp.ROUTER_SOLICITATION
                || type == Ndp.NEIGHBOUR_SOLICITATION
                || type == Icmpv6.LISTENER_REPORT
                || type == Icmpv6.LISTENER_REPORT_2;
    }

    /** It tells no MAC but one of its own, and for no address but its own. */
    private static boolean isHonest(Packet packet, Station station, int type) {
        boolean solicits = type == Ndp.NEIGHBOUR_SOLICITATION;
        if (solicits ? !Ndp.isValidSolicitation(packet) : !Ndp.isValidAdvertisement(packet)) {
            return false;
        }
        long at = packet.offset + packet.l4Offset;
        int option = solicits ? Ndp.SOURCE_LINK_ADDRESS : Ndp.TARGET_LINK_ADDRESS;
        long told = Ndp.linkAddress(packet.segment, at, packet.offset + packet.l3End, option);
        int mac = station.macNumber(told == Ndp.NO_MAC ? packet.key.srcMac() : told);
        if (mac < 0) {
            return false;
        }
        boolean checksDuplicates = solicits && (packet.key.srcHigh() | packet.key.srcLow()) == 0;
        if (solicits && !checksDuplicates) {
            return isOf(station, mac, packet.key.srcHigh(), packet.key.srcLow());
        }
        return isOf(station, mac, Ndp.targetHigh(packet.segment, at), Ndp.targetLow(packet.segment, at));
    }

    private static boolean useIsSource(Simulation sim, Station station, int mac) {
        long found = station.source(mac, sim.srcHigh(), sim.srcLow());
        sim.useSrcHigh(Lpm.proven(found));
        return Lpm.value(found) != Lpm.NONE;
    }

    private static boolean isOf(Station station, int mac, long high, long low) {
        return Lpm.value(station.source(mac, high, low)) != Lpm.NONE;
    }

    /** Whether it is UDP from this port: costs the port's bits up to the first that differs. */
    private static boolean useIsFrom(Simulation sim, int port) {
        if (sim.useProtocol() != Ipv4.UDP || sim.useFragment() == FlowKey.LATER_FRAGMENT) {
            return false;
        }
        int differing = Integer.numberOfLeadingZeros(sim.headers.l4Src ^ port) - (Integer.SIZE - PORT_BITS);
        sim.useL4Src(Math.min(PORT_BITS, differing + 1));
        return sim.headers.l4Src == port;
    }
}
