package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Headers;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;

/**
 * What a stateful port lets in: answers to what its VM began, ICMP errors about it, ARP and neighbour discovery;
 * nothing else, IP or not. It asks for the connection that began here with the packet turned round, so that the answer
 * may come from anywhere.
 */
@HotPath
final class StatefulGate {
    private final ConnectionTable connections;
    private final ConnectionKey key = new ConnectionKey();

    StatefulGate(ConnectionTable connections) {
        this.connections = connections;
    }

    /** Whether the packet may leave by the port, to its VM. */
    boolean admits(Simulation sim, Port port) {
        int etherType = sim.useEtherType();
        if (etherType == Ethernet.ARP) {
            return true;
        }
        boolean v4 = etherType == Ethernet.IPV4;
        if (!v4 && etherType != Ethernet.IPV6) {
            return false;
        }
        if (!v4 && sim.useIsDiscovery()) {
            return true;
        }
        boolean admitted = isKnown(sim, port, v4);
        if (sim.isExplaining()) {
            sim.explain("port", port.name, admitted ? "stateful: an answer" : "stateful: no answer to any connection");
        }
        return admitted;
    }

    private boolean isKnown(Simulation sim, Port port, boolean v4) {
        int protocol = sim.useProtocol();
        if (Tracking.isIcmp(protocol, v4)) {
            sim.useFragment();
            int type = sim.useIcmpType();
            if (v4 ? Icmp.isError(type) : Icmpv6.isError(type)) {
                return isAboutKnown(sim, port, v4);
            }
            if (!Tracking.isEchoReply(type, v4)) {
                return false; // neither answers nor reports: multicast listeners, router solicitations
            }
        }
        Tracking.useTuple(sim);
        Tracking.currentKey(sim, v4, key);
        key.answering(key);
        return lookUp(sim, port);
    }

    /** An ICMP error quotes a packet that our VM sent. The quote is no part of a flow key, so no flow comes of it. */
    private boolean isAboutKnown(Simulation sim, Port port, boolean v4) {
        sim.out.notCacheable();
        Headers about = sim.quoted;
        boolean mine = sim.packet.quote.present && about.srcHigh == sim.dstHigh() && about.srcLow == sim.dstLow();
        boolean begins =
                mine && (!Tracking.isIcmp(sim.packet.quote.protocol, v4) || Tracking.isEchoRequest(about.l4Src, v4));
        if (!begins) {
            return false;
        }
        Tracking.currentQuotedKey(sim, v4, key);
        return lookUp(sim, port);
    }

    private boolean lookUp(Simulation sim, Port port) {
        Device device = sim.network.device(port);
        key.scope(device == null ? 0 : device.tag);
        sim.out.addTag(connections.tag(key));
        int slot = connections.begunBy(key, sim.nowNanos);
        return slot != ConnectionTable.NONE
                && connections.isOfPort(slot, port.id.getMostSignificantBits(), port.id.getLeastSignificantBits());
    }
}
