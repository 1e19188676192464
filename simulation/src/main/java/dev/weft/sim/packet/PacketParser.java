package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.sal.SalKey;
import dev.weft.sim.sal.SalParser;
import java.lang.foreign.MemorySegment;

/**
 * Fills a flow key from a frame. Frames are hostile: each header is checked against the memory and against the lengths
 * of the headers around it once, before anything in it is read. L4 checksums are not verified, since frames from a
 * virtual machine leave them to hardware that is not there; the IPv4 header checksum is. Never throws.
 */
@HotPath
public final class PacketParser {
    /** Ethernet, one VLAN tag and the longest IPv6 packet without a jumbo payload. */
    public static final int MAX_FRAME_LENGTH = Ethernet.LENGTH + Vlan.LENGTH + Ipv6.LENGTH + 0xffff;

    private PacketParser() {}

    /**
     * Reads the frame that {@code packet} was wrapped around: all key fields but the ingress, which stays as it was,
     * and the offsets, TTL and quote. On a malformed frame they hold what was found so far.
     *
     * <p>Serval is read in unfragmented IPv4: protocol 144 must be well formed to its checksum, while UDP between the
     * ports of its encapsulation is plain UDP when it is anything else.
     *
     * <p>One 802.1Q tag is looked through. ARP has operation, sender and target address in protocol, source and
     * destination. Later fragments have no L4 fields. Ethertypes other than IPv4, IPv6 and ARP have the first two words
     * only.
     *
     * @return {@link Malformed#OK}, or a code of {@link Malformed}
     */
    public static int parse(Packet packet) {
        MemorySegment segment = packet.segment;
        long frame = packet.offset;
        int length = packet.length;
        packet.wrap(segment, frame, length);
        FlowKey key = packet.key;
        long ingress = key.word(0);
        key.clear();
        key.setWord(0, ingress);
        if (length < Ethernet.LENGTH) {
            return Malformed.TRUNCATED_ETHERNET.code();
        }
        if (length > MAX_FRAME_LENGTH) {
            return Malformed.FRAME_TOO_LONG.code();
        }
        int etherType = Ethernet.type(segment, frame);
        int l3 = Ethernet.LENGTH;
        int tci = 0;
        if (etherType == Ethernet.VLAN) {
            if (length < Ethernet.LENGTH + Vlan.LENGTH) {
                return Malformed.TRUNCATED_VLAN.code();
            }
            tci = Vlan.tci(segment, frame + l3) | FlowKey.VLAN_PRESENT;
            etherType = Vlan.type(segment, frame + l3);
            l3 += Vlan.LENGTH;
        }
        key.setWord(1, Ethernet.dst(segment, frame) << 16 | etherType);
        key.setWord(2, Ethernet.src(segment, frame) << 16 | tci);
        return switch (etherType) {
            case Ethernet.IPV4 -> parseV4(packet, l3);
            case Ethernet.IPV6 -> parseV6(packet, l3);
            case Ethernet.ARP -> parseArp(packet, l3);
            default -> Malformed.OK;
        };
    }

    private static int parseArp(Packet packet, int l3) {
        if (packet.length - l3 < Arp.LENGTH) {
            return Malformed.TRUNCATED_ARP.code();
        }
        MemorySegment segment = packet.segment;
        long at = packet.offset + l3;
        int operation = Arp.operation(segment, at);
        if (!Arp.isEthernetIpv4(segment, at) || operation > 0xff) {
            return Malformed.BAD_ARP.code();
        }
        packet.l3Offset = l3;
        packet.l3End = l3 + Arp.LENGTH;
        packet.key.setSrc(0, mapped(Arp.senderAddress(segment, at)));
        packet.key.setDst(0, mapped(Arp.targetAddress(segment, at)));
        packet.key.setTransport(operation, 0, FlowKey.NOT_FRAGMENT, 0, 0, 0);
        return Malformed.OK;
    }

