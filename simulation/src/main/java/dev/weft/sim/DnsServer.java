package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.DnsQuery;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Udp;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * What a router says when it is asked, by UDP at one of its addresses, for the names of its tenant's services. It knows no
 * other names: those below {@code svc} do not exist to this tenant, whoever else has them, and all else is refused, so that
 * a resolver asks the next server it was told of.
 */
@HotPath
final class DnsServer {
    /** Short, since a service may get another address; long enough not to be asked for each connection. */
    private static final int SECONDS = 30;

    private DnsServer() {}

    /** Of a packet to the router itself. */
    static boolean isAnswered(Simulation sim, Router router, Port in) {
        ServiceNames names = router.names;
        if (names == null
                || sim.useProtocol() != Ipv4.UDP
                || sim.useFragment() != FlowKey.NOT_FRAGMENT
                || sim.useL4Dst() != DnsQuery.PORT) {
            return false;
        }
        sim.out.notCacheable(); // the rest is payload
        Packet packet = sim.packet;
        DnsQuery query = sim.dnsQuery;
        long at = packet.offset + packet.l4Offset;
        int code = query.parse(packet.segment, at + Udp.LENGTH, at + Udp.length(packet.segment, at));
        if (code == DnsQuery.NOT_A_QUERY || !sim.out.hasEmitRoom()) {
            sim.drop(router, DropReason.FOR_DNS_SERVER);
            return true;
        }
        sim.dnsReply.start(sim.out.emitBuffer(), sim.out.nextEmit(), packet, query);
        if (code == DnsQuery.NO_ERROR) {
            code = answer(sim, names, query);
        }
        int length = sim.dnsReply.finish(packet, query, code, in.mac, sim.srcMac());
        sim.translateAnswer(length);
        sim.emitted(in, length, "DNS answer", sim.isExplaining() ? inWords(query, code) : "");
        sim.consume(router, "takes the DNS query");
        return true;
    }

    private static int answer(Simulation sim, ServiceNames names, DnsQuery query) {
        boolean internet = query.recordClass() == DnsQuery.INTERNET || query.recordClass() == DnsQuery.ANY;
        if (!internet || !ServiceNames.isTop(query.segment(), query.name() + query.lastLabel())) {
            return DnsQuery.REFUSED;
        }
        int name = names.find(query.segment(), query.name(), query.nameLength());
        if (name == ServiceNames.NONE) {
            return DnsQuery.NAME_ERROR;
        }
        for (int i = 0; i < names.addressCount(name); i++) {
            IpAddress address = names.address(name, i);
            int type = address.isV4() ? DnsQuery.A : DnsQuery.AAAA;
            if (query.type() == type || query.type() == DnsQuery.ANY) {
                sim.dnsReply.address(address.high(), address.low(), address.isV4(), SECONDS);
            }
        }
        return DnsQuery.NO_ERROR;
    }

    private static String inWords(DnsQuery query, int code) {
        var text = new StringBuilder(" for ");
        long at = query.name();
        long end = at + Math.max(0, query.nameLength() - 1);
        while (at < end) {
            int label = query.segment().get(ValueLayout.JAVA_BYTE, at);
            byte[] octets = query.segment().asSlice(at + 1, label).toArray(ValueLayout.JAVA_BYTE);
            text.append(new String(octets, StandardCharsets.ISO_8859_1).replaceAll("[^!-~]", "?"))
                    .append('.');
            at += 1 + label;
        }
        return text.append(": ")
                .append(
                        switch (code) {
                            case DnsQuery.NO_ERROR -> "found";
                            case DnsQuery.NAME_ERROR -> "no such name";
                            case DnsQuery.REFUSED -> "refused, not below svc";
                            default -> "error " + code;
                        })
                .toString();
    }
}
