package dev.weft.sim.trace;

import static dev.weft.sim.trace.Option.*;

import dev.weft.base.IpAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Arp;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Icmp;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Ndp;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Tcp;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.packet.Vlan;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.sal.SalMessage;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Octets to {@link PacketSpec}: the most telling words for a frame. Whether they say all is for the caller to check. */
final class PacketDescriber {
    private final byte[] frame;
    private final MemorySegment segment;
    private final Packet packet = new Packet();
    private final int malformed;

    PacketDescriber(byte[] frame) {
        this.frame = frame;
        segment = MemorySegment.ofArray(frame);
        packet.wrap(segment, 0, frame.length);
        malformed = PacketParser.parse(packet);
    }

    /** Empty when only {@link #raw()} can describe it. */
    Optional<PacketSpec> describe() {
        if (malformed != Malformed.OK || packet.l3Offset == 0) {
            return Optional.empty();
        }
        var spec =
                switch (packet.key.etherType()) {
                    case Ethernet.ARP -> arp();
                    case Ethernet.IPV4, Ethernet.IPV6 -> ip();
                    default -> null;
                };
        if (spec == null) {
            return Optional.empty();
        }
        link(spec);
        if (packet.length > packet.l3End) {
            spec.numbers.put(PAD, (long) packet.length - packet.l3End);
        }
        return Optional.of(spec);
    }

    /** Ethertype and octets: says all of any frame. */
    PacketSpec raw() {
        var spec = new PacketSpec(Kind.ETH);
        link(spec);
        int at = spec.has(VLAN) ? Ethernet.LENGTH + Vlan.LENGTH : Ethernet.LENGTH;
        long type = spec.has(VLAN) ? Vlan.type(segment, Ethernet.LENGTH) : Ethernet.type(segment, 0);
        spec.numbers.put(TYPE, type);
        payload(spec, at, frame.length);
        return spec;
    }

    private void link(PacketSpec spec) {
        spec.numbers.put(SRC_MAC, Ethernet.src(segment, 0));
        spec.numbers.put(DST_MAC, Ethernet.dst(segment, 0));
        if (Ethernet.type(segment, 0) == Ethernet.VLAN && frame.length >= Ethernet.LENGTH + Vlan.LENGTH) {
            int tci = Vlan.tci(segment, Ethernet.LENGTH);
            spec.numbers.put(VLAN, (long) Vlan.id(tci));
            put(spec, PRIORITY, Vlan.priority(tci), 0);
            put(spec, DEI, tci >>> 12 & 1, 0);
        }
    }

    private @Nullable PacketSpec arp() {
        int at = packet.l3Offset;
        int operation = Arp.operation(segment, at);
        if (operation != Arp.REQUEST && operation != Arp.REPLY) {
            return null;
        }
        var spec = new PacketSpec(Kind.ARP);
        spec.type = operation;
        spec.src = IpAddress.ofV4(Arp.senderAddress(segment, at));
        spec.dst = IpAddress.ofV4(Arp.targetAddress(segment, at));
        put(spec, SENDER_MAC, Arp.senderMac(segment, at), Ethernet.src(segment, 0));
        put(spec, TARGET_MAC, Arp.targetMac(segment, at), operation == Arp.REQUEST ? 0 : Ethernet.dst(segment, 0));
        return spec;
    }