    private static int parseV4(Packet packet, int l3) {
        int available = packet.length - l3;
        if (available < Ipv4.LENGTH) {
            return Malformed.TRUNCATED_IPV4.code();
        }
        MemorySegment segment = packet.segment;
        long at = packet.offset + l3;
        int headerLength = Ipv4.headerLength(segment, at);
        int total = Ipv4.totalLength(segment, at);
        int lie = checkV4(segment, at, headerLength, total, available);
        if (lie != Malformed.OK) {
            return lie;
        }
        FlowKey key = packet.key;
        packet.l3Offset = l3;
        packet.l3End = l3 + total;
        packet.ttl = Ipv4.ttl(segment, at);
        key.setSrc(0, Ipv4.srcLow(segment, at));
        key.setDst(0, Ipv4.dstLow(segment, at));
        int field = Ipv4.fragmentField(segment, at);
        int protocol = Ipv4.protocol(segment, at);
        int data = total - headerLength;
        int first = (field & Ipv4.FRAGMENT_OFFSET) << 3;
        if ((field & Ipv4.MORE_FRAGMENTS) != 0 && (data & 7) != 0 || first + data > 0xffff - headerLength) {
            return Malformed.BAD_FRAGMENT.code();
        }
        // RFC 1858 §3.2: a TCP fragment at offset 8 can only be meant to overwrite the flags.
        if (protocol == Ipv4.TCP && first == 8) {
            return Malformed.TINY_FRAGMENT.code();
        }
        int kind = fragmentKind(field);
        if (kind != FlowKey.NOT_FRAGMENT) {
            packet.fragmentId = Ipv4.id(segment, at);
        }
        return parseTransport(packet, l3 + headerLength, protocol, Ipv4.dscp(segment, at), kind, true);
    }

    private static int checkV4(MemorySegment segment, long at, int headerLength, int total, int available) {
        if (Ipv4.version(segment, at) != 4) {
            return Malformed.BAD_IPV4_VERSION.code();
        }
        if (headerLength < Ipv4.LENGTH) {
            return Malformed.BAD_IPV4_HEADER_LENGTH.code();
        }
        if (total < headerLength) {
            return Malformed.BAD_IPV4_TOTAL_LENGTH.code();
        }
        if (available < total) {
            return Malformed.TRUNCATED_IPV4.code();
        }
        return Checksum.of(segment, at, headerLength) == 0 ? Malformed.OK : Malformed.BAD_IPV4_CHECKSUM.code();
    }

    private static int parseV6(Packet packet, int l3) {
        int available = packet.length - l3;
        if (available < Ipv6.LENGTH) {
            return Malformed.TRUNCATED_IPV6.code();
        }
        MemorySegment segment = packet.segment;
        long at = packet.offset + l3;
        if (Ipv6.version(segment, at) != 6) {
            return Malformed.BAD_IPV6_VERSION.code();
        }
        int total = Ipv6.LENGTH + Ipv6.payloadLength(segment, at);
        if (available < total) {
            return Malformed.TRUNCATED_IPV6.code();
        }
        long srcHigh = Ipv6.srcHigh(segment, at);
        long srcLow = Ipv6.srcLow(segment, at);
        long dstHigh = Ipv6.dstHigh(segment, at);
        long dstLow = Ipv6.dstLow(segment, at);
        // In a key such an address is IPv4: let through, a tenant could enter IPv4 routes with IPv6 packets.
        if (IpAddress.isV4(srcHigh, srcLow) || IpAddress.isV4(dstHigh, dstLow)) {
            return Malformed.MAPPED_ADDRESS.code();
        }
        FlowKey key = packet.key;
        packet.l3Offset = l3;
        packet.l3End = l3 + total;
        packet.ttl = Ipv6.hopLimit(segment, at);
        key.setSrc(srcHigh, srcLow);
        key.setDst(dstHigh, dstLow);
        long walked = Ipv6.walk(segment, at, at + total, true);
        if (walked < 0) {
            return (int) -walked;
        }
        int kind = Ipv6.walkedFragment(walked);
        if (kind != FlowKey.NOT_FRAGMENT) {
            packet.fragmentId = Ipv6.fragmentId(segment, at + Ipv6.walkedFragmentAt(walked));
        }
        return parseTransport(
                packet,
                l3 + Ipv6.walkedLength(walked),
                Ipv6.walkedProtocol(walked),
                Ipv6.dscp(segment, at),
                kind,
                false);
    }

