package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.flow.FlowKey;

/**
 * When a packet may be answered with an ICMP error at all. What depends on the topology stays with the caller: whether
 * a destination is a subnet's broadcast address, and how many errors a port may cause per second.
 */
@HotPath
public final class IcmpErrors {
    private IcmpErrors() {}

    /**
     * Whether an error about this parsed packet may be sent (RFC 1122 §3.2.2, RFC 1812 §4.3.2.7, RFC 4443 §2.4 e): not
     * about ICMP errors and redirects (or ICMP types unknown to us: they could be errors), later fragments, what was
     * sent to a link-layer or IP group, nor to a source that is no single host. IPv6 sends "packet too big" and
     * "unknown next header" about group destinations too.
     */
    public static boolean mayAnswer(Packet packet, IcmpError error) {
        return packet.key.etherType() == Ethernet.IPV4
                ? mayAnswerV4(packet.key)
                : packet.key.etherType() == Ethernet.IPV6
                        && mayAnswerV6(
                                packet.key, error == IcmpError.TOO_BIG || error == IcmpError.PROTOCOL_UNREACHABLE);
    }

    private static boolean mayAnswerV4(FlowKey key) {
        if (key.fragment() == FlowKey.LATER_FRAGMENT
                || MacAddress.isGroup(key.dstMac())
                || IpAddress.isGroup(0, key.dstLow())
                || !isSingleV4((int) key.srcLow())) {
            return false;
        }
        return key.protocol() != Ipv4.ICMP || isQuery(key.l4Src());
    }

    private static boolean mayAnswerV6(FlowKey key, boolean evenForGroups) {
        if (key.fragment() == FlowKey.LATER_FRAGMENT || !isSingleV6(key.srcHigh(), key.srcLow())) {
            return false;
        }
        boolean group = MacAddress.isGroup(key.dstMac()) || IpAddress.isGroup(key.dstHigh(), key.dstLow());
        if (group && !evenForGroups) {
            return false;
        }
        return key.protocol() != Ipv6.ICMPV6 || !Icmpv6.isError(key.l4Src()) && key.l4Src() != Icmpv6.REDIRECT;
    }

    /** Echo, router discovery, timestamp, information and address mask: the ICMP messages that are questions. */
    private static boolean isQuery(int type) {
        return Icmp.isEcho(type) || type == 9 || type == 10 || type >= 13 && type <= 18;
    }

    /** Not 0/8, 127/8, 224/4 or 240/4. */
    private static boolean isSingleV4(int address) {
        int first = address >>> 24;
        return first != 0 && first != 127 && first < 224;
    }

    /** Not ::, ::1 or ff00::/8. */
    private static boolean isSingleV6(long high, long low) {
        return high >>> 56 != 0xff && (high != 0 || low >>> 1 != 0);
    }
}
