package dev.weft.sim.match;

/**
 * A packet's fields, for a search. Reading is free; a search reports by {@link #use} which bits its way depended on.
 * What says whether a field is there at all ({@link #kind()}, {@link #hasPorts()} ...) reports by itself.
 *
 * <p>Fields of up to 32 bits are numbers; the first bit of a field is its most significant one. Addresses are in their
 * 128-bit form and read by {@link #high} and {@link #low}.
 */
public interface Fields {
    int SRC = 0;
    int DST = 1;
    int PROTOCOL = 2;
    int L4_SRC = 3;
    int L4_DST = 4;
    /** Type and code, 16 bits each. */
    int ICMP = 5;

    int SRC_MAC = 6;
    int DST_MAC = 7;
    int ETHERTYPE = 8;
    /** Whether there is a tag, then 12 bits of id. */
    int VLAN = 9;

    int DSCP = 10;
    /** Of the packet that an ICMP error quotes. */
    int QUOTED_SRC = 11;

    int QUOTED_DST = 12;
    /** The port it came in by, as an index, negative when not known. Places are no part of a packet: no bits to use. */
    int IN_PORT = 13;

    int OUT_PORT = 14;
    /** The packet's part in a connection, as the schema numbers it; what proves it is reported by reading it. */
    int CONNECTION = 15;
    /** How far its TCP connection is, as the schema numbers it; 3 when it is of none that is known. */
    int TCP_PHASE = 16;
    /** As {@link #CONNECTION}, the first packet of a connection like those after it. */
    int CONNECTION_PART = 17;

    // What kind of packet it is, as bits of a set.
    int IPV4 = 1;
    int IPV6 = 1 << 1;
    int ARP = 1 << 2;
    int OTHER = 1 << 3;
    int IP = IPV4 | IPV6;

    // What kind of fragment, as bits of a set.
    int UNFRAGMENTED = 1;
    int FIRST_FRAGMENT = 1 << 1;
    int LATER_FRAGMENT = 1 << 2;

    /** How many bits a field has. */
    static int width(int field) {
        return switch (field) {
            case SRC, DST, QUOTED_SRC, QUOTED_DST -> 128;
            case SRC_MAC, DST_MAC -> 48;
            case ICMP, IN_PORT, OUT_PORT -> 32;
            case L4_SRC, L4_DST, ETHERTYPE -> 16;
            case VLAN -> 13;
            case PROTOCOL -> 8;
            case DSCP -> 6;
            case CONNECTION, CONNECTION_PART -> 3;
            case TCP_PHASE -> 2;
            default -> throw new IllegalArgumentException("field " + field + " (expected one of those above)");
        };
    }

    static boolean isAddress(int field) {
        return width(field) == 128;
    }

    /** One of {@link #IPV4}, {@link #IPV6}, {@link #ARP}, {@link #OTHER}. */
    int kind();

    /** Of IP: one of {@link #UNFRAGMENTED}, {@link #FIRST_FRAGMENT}, {@link #LATER_FRAGMENT}. */
    int fragment();

    /** TCP or UDP, and not a later fragment. */
    boolean hasPorts();

    /** ICMP of the packet's own family, and not a later fragment. */
    boolean hasIcmp();

    /** An ICMP error with a packet inside that could be read. */
    boolean hasQuote();

    /** Of a field of at most 32 bits; places too. */
    int value(int field);

    /** Of a MAC: 48 bits. */
    long mac(int field);

    long high(int addressField);

    long low(int addressField);

    /** The search depended on the field's first {@code bits} bits. */
    void use(int field, int bits);

    /** The search depended on these bits of a MAC. */
    void useMac(int field, long bits);

    /** Whether the packet has passed one of these ports or devices on its way; {@code place} is the caller's own word. */
    boolean crossed(int place, int[] sortedIndices);
}