    private static int parseTransport(Packet packet, int l4, int protocol, int dscp, int fragment, boolean v4) {
        packet.key.setTransport(protocol, dscp, fragment, 0, 0, 0);
        if (fragment == FlowKey.LATER_FRAGMENT || protocol == Ipv6.NO_NEXT_HEADER) {
            return Malformed.OK;
        }
        packet.l4Offset = l4;
        return switch (protocol) {
            case Ipv4.TCP -> parseTcp(packet, l4, dscp, fragment);
            case Ipv4.UDP -> parseUdp(packet, l4, dscp, fragment);
            case SalHeader.IP_PROTOCOL -> v4 && fragment == FlowKey.NOT_FRAGMENT ? parseSal(packet, l4) : Malformed.OK;
            case Ipv4.ICMP -> v4 ? parseIcmp(packet, l4, protocol, dscp, fragment) : Malformed.OK;
            case Ipv6.ICMPV6 -> v4 ? Malformed.OK : parseIcmp(packet, l4, protocol, dscp, fragment);
            default -> Malformed.OK;
        };
    }

    private static int parseTcp(Packet packet, int l4, int dscp, int fragment) {
        int available = packet.l3End - l4;
        if (available < Tcp.LENGTH) {
            return fragment == FlowKey.NOT_FRAGMENT ? Malformed.TRUNCATED_TCP.code() : Malformed.TINY_FRAGMENT.code();
        }
        MemorySegment segment = packet.segment;
        long at = packet.offset + l4;
        int headerLength = Tcp.headerLength(segment, at);
        if (headerLength < Tcp.LENGTH || headerLength > available) {
            return Malformed.BAD_TCP_DATA_OFFSET.code();
        }
        packet.key.setTransport(
                Ipv4.TCP,
                dscp,
                fragment,
                FlowKey.tcpFlagsOf(Tcp.flags(segment, at)),
                Tcp.srcPort(segment, at),
                Tcp.dstPort(segment, at));
        return Malformed.OK;
    }

    private static int parseUdp(Packet packet, int l4, int dscp, int fragment) {
        int available = packet.l3End - l4;
        if (available < Udp.LENGTH) {
            return Malformed.TRUNCATED_UDP.code();
        }
        MemorySegment segment = packet.segment;
        long at = packet.offset + l4;
        int length = Udp.length(segment, at);
        if (length < Udp.LENGTH || fragment == FlowKey.NOT_FRAGMENT && length > available) {
            return Malformed.BAD_UDP_LENGTH.code();
        }
        int srcPort = Udp.srcPort(segment, at);
        int dstPort = Udp.dstPort(segment, at);
        packet.key.setTransport(Ipv4.UDP, dscp, fragment, 0, srcPort, dstPort);
        if (SalKey.isEncapsulation(srcPort, dstPort)
                && fragment == FlowKey.NOT_FRAGMENT
                && packet.key.etherType() == Ethernet.IPV4) {
            int end = l4 + length;
            SalParser.parseEncapsulated(segment, packet.offset, l4 + Udp.LENGTH, end, packet.key, packet.sal);
        }
        return Malformed.OK;
    }

    private static int parseSal(Packet packet, int l4) {
        return SalParser.parse(packet.segment, packet.offset, l4, packet.l3End, packet.key, packet.sal);
    }

    private static int parseIcmp(Packet packet, int l4, int protocol, int dscp, int fragment) {
        if (packet.l3End - l4 < Icmp.LENGTH) {
            return Malformed.TRUNCATED_ICMP.code();
        }
        MemorySegment segment = packet.segment;
        long at = packet.offset + l4;
        boolean v4 = protocol == Ipv4.ICMP;
        int type = Icmp.type(segment, at);
        packet.key.setTransport(protocol, dscp, fragment, 0, type, Icmp.code(segment, at));
        if (v4 ? Icmp.isEcho(type) : Icmpv6.isEcho(type)) {
            packet.key.setIcmpId(Icmp.id(segment, at));
        } else if (v4 ? Icmp.isError(type) : Icmpv6.isError(type)) {
            packet.quote.read(segment, at + Icmp.LENGTH, packet.offset + packet.l3End, v4);
        }
        return Malformed.OK;
    }

    /** The kind of the IPv4 fragment with these flags and offset. */
    static int fragmentKind(int fragmentField) {
        if ((fragmentField & Ipv4.FRAGMENT_OFFSET) != 0) {
            return FlowKey.LATER_FRAGMENT;
        }
        return (fragmentField & Ipv4.MORE_FRAGMENTS) != 0 ? FlowKey.FIRST_FRAGMENT : FlowKey.NOT_FRAGMENT;
    }

    private static long mapped(int v4) {
        return IpAddress.V4_MARK | v4 & 0xffff_ffffL;
    }
}
