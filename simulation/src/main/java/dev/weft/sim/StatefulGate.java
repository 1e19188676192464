package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Headers;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Quote;
import dev.weft.state.ConnectionKey;
import dev.weft.state.ConnectionTable;

/**
 * What a stateful port lets in: answers to what its VM began, ICMP errors about it, ARP and neighbour discovery;
 * nothing else, IP or not.
 *
 * <p>A connection begins with any TCP or UDP packet, an ICMP echo request, or a packet of another IP protocol, from the
 * VM; replies to echoes and ICMP errors begin nothing. Fragments have no ports here, first ones neither: fragmented
 * answers are those to fragmented questions.
 */
@HotPath
final class StatefulGate {
    private final ConnectionTable connections;
    private final ConnectionKey key = new ConnectionKey();

    StatefulGate(ConnectionTable connections) {
        this.connections = connections;
    }

    /** The VM behind the port sent the packet: the connection it belongs to, into the outcome. */
    void begin(Simulation sim, Port port) {
        int etherType = sim.useEtherType();
        if (etherType != Ethernet.IPV4 && etherType != Ethernet.IPV6) {
            return;
        }
        FlowKey packet = sim.packet.key;
        boolean v4 = etherType == Ethernet.IPV4;
        int protocol = useTuple(sim);
        boolean icmp = isIcmp(protocol, v4);
        if (icmp && !isEchoRequest(packet.l4Src(), v4)) {
            return;
        }
        if (protocol == Ipv4.TCP) {
            sim.out.mask.addTcpFlags();
        }
        boolean ports = packet.fragment() == FlowKey.NOT_FRAGMENT;
        ConnectionKey connection = sim.out.connection();
        connection.port(port.id.getMostSignificantBits(), port.id.getLeastSignificantBits());
        connection.protocol(protocol);
        Headers headers = sim.headers;
        connection.vm(headers.srcHigh, headers.srcLow, ports ? icmp ? headers.icmpId : headers.l4Src : 0);
        connection.remote(headers.dstHigh, headers.dstLow, ports ? icmp ? headers.icmpId : headers.l4Dst : 0);
        sim.out.addTag(connections.tag(connection));
        sim.out.connect(protocol == Ipv4.TCP ? packet.tcpFlags() : 0);
        if (sim.isExplaining()) {
            sim.explain("port", port.name, "stateful: the VM's connection " + connection);
        }
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
        Packet packet = sim.packet;
        if (isAnswerToNobody(sim, v4)) {
            return false;
        }
        int protocol = useTuple(sim);
        boolean icmp = isIcmp(protocol, v4);
        key.port(port.id.getMostSignificantBits(), port.id.getLeastSignificantBits());
        if (icmp && !isEchoReply(packet.key.l4Src(), v4)) {
            return isAboutKnown(sim, v4);
        }
        Headers tuple = sim.headers;
        boolean ports = packet.key.fragment() == FlowKey.NOT_FRAGMENT;
        key.protocol(protocol);
        key.vm(tuple.dstHigh, tuple.dstLow, ports ? icmp ? tuple.icmpId : tuple.l4Dst : 0);
        key.remote(tuple.srcHigh, tuple.srcLow, ports ? icmp ? tuple.icmpId : tuple.l4Src : 0);
        return lookUp(sim);
    }

    /** ICMP that neither answers nor reports: multicast listeners, router solicitations. Its kind alone says so. */
    private static boolean isAnswerToNobody(Simulation sim, boolean v4) {
        if (!isIcmp(sim.useProtocol(), v4)) {
            return false;
        }
        sim.useFragment();
        sim.out.mask.addL4();
        int type = sim.packet.key.l4Src();
        return !isEchoReply(type, v4) && !(v4 ? Icmp.isError(type) : Icmpv6.isError(type));
    }

    /** An ICMP error quotes a packet that our VM sent. The quote is no part of a flow key, so no flow comes of it. */
    private boolean isAboutKnown(Simulation sim, boolean v4) {
        Packet packet = sim.packet;
        int type = packet.key.l4Src();
        if (!(v4 ? Icmp.isError(type) : Icmpv6.isError(type))) {
            return false;
        }
        sim.out.notCacheable();
        Quote quote = packet.quote;
        Headers about = sim.quoted;
        boolean mine = quote.present
                && about.srcHigh == sim.dstHigh()
                && about.srcLow == sim.dstLow()
                && (!isIcmp(quote.protocol, v4) || isEchoRequest(quote.l4Src, v4));
        if (!mine) {
            return false;
        }
        boolean icmp = isIcmp(quote.protocol, v4);
        boolean ports = quote.fragment == FlowKey.NOT_FRAGMENT;
        key.protocol(quote.protocol);
        key.vm(about.srcHigh, about.srcLow, ports ? icmp ? about.icmpId : about.l4Src : 0);
        key.remote(about.dstHigh, about.dstLow, ports ? icmp ? about.icmpId : about.l4Dst : 0);
        return lookUp(sim);
    }

    private boolean lookUp(Simulation sim) {
        sim.out.addTag(connections.tag(key));
        return connections.contains(key, sim.nowNanos);
    }

    /** Everything that tells one connection from another, hit or miss. Returns the protocol. */
    private static int useTuple(Simulation sim) {
        sim.useSrcHigh(128);
        sim.useDstHigh(128);
        sim.useFragment();
        sim.useL4Src();
        sim.useL4Dst();
        sim.useIcmpId();
        return sim.useProtocol();
    }

    private static boolean isIcmp(int protocol, boolean v4) {
        return protocol == (v4 ? Ipv4.ICMP : Ipv6.ICMPV6);
    }

    private static boolean isEchoRequest(int type, boolean v4) {
        return type == (v4 ? Icmp.ECHO_REQUEST : Icmpv6.ECHO_REQUEST);
    }

    private static boolean isEchoReply(int type, boolean v4) {
        return type == (v4 ? Icmp.ECHO_REPLY : Icmpv6.ECHO_REPLY);
    }
}
