package dev.weft.sim.packet;

import java.util.Locale;

/**
 * Why a frame was not understood. The parser returns the {@link #code()}; each has its own drop counter. The name of a
 * constant in lower case with dashes is what people read.
 */
public enum Malformed {
    TRUNCATED_ETHERNET("the frame is shorter than an Ethernet header"),
    TRUNCATED_VLAN("the frame ends inside its VLAN tag"),
    TRUNCATED_ARP("the frame ends inside its ARP packet"),
    BAD_ARP("ARP not for IPv4 over Ethernet, or with an operation above 255"),
    TRUNCATED_IPV4("the frame is shorter than its IPv4 header says"),
    BAD_IPV4_VERSION("ethertype 0x0800, but the IP version is not 4"),
    BAD_IPV4_HEADER_LENGTH("the IPv4 header length is below 20"),
    BAD_IPV4_TOTAL_LENGTH("the IPv4 total length is below the header length"),
    BAD_IPV4_CHECKSUM("the IPv4 header checksum is wrong"),
    TRUNCATED_IPV6("the frame or packet ends inside its IPv6 headers or before its payload length"),
    BAD_IPV6_VERSION("ethertype 0x86dd, but the IP version is not 6"),
    IPV6_TOO_MANY_EXTENSIONS("more than 8 IPv6 extension headers"),
    MAPPED_ADDRESS("an IPv6 packet with an IPv4-mapped address (::ffff:0:0/96), which must not be on a wire"),
    BAD_FRAGMENT("a fragment that ends past 65535, or is not the last and no multiple of 8 octets long"),
    TINY_FRAGMENT("a first fragment without its whole TCP header, or a TCP fragment at offset 8 (RFC 1858)"),
    TRUNCATED_TCP("the packet ends inside its TCP header"),
    BAD_TCP_DATA_OFFSET("the TCP data offset is below 20 or past the end"),
    TRUNCATED_UDP("the packet ends inside its UDP header"),
    BAD_UDP_LENGTH("the UDP length is below 8 or past the end"),
    TRUNCATED_ICMP("the packet ends inside its ICMP header"),
    FRAME_TOO_LONG("the frame is longer than 65593 octets, the longest IPv6 packet behind a VLAN tag"),
    TRUNCATED_SAL("the packet ends inside its Serval header"),
    BAD_SAL_LENGTH("the Serval header length is below 12 or past the end"),
    SAL_TOO_MANY_EXTENSIONS("more than 10 Serval extensions, each octet of padding counted"),
    UNKNOWN_SAL_EXTENSION("a Serval extension of a type above 4"),
    BAD_SAL_EXTENSION_LENGTH("a Serval extension shorter or longer than its type allows"),
    SAL_EXTENSIONS_PAST_END("the Serval extensions do not end where the Serval header does"),
    SECOND_SAL_CONTROL("a second Serval control extension"),
    THIRD_SAL_SERVICE("a third Serval service extension"),
    SECOND_SAL_SOURCE("a second Serval source extension"),
    SHORT_SAL_SOURCE("a Serval source extension with fewer than two addresses"),
    SAL_SYN_WITHOUT_SERVICE("a Serval SYN that names no service"),
    SAL_SYN_WITH_RST("a Serval packet with SYN and RST, which would close a listener"),
    BAD_SAL_CHECKSUM("the Serval header checksum is wrong");

    /** What the parser returns for a frame it understood. */
    public static final int OK = 0;

    private static final Malformed[] ALL = values();

    private final String text;
    private final String label;

    Malformed(String text) {
        this.text = text;
        label = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** 1 for the first constant, and so on. */
    public int code() {
        return ordinal() + 1;
    }

    /** @param code not {@link #OK} */
    public static Malformed of(int code) {
        return ALL[code - 1];
    }

    public static int count() {
        return ALL.length;
    }

    /** {@code truncated-ipv4}. */
    public String label() {
        return label;
    }

    /** One sentence for people. */
    public String text() {
        return text;
    }
}
