package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A route of the kernel: struct rtmsg {@code family(8) destinationLength(8) sourceLength(8) tos(8) table(8) protocol(8)
 * scope(8) type(8) flags(32)} with RTA_ attributes.
 *
 * @param hops where it leads: none for blackholes and their like, several for ECMP
 * @param source preferred source address (RTA_PREFSRC)
 * @param mtu set on the route itself (RTAX_MTU), in bytes
 * @param metric the lower wins; 0 when not given
 * @param table 254 is main, 255 local
 * @param type RTN_ value: 1 unicast, 2 local, 6 blackhole, 7 unreachable, 8 prohibit
 */
public record KernelRoute(
        IpPrefix destination,
        List<NextHop> hops,
        Optional<IpAddress> source,
        OptionalInt mtu,
        int metric,
        int table,
        int type) {

    public static final int MAIN_TABLE = 254;
    public static final int UNICAST = 1;
    public static final int LOCAL = 2;

    static final int NEW = 24;
    static final int DELETE = 25;
    static final int GET = 26;
    private static final int HEADER_LENGTH = 12;
    private static final int NEXT_HOP_LENGTH = 8;
    private static final int DESTINATION = 1;
    private static final int OUT_LINK = 4;
    private static final int GATEWAY = 5;
    private static final int PRIORITY = 6;
    private static final int SOURCE = 7;
    private static final int METRICS = 8;
    private static final int METRIC_MTU = 2;
    private static final int MULTIPATH = 9;
    private static final int TABLE = 15;
    private static final int VIA = 18;
    private static final int PROTOCOL_STATIC = 4;
    private static final int SCOPE_UNIVERSE = 0;
    private static final int SCOPE_LINK = 253;
    private static final int ANY_PROTOCOL = 0;
    private static final int ANY_SCOPE = 255; // RT_SCOPE_NOWHERE: delete whichever it is

    /** @param gateway empty when the destination is on the link itself */
    public record NextHop(int ifindex, Optional<IpAddress> gateway) {}

    public KernelRoute {
        hops = List.copyOf(hops);
    }

    static MessageWriter change(int type, int flags, IpPrefix destination, Optional<IpAddress> gateway, int ifindex) {
        boolean v4 = gateway.map(IpAddress::isV4).orElse(destination.isV4());
        var octets = destination.network().octets();
        int length = destination.length();
        if (v4 != destination.isV4()) {
            throw new IllegalArgumentException("route to " + destination + " by gateway " + gateway.get()
                    + " (expected both of one address family)");
        }
        var message = header(type, flags, v4 ? Libc.AF_INET : Libc.AF_INET6, length)
                .putByte(MAIN_TABLE)
                .putByte(type == DELETE ? ANY_PROTOCOL : PROTOCOL_STATIC)
                .putByte(type == DELETE ? ANY_SCOPE : gateway.isEmpty() && v4 ? SCOPE_LINK : SCOPE_UNIVERSE)
                .putByte(UNICAST)
                .putInt(0)
                .attribute(DESTINATION, octets)
                .attribute(OUT_LINK, ifindex);
        gateway.ifPresent(address -> message.attribute(GATEWAY, address.octets()));
        return message;
    }

    static MessageWriter list() {
        return header(GET, MessageWriter.DUMP, Libc.AF_UNSPEC, 0).putInt(0).putInt(0);
    }

    static MessageWriter lookUp(IpAddress destination) {
        return header(GET, MessageWriter.ACK, destination.isV4() ? Libc.AF_INET : Libc.AF_INET6, destination.width())
                .putInt(0)
                .putInt(0)
                .attribute(DESTINATION, destination.octets());
    }

    private static MessageWriter header(int type, int flags, int family, int destinationLength) {
        return new MessageWriter(type, flags)
                .putByte(family)
                .putByte(destinationLength)
                .putByte(0)
                .putByte(0);
    }

    /** Empty for other families (multicast routing, MPLS). */
    static Optional<KernelRoute> decode(Message message) {
        int family = message.byteAt(0);
        int length = message.byteAt(1);
        if ((message.type() != NEW && message.type() != DELETE)
                || (family != Libc.AF_INET && family != Libc.AF_INET6)) {
            return Optional.empty();
        }
        var attributes = message.attributesAfter(HEADER_LENGTH);
        var network = attributes
                .address(DESTINATION)
                .orElse(family == Libc.AF_INET ? IpAddress.ofV4(0) : new IpAddress(0, 0));
        if (length > network.width()) {
            throw new LinkException("netlink route to " + network + "/" + length + " (expected a length up to "
                    + network.width() + ")");
        }
        return Optional.of(new KernelRoute(
                IpPrefix.of(network, length),
                hops(attributes),
                attributes.address(SOURCE),
                attributes.nested(METRICS).number(METRIC_MTU),
                attributes.number(PRIORITY).orElse(0),
                attributes.number(TABLE).orElse(message.byteAt(4)),
                message.byteAt(7)));
    }

    private static List<NextHop> hops(Attributes attributes) {
        var hops = new ArrayList<NextHop>();
        attributes.number(OUT_LINK).ifPresent(ifindex -> hops.add(new NextHop(ifindex, gateway(attributes))));
        attributes.raw(MULTIPATH).ifPresent(list -> addHops(list, hops));
        return hops;
    }

    /** A list of struct rtnexthop: {@code length(16) flags(8) weight(8) index(32)} and attributes. */
    private static void addHops(MemorySegment list, List<NextHop> hops) {
        long at = 0;
        long end = list.byteSize();
        while (end - at >= NEXT_HOP_LENGTH) {
            int length = Short.toUnsignedInt(list.get(JAVA_SHORT_UNALIGNED, at));
            if (length < NEXT_HOP_LENGTH || length > end - at) {
                throw new LinkException("netlink next hop of " + length + " bytes (expected " + NEXT_HOP_LENGTH + ".."
                        + (end - at) + ")");
            }
            var attributes = Attributes.of(list.asSlice(at + NEXT_HOP_LENGTH, length - NEXT_HOP_LENGTH));
            hops.add(new NextHop(list.get(JAVA_INT_UNALIGNED, at + 4), gateway(attributes)));
            at += length + 3 & ~3L;
        }
    }

    private static Optional<IpAddress> gateway(Attributes attributes) {
        return attributes.address(GATEWAY).or(() -> attributes.via(VIA));
    }
}