    private PacketSpec ip() {
        FlowKey key = packet.key;
        boolean v4 = key.etherType() == Ethernet.IPV4;
        int at = packet.l4Offset;
        var spec =
                switch (at == 0 ? -1 : key.protocol()) {
                    case Ipv4.UDP -> packet.sal.present ? sal() : udp(at);
                    case SalHeader.IP_PROTOCOL -> packet.sal.present ? sal() : other();
                    case Ipv4.TCP -> tcp(at);
                    case Ipv4.ICMP -> v4 ? icmp(true, at) : other();
                    case Ipv6.ICMPV6 -> v4 ? other() : discoveryOrIcmp(at);
                    default -> other();
                };
        spec.src = new IpAddress(key.srcHigh(), key.srcLow());
        if (spec.kind != Kind.ND || spec.type == Ndp.NEIGHBOUR_ADVERTISEMENT) {
            spec.dst = new IpAddress(key.dstHigh(), key.dstLow());
        }
        spec.numbers.put(TTL, (long) packet.ttl);
        put(spec, DSCP, key.dscp(), 0);
        if (v4) {
            v4(spec, packet.l3Offset);
        } else {
            v6(spec, packet.l3Offset);
        }
        if (spec.kind != Kind.IP && Checksum.fieldOffset(key.protocol()) >= 0) {
            checksum(spec, spec.kind == Kind.SAL ? UDP_CHECKSUM : CHECKSUM, at, packet.l3End, key.protocol());
        }
        return spec;
    }

    /** Said only when it is not what it would be anyway. */
    private void checksum(PacketSpec spec, Option option, int l4, int end, int protocol) {
        if (!Checksum.isTransportValid(segment, packet.l3Offset, l4, end, protocol)
                || protocol == Ipv4.UDP && Udp.checksum(segment, l4) == 0) {
            spec.numbers.put(option, (long) short16(l4 + Checksum.fieldOffset(protocol)));
        }
    }

    private void v4(PacketSpec spec, int l3) {
        put(spec, ECN, frame[l3 + 1] & 3, 0);
        put(spec, IP_ID, Ipv4.id(segment, l3), 0);
        int field = Ipv4.fragmentField(segment, l3);
        put(spec, DF, Ipv4.dontFragment(segment, l3) ? 1 : 0, 0);
        int more = (field & Ipv4.MORE_FRAGMENTS) != 0 ? 1 : 0;
        put(spec, FRAGMENT, (field & Ipv4.FRAGMENT_OFFSET) << 3 | more, 0);
        int headerLength = Ipv4.headerLength(segment, l3);
        if (headerLength > Ipv4.LENGTH) {
            spec.octets.put(IP_OPTIONS, Arrays.copyOfRange(frame, l3 + Ipv4.LENGTH, l3 + headerLength));
        }
    }

    private void v6(PacketSpec spec, int l3) {
        put(spec, ECN, Ipv6.trafficClass(segment, l3) & 3, 0);
        put(spec, FLOW_LABEL, Ipv6.flowLabel(segment, l3), 0);
        int extension = l3 + Ipv6.LENGTH;
        if (Ipv6.nextHeader(segment, l3) == Ipv6.FRAGMENT) {
            spec.numbers.put(FRAGMENT, (long) (short16(extension + 2) & 0xfff9));
            put(spec, IP_ID, (long) short16(extension + 4) << 16 | short16(extension + 6), 0);
        }
    }

    private PacketSpec udp(int at) {
        var spec = new PacketSpec(Kind.UDP);
        spec.srcPort = Udp.srcPort(segment, at);
        spec.dstPort = Udp.dstPort(segment, at);
        payload(spec, at + Udp.LENGTH, packet.l3End);
        return spec;
    }

    private PacketSpec tcp(int at) {
        var spec = new PacketSpec(Kind.TCP);
        spec.srcPort = Tcp.srcPort(segment, at);
        spec.dstPort = Tcp.dstPort(segment, at);
        tcp(spec, FLAGS, at, packet.l3End);
        return spec;
    }

    private void tcp(PacketSpec spec, Option flags, int at, int packetEnd) {
        put(spec, flags, Tcp.flags(segment, at), PacketSpec.DEFAULT_TCP_FLAGS);
        put(spec, SEQ, Tcp.sequence(segment, at), 0);
        put(spec, ACK, Tcp.acknowledgment(segment, at), 0);
        put(spec, WINDOW, Tcp.window(segment, at), PacketSpec.DEFAULT_WINDOW);
        int end = at + Tcp.headerLength(segment, at);
        if (end > at + Tcp.LENGTH) {
            spec.octets.put(TCP_OPTIONS, Arrays.copyOfRange(frame, at + Tcp.LENGTH, end));
        }
        payload(spec, end, packetEnd);
    }

