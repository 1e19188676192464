package dev.weft.sim.trace;

import static dev.weft.sim.trace.Option.*;

import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.sal.SalHeader;

/** What holds between the words of one expression. */
final class SpecRules {
    private SpecRules() {}

    /** @param quoted it is what an ICMP error is about: an IP packet without a frame around it */
    static void check(PacketSpec spec, boolean quoted) {
        if (quoted) {
            refuse(!spec.kind.isIp(), "'about' " + spec.kind.word + " (expected an IP packet)");
            for (var option : new Option[] {SRC_MAC, DST_MAC, VLAN, PRIORITY, DEI, PAD}) {
                refuse(spec.has(option), option.word + " in a quoted packet (a quote begins at the IP header)");
            }
        }
        refuse(spec.has(LENGTH) && spec.has(DATA), "length and data together (data says its own length)");
        refuse(spec.has(ABOUT) && (spec.has(LENGTH) || spec.has(DATA)), "about and length or data together");
        refuse((spec.has(PRIORITY) || spec.has(DEI)) && !spec.has(VLAN), "priority or dei without vlan");
        switch (spec.kind) {
            case ETH -> {
                refuse(!spec.has(TYPE), "eth without a type (say for example: type 0x88cc)");
                refuse(!spec.has(SRC_MAC) || !spec.has(DST_MAC), "eth without src-mac and dst-mac");
            }
            case ICMP, ICMP6 -> icmp(spec);
            case IP -> protocol(spec);
            case TCP -> words(spec, TCP_OPTIONS);
            case SAL -> sal(spec);
            case ND -> refuse(spec.type == 135 && spec.has(FLAGS), "flags in a solicitation (it has none)");
            case UDP, ARP -> {}
        }
        if (spec.kind == Kind.ND) {
            refuse(spec.type == 135 && spec.has(TARGET), "target in a solicitation (it is the address behind '>')");
            refuse(spec.type == 136 && spec.has(TO), "to in an advertisement (it is the address behind '>')");
        }
        if (spec.kind.isIp()) {
            network(spec);
        }
    }

    private static void network(PacketSpec spec) {
        boolean v4 = spec.isV4();
        refuse(v4 && spec.has(FLOW_LABEL), "flow-label in an IPv4 packet");
        refuse(!v4 && spec.has(DF), "df in an IPv6 packet");
        refuse(!v4 && spec.has(IP_OPTIONS), "ip-options in an IPv6 packet");
        refuse(!v4 && spec.has(IP_ID) && !spec.has(FRAGMENT), "ip-id in an IPv6 packet that is no fragment");
        refuse(v4 && spec.number(IP_ID, 0) > 0xffff, "ip-id " + spec.number(IP_ID, 0) + " in IPv4 (expected 0..65535)");
        words(spec, IP_OPTIONS);
        boolean later = spec.number(FRAGMENT, 0) > PacketSpec.MORE;
        refuse(
                later && spec.kind != Kind.IP,
                "a later fragment has no " + spec.kind.word + " header (say: ip ... proto " + spec.protocol() + ")");
    }

    private static void sal(PacketSpec spec) {
        long proto = spec.number(PROTO, Ipv4.UDP);
        boolean tcp = proto == Ipv4.TCP && !spec.has(BARE);
        boolean control = spec.has(VERNO) || spec.has(ACKNO) || spec.has(NONCE);
        refuse(control && !spec.has(FLAGS), "verno, ackno or nonce without flags (say flags, and be it none)");
        refuse(
                spec.has(NONCE) && spec.octets(NONCE).length != 8,
                "a nonce of " + spec.octets(NONCE).length + " octets (expected 8)");
        refuse(spec.has(FROM_SERVICE) && !spec.has(SERVICE), "from-service without service");
        refuse(spec.sources.size() == 1, "source with one address (expected the client's and a router's at least)");
        refuse(spec.has(UDP_CHECKSUM) && !spec.isEncapsulated(), "udp-checksum without udp-src or udp-dst");
        refuse(
                !spec.has(BARE) && proto != Ipv4.TCP && proto != Ipv4.UDP,
                "proto " + proto + " with a transport header (expected 6 or 17, or bare)");
        refuse(spec.has(BARE) && spec.has(CHECKSUM), "checksum of a bare packet (it has no transport header)");
        for (var option : new Option[] {TCP_FLAGS, SEQ, ACK, WINDOW, TCP_OPTIONS}) {
            refuse(spec.has(option) && !tcp, option.word + " without TCP (say: proto 6, and not bare)");
        }
        words(spec, TCP_OPTIONS);
    }

    private static void icmp(PacketSpec spec) {
        boolean v4 = spec.kind == Kind.ICMP;
        boolean echo = IcmpTypes.isEcho(v4, spec.type);
        String name = IcmpTypes.word(v4, spec.type);
        refuse(!echo && (spec.has(ID) || spec.has(SEQ)), "id or seq in " + name + " (only echo has them)");
        refuse(echo && spec.has(REST), "rest in " + name + " (say id and seq)");
        refuse(spec.number(SEQ, 0) > 0xffff, "seq " + spec.number(SEQ, 0) + " in an echo (expected 0..65535)");
        refuse(
                spec.has(MTU) && !IcmpTypes.hasMtu(v4, spec.type, spec.number(CODE, 0)),
                "mtu in " + name + " (only " + (v4 ? "unreachable code 4" : "packet-too-big") + " has one)");
        refuse(spec.has(MTU) && spec.has(REST), "mtu and rest together");
        refuse(v4 && spec.number(MTU, 0) > 0xffff, "mtu " + spec.number(MTU, 0) + " in ICMP (expected 0..65535)");
        refuse(spec.has(ABOUT) && !IcmpTypes.isError(v4, spec.type), "about in " + name + " (only errors quote)");
        var about = spec.about;
        refuse(about != null && about.isV4() != v4, "about a packet of the other family");
    }

    /** Protocols that have a word of their own, or that the parser would look through, are not hidden behind a number. */
    private static void protocol(PacketSpec spec) {
        refuse(!spec.has(PROTO), "ip without proto (say for example: proto 47)");
        if (spec.has(FRAGMENT) && spec.number(FRAGMENT, 0) > PacketSpec.MORE) {
            return;
        }
        int protocol = spec.protocol();
        boolean v4 = spec.isV4();
        refuse(protocol == Ipv4.UDP, "ip proto 17 (say: udp)");
        refuse(protocol == Ipv4.TCP, "ip proto 6 (say: tcp)");
        refuse(v4 && protocol == Ipv4.ICMP, "ip proto 1 (say: icmp)");
        refuse(!v4 && protocol == Ipv6.ICMPV6, "ip proto 58 (say: icmp6)");
        refuse(v4 && protocol == SalHeader.IP_PROTOCOL && !spec.has(FRAGMENT), "ip proto 144 (say: sal)");
        refuse(
                !v4 && Ipv6.isExtension(protocol),
                "ip proto " + protocol + " in IPv6 (an extension header; expected what comes behind those)");
    }

    private static void words(PacketSpec spec, Option option) {
        int length = spec.octets(option).length;
        refuse(length % 4 != 0, option.word + " of " + length + " octets (expected a multiple of 4)");
    }

    static void refuse(boolean wrong, String what) {
        if (wrong) {
            throw new PacketExpressionException("packet expression: " + what);
        }
    }
}
