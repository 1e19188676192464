package dev.weft.sim.packet;

/** The errors a router sends, in both families: RFC 792, RFC 1812 §5.2.7 and RFC 4443 §3. */
public enum IcmpError {
    TIME_EXCEEDED(Icmp.TIME_EXCEEDED, 0, Icmpv6.TIME_EXCEEDED, 0),
    NO_ROUTE(Icmp.UNREACHABLE, Icmp.NET_UNREACHABLE, Icmpv6.UNREACHABLE, Icmpv6.NO_ROUTE),
    /** A reject route. */
    REJECTED(Icmp.UNREACHABLE, Icmp.HOST_UNREACHABLE, Icmpv6.UNREACHABLE, Icmpv6.REJECT_ROUTE),
    /** The neighbour did not answer. */
    HOST_UNREACHABLE(Icmp.UNREACHABLE, Icmp.HOST_UNREACHABLE, Icmpv6.UNREACHABLE, Icmpv6.ADDRESS_UNREACHABLE),
    PROTOCOL_UNREACHABLE(
            Icmp.UNREACHABLE, Icmp.PROTOCOL_UNREACHABLE, Icmpv6.PARAMETER_PROBLEM, Icmpv6.UNKNOWN_NEXT_HEADER),
    PORT_UNREACHABLE(Icmp.UNREACHABLE, Icmp.PORT_UNREACHABLE, Icmpv6.UNREACHABLE, Icmpv6.PORT_UNREACHABLE),
    ADMIN_PROHIBITED(Icmp.UNREACHABLE, Icmp.ADMIN_PROHIBITED, Icmpv6.UNREACHABLE, Icmpv6.ADMIN_PROHIBITED),
    /** IPv4: only for packets that must not be fragmented. Carries the MTU. */
    TOO_BIG(Icmp.UNREACHABLE, Icmp.FRAGMENTATION_NEEDED, Icmpv6.PACKET_TOO_BIG, 0);

    final int v4Type;
    final int v4Code;
    final int v6Type;
    final int v6Code;

    IcmpError(int v4Type, int v4Code, int v6Type, int v6Code) {
        this.v4Type = v4Type;
        this.v4Code = v4Code;
        this.v6Type = v6Type;
        this.v6Code = v6Code;
    }
}
