package dev.weft.sim.trace;

import static dev.weft.sim.trace.Option.*;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.ServiceId;
import dev.weft.sim.packet.Arp;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Ndp;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.PacketWriter;
import dev.weft.sim.packet.Tcp;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.sal.SalMessage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** {@link PacketSpec} to octets: fills in what the words left out. */
final class PacketEncoder {
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private PacketEncoder() {}

    static byte[] frame(PacketSpec spec, MacResolver macs) {
        long srcMac = srcMac(spec, macs);
        long dstMac = dstMac(spec, macs);
        byte[] body =
                switch (spec.kind) {
                    case ARP -> arp(spec, srcMac, dstMac);
                    case ETH -> payload(spec);
                    default -> network(spec, srcMac);
                };
        int headerLength = spec.has(VLAN) ? Ethernet.LENGTH + 4 : Ethernet.LENGTH;
        int length = headerLength + body.length + (int) spec.number(PAD, 0);
        SpecRules.refuse(
                length > PacketParser.MAX_FRAME_LENGTH,
                "a frame of " + length + " octets (expected at most " + PacketParser.MAX_FRAME_LENGTH + ")");
        var frame = new byte[length];
        var out = MemorySegment.ofArray(frame);
        Ethernet.write(out, 0, dstMac, srcMac, etherType(spec));
        if (spec.has(VLAN)) {
            long tci = spec.number(PRIORITY, 0) << 13 | spec.number(DEI, 0) << 12 | spec.number(VLAN, 0);
            PacketWriter.tag(out, 0, Ethernet.LENGTH, (int) tci);
        }
        System.arraycopy(body, 0, frame, headerLength, body.length);
        return frame;
    }

    private static int etherType(PacketSpec spec) {
        return switch (spec.kind) {
            case ARP -> Ethernet.ARP;
            case ETH -> (int) spec.number(TYPE, 0);
            default -> spec.isV4() ? Ethernet.IPV4 : Ethernet.IPV6;
        };
    }

    private static long srcMac(PacketSpec spec, MacResolver macs) {
        if (spec.has(SRC_MAC)) {
            return spec.number(SRC_MAC, 0);
        }
        long found = macs.srcMac(spec.src);
        return found == MacResolver.UNKNOWN ? MacResolver.derived(spec.src) : found;
    }

    private static long dstMac(PacketSpec spec, MacResolver macs) {
        if (spec.has(DST_MAC)) {
            return spec.number(DST_MAC, 0);
        }
        var dst = networkDst(spec);
        if (spec.kind == Kind.ARP && spec.type == Arp.REQUEST || dst.equals(IpAddress.ofV4(-1))) {
            return MacAddress.BROADCAST;
        }
        if (IpAddress.isGroup(dst.high(), dst.low())) {
            return Ethernet.groupMac(dst.high(), dst.low());
        }
        long found = macs.dstMac(spec.src, dst);
        return found == MacResolver.UNKNOWN ? MacResolver.derived(dst) : found;
    }

    /** The destination in the IP header: of a solicitation, the target's group. */
    private static IpAddress networkDst(PacketSpec spec) {
        if (spec.kind == Kind.ND && spec.type == Ndp.NEIGHBOUR_SOLICITATION) {
            return spec.addresses.getOrDefault(
                    TO, new IpAddress(Ndp.solicitedNodeHigh(), Ndp.solicitedNodeLow(spec.dst.low())));
        }
        return spec.dst;
    }

    private static byte[] arp(PacketSpec spec, long srcMac, long dstMac) {
        var body = new byte[Arp.LENGTH];
        Arp.write(
                MemorySegment.ofArray(body),
                0,
                spec.type,
                spec.number(SENDER_MAC, srcMac),
                spec.src.v4Bits(),
                spec.number(TARGET_MAC, spec.type == Arp.REQUEST ? 0 : dstMac),
                spec.dst.v4Bits());
        return body;
    }

    /** The IP packet, in full. */
    private static byte[] network(PacketSpec spec, long srcMac) {
        byte[] l4 = transport(spec, srcMac);
        long fragment = spec.number(FRAGMENT, 0);
        SpecRules.refuse(
                (fragment & PacketSpec.MORE) != 0 && l4.length % 8 != 0,
                "a fragment of " + l4.length + " octets with more to follow (expected a multiple of 8: give a length)");
        SpecRules.refuse(
                (fragment & ~PacketSpec.MORE) + l4.length > 0xffff - (spec.isV4() ? 20 : 0),
                "a packet that ends past octet 65535");
        byte[] packet = spec.isV4() ? v4(spec, l4) : v6(spec, l4);
        fillChecksum(spec, MemorySegment.ofArray(packet), packet.length - l4.length, packet.length);
        return packet;
    }