    private PacketSpec sal() {
        var sal = packet.sal;
        var spec = new PacketSpec(Kind.SAL);
        spec.srcPort = sal.srcFlow;
        spec.dstPort = sal.dstFlow;
        for (var extension : SalMessage.decode(segment, sal.offset).extensions()) {
            switch (extension) {
                case SalMessage.Control control -> control(spec, control);
                case SalMessage.Service service ->
                    spec.services.put(spec.has(SERVICE) ? FROM_SERVICE : SERVICE, service.id());
                case SalMessage.Source source -> spec.sources = source.addresses();
                // No words: nobody sends them.
                case SalMessage.Pad pad -> {}
                case SalMessage.Address address -> {}
            }
        }
        int end = packet.l3End;
        if (sal.encapsulated) {
            int udp = packet.l4Offset;
            spec.numbers.put(UDP_SRC, (long) Udp.srcPort(segment, udp));
            spec.numbers.put(UDP_DST, (long) Udp.dstPort(segment, udp));
            end = udp + Udp.length(segment, udp);
        }
        carried(spec, sal.offset + sal.length, end);
        return spec;
    }

    private static void control(PacketSpec spec, SalMessage.Control control) {
        spec.numbers.put(FLAGS, (long) control.flags());
        put(spec, VERNO, control.verno() & 0xffff_ffffL, 0);
        put(spec, ACKNO, control.ackno() & 0xffff_ffffL, 0);
        if (control.nonce() != 0) {
            spec.octets.put(
                    NONCE,
                    ByteBuffer.allocate(Long.BYTES).putLong(control.nonce()).array());
        }
    }

    /** The transport behind a SAL header, whose ports are 0. */
    private void carried(PacketSpec spec, int at, int end) {
        int protocol = SalHeader.protocol(segment, packet.sal.offset);
        put(spec, PROTO, protocol, Ipv4.UDP);
        int available = end - at;
        boolean portless = available >= Udp.LENGTH && short16(at) == 0 && short16(at + 2) == 0;
        if (portless && protocol == Ipv4.UDP && Udp.length(segment, at) == available) {
            checksum(spec, CHECKSUM, at, end, protocol);
            payload(spec, at + Udp.LENGTH, end);
        } else if (portless && protocol == Ipv4.TCP && isTcp(at, available)) {
            checksum(spec, CHECKSUM, at, end, protocol);
            tcp(spec, TCP_FLAGS, at, end);
        } else {
            spec.numbers.put(BARE, 1L);
            payload(spec, at, end);
        }
    }

    private boolean isTcp(int at, int available) {
        int headerLength = available >= Tcp.LENGTH ? Tcp.headerLength(segment, at) : 0;
        return headerLength >= Tcp.LENGTH && headerLength <= available;
    }

    private PacketSpec icmp(boolean v4, int at) {
        var spec = new PacketSpec(v4 ? Kind.ICMP : Kind.ICMP6);
        spec.type = Icmp.type(segment, at);
        put(spec, CODE, Icmp.code(segment, at), 0);
        long rest = (long) Icmp.id(segment, at) << 16 | Icmp.sequence(segment, at);
        if (IcmpTypes.isEcho(v4, spec.type)) {
            spec.numbers.put(ID, rest >>> 16);
            spec.numbers.put(SEQ, rest & 0xffff);
        } else if (IcmpTypes.hasMtu(v4, spec.type, Icmp.code(segment, at)) && (!v4 || rest <= 0xffff)) {
            spec.numbers.put(MTU, rest);
        } else {
            put(spec, REST, rest, 0);
        }
        if (packet.quote.present) {
            byte[] quote = Arrays.copyOfRange(frame, at + Icmp.LENGTH, packet.l3End);
            spec.about = QuoteDescriber.describe(quote, packet.key.etherType());
        }
        if (spec.about == null) {
            payload(spec, at + Icmp.LENGTH, packet.l3End);
        }
        return spec;
    }

