package dev.weft.sim.trace;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.ServiceId;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.sal.SalHeader;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An expression taken apart: what the words say, nothing filled in. The middle between text and octets; both readers
 * make one, both printers take one. Mutable while it is made.
 */
final class PacketSpec {
    /** More fragments follow: bit 0 of the fragment option; the rest is the offset in octets, a multiple of 8. */
    static final long MORE = 1;

    /** A link-layer address option that is left out. */
    static final long NO_LINK_MAC = -1;

    static final int DEFAULT_TTL = 64;
    static final int DISCOVERY_TTL = 255;
    static final int DEFAULT_TCP_FLAGS = 0x02;
    static final int DEFAULT_WINDOW = 0xffff;
    /** Solicited, override. */
    static final int DEFAULT_ND_FLAGS = 0x60;

    final Kind kind;
    /** Echo and error type, ARP operation, neighbour discovery type. */
    int type;

    IpAddress src = IpAddress.ofV4(0);
    IpAddress dst = IpAddress.ofV4(0);
    /** Of a Serval packet: its flows. */
    int srcPort;

    int dstPort;
    final Map<Option, Long> numbers = new EnumMap<>(Option.class);
    final Map<Option, byte[]> octets = new EnumMap<>(Option.class);
    final Map<Option, IpAddress> addresses = new EnumMap<>(Option.class);
    final Map<Option, ServiceId> services = new EnumMap<>(Option.class);
    /** Of the source option. */
    List<IpAddress> sources = List.of();

    @Nullable
    PacketSpec about;

    PacketSpec(Kind kind) {
        this.kind = kind;
    }

    boolean has(Option option) {
        return numbers.containsKey(option)
                || octets.containsKey(option)
                || addresses.containsKey(option)
                || services.containsKey(option)
                || option == Option.SOURCE && !sources.isEmpty()
                || option == Option.ABOUT && about != null;
    }

    long number(Option option, long otherwise) {
        return numbers.getOrDefault(option, otherwise);
    }

    byte[] octets(Option option) {
        return octets.getOrDefault(option, new byte[0]);
    }

    boolean isV4() {
        return src.isV4();
    }

    /** The number in the IP header. */
    int protocol() {
        return switch (kind) {
            case UDP -> Ipv4.UDP;
            case TCP -> Ipv4.TCP;
            case ICMP -> Ipv4.ICMP;
            case ICMP6, ND -> Ipv6.ICMPV6;
            case SAL -> isEncapsulated() ? Ipv4.UDP : SalHeader.IP_PROTOCOL;
            case IP -> (int) number(Option.PROTO, 0);
            case ARP, ETH -> throw new IllegalStateException(kind.word + " has no IP protocol");
        };
    }

    /** It stands in UDP. */
    boolean isEncapsulated() {
        return has(Option.UDP_SRC) || has(Option.UDP_DST);
    }

    /** Flags of the header of this kind that the option is about. */
    Flags flags(Option option) {
        if (option == Option.TCP_FLAGS) {
            return Flags.TCP;
        }
        return switch (kind) {
            case TCP -> Flags.TCP;
            case SAL -> Flags.SAL;
            default -> Flags.ND;
        };
    }

    /** Canonical: head, then options in one order, {@code about} last. */
    String toText() {
        var text = new StringBuilder(head());
        for (var option : kind.options()) {
            if (option == Option.ABOUT) {
                continue;
            }
            if (has(option)) {
                text.append(' ').append(option.word);
                String value = value(option);
                if (!value.isEmpty()) {
                    text.append(' ').append(value);
                }
            }
        }
        if (about != null) {
            text.append(" about ").append(about.toText());
        }
        return text.toString();
    }

    private String head() {
        return switch (kind) {
            case SAL -> "sal " + flow(src, srcPort) + " > " + flow(dst, dstPort);
            case UDP, TCP -> kind.word + " " + endpoint(src, srcPort) + " > " + endpoint(dst, dstPort);
            case ICMP, ICMP6 -> kind.word + " " + IcmpTypes.word(kind == Kind.ICMP, type) + " " + src + " > " + dst;
            case ARP -> "arp " + (type == 1 ? "request " : "reply ") + src + " > " + dst;
            case ND -> "nd " + (type == 135 ? "solicit " : "advertise ") + src + " > " + dst;
            case IP -> "ip " + src + " > " + dst;
            case ETH -> "eth";
        };
    }

    private String value(Option option) {
        return switch (option.value) {
            case NONE, PACKET -> "";
            case NUMBER ->
                option == Option.TYPE || option == Option.CHECKSUM || option == Option.UDP_CHECKSUM
                        ? "0x%04x".formatted(numbers.get(option))
                        : Long.toString(number(option, 0));
            case MAC, MAC_OR_NONE -> {
                long mac = number(option, 0);
                yield mac == NO_LINK_MAC ? "none" : MacAddress.toString(mac);
            }
            case ADDRESS -> String.valueOf(addresses.get(option));
            case OCTETS -> HexFormat.of().formatHex(octets(option));
            case ADDRESSES -> sources.stream().map(IpAddress::toString).collect(Collectors.joining(","));
            case SERVICE -> String.valueOf(services.get(option));
            case FLAGS -> flags(option).print(number(option, 0));
            case FRAGMENT -> {
                long fragment = number(option, 0);
                yield (fragment & ~MORE) + ((fragment & MORE) != 0 ? "+" : "");
            }
        };
    }

    private static String flow(IpAddress address, int flowId) {
        return address + ":" + Integer.toUnsignedString(flowId);
    }

    private static String endpoint(IpAddress address, int port) {
        return (address.isV4() ? address.toString() : "[" + address + "]") + ":" + port;
    }
}