    private static byte[] v4(PacketSpec spec, byte[] l4) {
        byte[] options = spec.octets(IP_OPTIONS);
        int headerLength = Ipv4.LENGTH + options.length;
        int total = headerLength + l4.length;
        SpecRules.refuse(total > 0xffff, "an IPv4 packet of " + total + " octets (expected at most 65535)");
        var packet = new byte[total];
        var out = MemorySegment.ofArray(packet);
        long fragment = spec.number(FRAGMENT, 0);
        int field = (spec.has(DF) ? Ipv4.DONT_FRAGMENT : 0)
                | ((fragment & PacketSpec.MORE) != 0 ? Ipv4.MORE_FRAGMENTS : 0)
                | (int) (fragment >>> 3);
        Ipv4.write(
                out,
                0,
                (int) (spec.number(DSCP, 0) << 2 | spec.number(ECN, 0)),
                total,
                (int) spec.number(IP_ID, 0),
                field,
                (int) spec.number(TTL, PacketSpec.DEFAULT_TTL),
                spec.protocol(),
                spec.src.v4Bits(),
                spec.dst.v4Bits());
        out.set(BYTE, 0, (byte) (0x40 | headerLength / 4));
        System.arraycopy(options, 0, packet, Ipv4.LENGTH, options.length);
        Ipv4.fillChecksum(out, 0, headerLength);
        System.arraycopy(l4, 0, packet, headerLength, l4.length);
        return packet;
    }

    private static byte[] v6(PacketSpec spec, byte[] l4) {
        boolean fragmented = spec.has(FRAGMENT);
        int before = Ipv6.LENGTH + (fragmented ? Ipv6.FRAGMENT_LENGTH : 0);
        int payload = before - Ipv6.LENGTH + l4.length;
        SpecRules.refuse(payload > 0xffff, "an IPv6 payload of " + payload + " octets (expected at most 65535)");
        var packet = new byte[before + l4.length];
        var out = MemorySegment.ofArray(packet);
        var dst = networkDst(spec);
        Ipv6.write(
                out,
                0,
                (int) (spec.number(DSCP, 0) << 2 | spec.number(ECN, 0)),
                (int) spec.number(FLOW_LABEL, 0),
                payload,
                fragmented ? Ipv6.FRAGMENT : spec.protocol(),
                (int) spec.number(TTL, spec.kind == Kind.ND ? PacketSpec.DISCOVERY_TTL : PacketSpec.DEFAULT_TTL),
                spec.src.high(),
                spec.src.low(),
                dst.high(),
                dst.low());
        if (fragmented) {
            out.set(BYTE, Ipv6.LENGTH, (byte) spec.protocol());
            // Offset in octets and the M bit stand in the header as they do in the option.
            out.set(SHORT, Ipv6.LENGTH + 2, (short) spec.number(FRAGMENT, 0));
            out.set(INT, Ipv6.LENGTH + 4, (int) spec.number(IP_ID, 0));
        }
        System.arraycopy(l4, 0, packet, before, l4.length);
        return packet;
    }

    private static void fillChecksum(PacketSpec spec, MemorySegment packet, int l4, int end) {
        if (spec.kind == Kind.IP) {
            return;
        }
        if (spec.kind == Kind.SAL) {
            int sal = spec.isEncapsulated() ? l4 + Udp.LENGTH : l4;
            if (!spec.has(BARE)) {
                int protocol = SalHeader.protocol(packet, sal);
                fillChecksum(spec, CHECKSUM, packet, sal + SalHeader.length(packet, sal), end, protocol);
            }
        }
        var option = spec.kind == Kind.SAL ? UDP_CHECKSUM : CHECKSUM;
        fillChecksum(spec, option, packet, l4, end, spec.protocol());
    }

    private static void fillChecksum(
            PacketSpec spec, Option told, MemorySegment packet, int l4, int end, int protocol) {
        int field = Checksum.fieldOffset(protocol);
        if (spec.has(told) && field >= 0) {
            packet.set(SHORT, l4 + field, (short) spec.number(told, 0));
        } else {
            Checksum.fillTransport(packet, 0, l4, end, protocol);
        }
    }

    /** The L4 message, checksum 0. */
    private static byte[] transport(PacketSpec spec, long srcMac) {
        return switch (spec.kind) {
            case UDP -> udp(spec.srcPort, spec.dstPort, payload(spec));
            case TCP -> tcp(spec, FLAGS);
            case SAL -> sal(spec);
            case ICMP, ICMP6 -> icmp(spec);
            case ND -> discovery(spec, srcMac);
            default -> payload(spec);
        };
    }

    private static byte[] udp(int srcPort, int dstPort, byte[] payload) {
        var message = withPayload(Udp.LENGTH, payload);
        SpecRules.refuse(message.length > 0xffff, "a UDP datagram of " + message.length + " octets (at most 65535)");
        Udp.write(MemorySegment.ofArray(message), 0, srcPort, dstPort, message.length);
        return message;
    }