    /** As discovery only when it is one in every detail that the words can say. */
    private PacketSpec discoveryOrIcmp(int at) {
        int type = Icmp.type(segment, at);
        int length = packet.l3End - at;
        boolean solicitation = type == Ndp.NEIGHBOUR_SOLICITATION;
        boolean shaped = (solicitation || type == Ndp.NEIGHBOUR_ADVERTISEMENT)
                && Icmp.code(segment, at) == 0
                && packet.key.fragment() == FlowKey.NOT_FRAGMENT
                && (length == Ndp.LENGTH || length == Ndp.LENGTH + Ndp.LINK_ADDRESS_LENGTH);
        int optionType = solicitation ? Ndp.SOURCE_LINK_ADDRESS : Ndp.TARGET_LINK_ADDRESS;
        long linkMac = shaped ? Ndp.linkAddress(segment, at, packet.l3End, optionType) : Ndp.NO_MAC;
        if (!shaped || length > Ndp.LENGTH && linkMac == Ndp.NO_MAC) {
            return icmp(false, at);
        }
        int flags = Ndp.flags(segment, at);
        if ((flags & (solicitation ? 0xff : 0x1f)) != 0 || (short16(at + 4) & 0xff) != 0 || short16(at + 6) != 0) {
            return icmp(false, at);
        }
        return discovery(at, solicitation, flags, linkMac);
    }

    private PacketSpec discovery(int at, boolean solicitation, int flags, long linkMac) {
        var spec = new PacketSpec(Kind.ND);
        spec.type = solicitation ? Ndp.NEIGHBOUR_SOLICITATION : Ndp.NEIGHBOUR_ADVERTISEMENT;
        var src = new IpAddress(packet.key.srcHigh(), packet.key.srcLow());
        var dst = new IpAddress(packet.key.dstHigh(), packet.key.dstLow());
        var target = new IpAddress(Ndp.targetHigh(segment, at), Ndp.targetLow(segment, at));
        boolean nameless = false;
        if (solicitation) {
            spec.dst = target;
            var group = new IpAddress(Ndp.solicitedNodeHigh(), Ndp.solicitedNodeLow(target.low()));
            if (!dst.equals(group)) {
                spec.addresses.put(TO, dst);
            }
            nameless = src.equals(new IpAddress(0, 0));
        } else {
            put(spec, FLAGS, flags, PacketSpec.DEFAULT_ND_FLAGS);
            if (!target.equals(src)) {
                spec.addresses.put(TARGET, target);
            }
        }
        put(spec, LINK_MAC, linkMac, nameless ? PacketSpec.NO_LINK_MAC : Ethernet.src(segment, 0));
        return spec;
    }

    private PacketSpec other() {
        var spec = new PacketSpec(Kind.IP);
        spec.numbers.put(PROTO, (long) packet.key.protocol());
        payload(spec, packet.l4Offset != 0 ? packet.l4Offset : afterHeaders(), packet.l3End);
        return spec;
    }

    /** Where the data of a later fragment, or of a packet without next header, begins. */
    private int afterHeaders() {
        int l3 = packet.l3Offset;
        if (packet.key.etherType() == Ethernet.IPV4) {
            return l3 + Ipv4.headerLength(segment, l3);
        }
        return l3 + Ipv6.walkedLength(Ipv6.walk(segment, l3, packet.l3End, true));
    }

    private void payload(PacketSpec spec, int from, int to) {
        byte[] octets = Arrays.copyOfRange(frame, from, to);
        if (!Arrays.equals(octets, PacketEncoder.pattern(0, octets.length))) {
            spec.octets.put(DATA, octets);
        } else {
            put(spec, LENGTH, octets.length, 0);
        }
    }

    private int short16(int at) {
        return (frame[at] & 0xff) << 8 | frame[at + 1] & 0xff;
    }

    private static void put(PacketSpec spec, Option option, long value, long usual) {
        if (value != usual) {
            spec.numbers.put(option, value);
        }
    }
}
