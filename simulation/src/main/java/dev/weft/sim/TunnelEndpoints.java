package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.Tag;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.match.Lpm;
import dev.weft.sim.packet.Ipv4;
import dev.weft.topology.MtuRules;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Host;
import java.util.List;
import java.util.UUID;

/**
 * The underlay addresses of all hosts. VXLAN is not authenticated: a tenant whose packets reach the fabric through an
 * uplink must not be able to send into others' networks. Immutable.
 */
@HotPath
final class TunnelEndpoints {
    static final TunnelEndpoints NONE = new TunnelEndpoints(List.of(), 0);

    /** Of every decision that rests on the set as a whole. */
    static final long TAG = Tag.device(new UUID(0, 0));

    /** The port of VXLAN (RFC 7348). */
    private static final int VXLAN = 4789;

    private final List<IpPrefix> addresses;
    private final Lpm lookup;
    /** The longest packet that every host's tunnels take; 0: unknown. */
    final int mtu;

    private TunnelEndpoints(List<IpPrefix> addresses, int mtu) {
        this.addresses = addresses;
        this.mtu = mtu;
        lookup = Lpm.of(addresses);
    }

    /** @param before taken over when nothing is new */
    static TunnelEndpoints of(TopologySnapshot snapshot, TunnelEndpoints before) {
        List<IpPrefix> addresses = snapshot.hosts().stream()
                .map(Host::getUnderlay)
                .distinct()
                .sorted()
                .map(IpAddress::parse)
                .map(address -> IpPrefix.of(address, address.width()))
                .toList();
        int mtu = snapshot.hosts().stream()
                .mapToInt(MtuRules::insideTunnel)
                .filter(each -> each != 0)
                .min()
                .orElse(0);
        return addresses.equals(before.addresses) && mtu == before.mtu ? before : new TunnelEndpoints(addresses, mtu);
    }

    boolean contains(long high, long low) {
        return Lpm.value(lookup.lookup(high, low)) != Lpm.NONE;
    }

    /** Whether the packet is a tunnel packet to one of them. */
    boolean useIsTunnelPacket(Simulation sim) {
        sim.out.addTag(TAG);
        long found = lookup.lookup(sim.dstHigh(), sim.dstLow());
        sim.useDstHigh(Lpm.proven(found));
        return Lpm.value(found) != Lpm.NONE
                && sim.useProtocol() == Ipv4.UDP
                && sim.useFragment() != FlowKey.LATER_FRAGMENT
                && sim.useL4Dst() == VXLAN;
    }
}