    private static byte[] sal(PacketSpec spec) {
        int protocol = (int) spec.number(PROTO, Ipv4.UDP);
        byte[] behind =
                spec.has(BARE) ? payload(spec) : protocol == Ipv4.TCP ? tcp(spec, TCP_FLAGS) : udp(0, 0, payload(spec));
        List<SalMessage.Extension> extensions = new ArrayList<>();
        if (spec.has(FLAGS)) {
            long nonce = spec.has(NONCE) ? ByteBuffer.wrap(spec.octets(NONCE)).getLong() : 0;
            extensions.add(new SalMessage.Control(
                    (int) spec.number(FLAGS, 0), (int) spec.number(VERNO, 0), (int) spec.number(ACKNO, 0), nonce));
        }
        for (var option : new Option[] {SERVICE, FROM_SERVICE}) {
            if (spec.services.get(option) instanceof ServiceId service) {
                extensions.add(new SalMessage.Service(service));
            }
        }
        if (spec.has(SOURCE)) {
            extensions.add(new SalMessage.Source(spec.sources));
        }
        byte[] header = new SalMessage(spec.srcPort, spec.dstPort, protocol, extensions).encode();
        byte[] message = withPayload(header.length, behind);
        System.arraycopy(header, 0, message, 0, header.length);
        return spec.isEncapsulated()
                ? udp(
                        (int) spec.number(UDP_SRC, SalHeader.UDP_CLIENT_PORT),
                        (int) spec.number(UDP_DST, SalHeader.UDP_SERVER_PORT),
                        message)
                : message;
    }

    private static byte[] tcp(PacketSpec spec, Option flags) {
        byte[] options = spec.octets(TCP_OPTIONS);
        var message = withPayload(Tcp.LENGTH + options.length, payload(spec));
        var out = MemorySegment.ofArray(message);
        Tcp.write(
                out,
                0,
                spec.kind == Kind.TCP ? spec.srcPort : 0,
                spec.kind == Kind.TCP ? spec.dstPort : 0,
                spec.number(SEQ, 0),
                spec.number(ACK, 0),
                (int) spec.number(flags, PacketSpec.DEFAULT_TCP_FLAGS),
                (int) spec.number(WINDOW, PacketSpec.DEFAULT_WINDOW));
        out.set(BYTE, 12, (byte) ((Tcp.LENGTH + options.length) / 4 << 4));
        System.arraycopy(options, 0, message, Tcp.LENGTH, options.length);
        return message;
    }

    private static byte[] icmp(PacketSpec spec) {
        var message = withPayload(Icmp.LENGTH, spec.about == null ? payload(spec) : quote(spec.about));
        long rest = IcmpTypes.isEcho(spec.kind == Kind.ICMP, spec.type)
                ? spec.number(ID, 0) << 16 | spec.number(SEQ, 0)
                : spec.number(MTU, spec.number(REST, 0));
        Icmp.write(MemorySegment.ofArray(message), 0, spec.type, (int) spec.number(CODE, 0), (int) rest);
        return message;
    }

    /** As much of the packet as an error about it may carry. */
    static byte[] quote(PacketSpec about) {
        byte[] packet = network(about, MacResolver.derived(about.src));
        int room = about.isV4()
                ? PacketWriter.MAX_ICMP_ERROR - Ipv4.LENGTH - Icmp.LENGTH
                : PacketWriter.MAX_ICMPV6_ERROR - Ipv6.LENGTH - Icmp.LENGTH;
        return Arrays.copyOf(packet, Math.min(packet.length, room));
    }

    private static byte[] discovery(PacketSpec spec, long srcMac) {
        boolean solicitation = spec.type == Ndp.NEIGHBOUR_SOLICITATION;
        // A sender without an address must not name its MAC (RFC 4861 §4.3).
        boolean nameless = solicitation && spec.src.equals(new IpAddress(0, 0));
        long linkMac = spec.number(LINK_MAC, nameless ? PacketSpec.NO_LINK_MAC : srcMac);
        var target = solicitation ? spec.dst : spec.addresses.getOrDefault(TARGET, spec.src);
        var message = new byte[Ndp.LENGTH + Ndp.LINK_ADDRESS_LENGTH];
        Ndp.write(
                MemorySegment.ofArray(message),
                0,
                spec.type,
                solicitation ? 0 : (int) spec.number(FLAGS, PacketSpec.DEFAULT_ND_FLAGS),
                target.high(),
                target.low(),
                solicitation ? Ndp.SOURCE_LINK_ADDRESS : Ndp.TARGET_LINK_ADDRESS,
                linkMac);
        return linkMac == PacketSpec.NO_LINK_MAC ? Arrays.copyOf(message, Ndp.LENGTH) : message;
    }

    private static byte[] withPayload(int headerLength, byte[] payload) {
        var message = new byte[headerLength + payload.length];
        System.arraycopy(payload, 0, message, headerLength, payload.length);
        return message;
    }

    private static byte[] payload(PacketSpec spec) {
        return spec.has(DATA) ? spec.octets(DATA) : pattern(0, (int) spec.number(LENGTH, 0));
    }

    /** What stands in a payload of which only the length is told: each octet its index. */
    static byte[] pattern(int from, int to) {
        var octets = new byte[to - from];
        for (int i = 0; i < octets.length; i++) {
            octets[i] = (byte) (from + i);
        }
        return octets;
    }
}
