package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.MacAddress;
import dev.weft.datapath.kernel.Errno;
import dev.weft.datapath.kernel.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The interfaces of one namespace, with their addresses, routes and neighbours. May be shared; one request at a time.
 * Everything is asked of the kernel when called for, nothing is kept. Each change has been done when the method
 * returns, or has thrown a {@link LinkException} with the kernel's own words.
 *
 * <pre>{@code
 * try (var links = Links.in(NetworkNamespace.named("a"))) {
 *     links.createVeth("x0", "x1", NetworkNamespace.named("b"));
 *     links.addAddress("x0", InterfaceAddress.parse("10.0.0.1/24"));
 *     links.setUp("x0");
 * }
 * }</pre>
 */
public final class Links implements AutoCloseable {
    private static final int NAME_LIMIT = 15; // IFNAMSIZ with its closing zero is 16
    private static final long SIOCETHTOOL = 0x8946;
    private static final int CHANGE = MessageWriter.ACK;
    private static final int CREATE = MessageWriter.ACK | MessageWriter.CREATE | MessageWriter.EXCLUSIVE;

    private final Netlink netlink;

    private Links(Netlink netlink) {
        this.netlink = netlink;
    }

    public static Links in(NetworkNamespace namespace) {
        return new Links(Netlink.in(namespace));
    }

    public NetworkNamespace namespace() {
        return netlink.namespace();
    }

    public List<Link> list() {
        var request = new MessageWriter(Link.GET, MessageWriter.DUMP).putLinkHeader(0, 0, 0);
        return netlink.dump("list links", request, Link::decode);
    }

    public Optional<Link> find(String name) {
        return present(() -> get(name));
    }

    public Optional<Link> find(int ifindex) {
        return present(() -> get(ifindex));
    }

    public Link get(String name) {
        var request = new MessageWriter(Link.GET, MessageWriter.ACK)
                .putLinkHeader(0, 0, 0)
                .attribute(Link.NAME, checked(name));
        return netlink.ask("look up link " + name, request, Link::decode);
    }

    public Link get(int ifindex) {
        if (ifindex <= 0) {
            throw new IllegalArgumentException("interface index " + ifindex + " (expected a positive one)");
        }
        var request = new MessageWriter(Link.GET, MessageWriter.ACK).putLinkHeader(ifindex, 0, 0);
        return netlink.ask("look up link " + ifindex, request, Link::decode);
    }

    private static Optional<Link> present(Supplier<Link> query) {
        try {
            return Optional.of(query.get());
        } catch (LinkException refused) {
            if (refused.is(Errno.ENODEV)) {
                return Optional.empty();
            }
            throw refused;
        }
    }

    public void setUp(String name) {
        netlink.change("set link " + name + " up", setting(name, Link.FLAG_UP, Link.FLAG_UP));
    }

    public void setDown(String name) {
        netlink.change("set link " + name + " down", setting(name, 0, Link.FLAG_UP));
    }

    /** @param mtu of layer 3, in bytes */
    public void setMtu(String name, int mtu) {
        netlink.change("set mtu " + mtu + " on " + name, setting(name, 0, 0).attribute(Link.MTU, mtu));
    }

    public void setMac(String name, MacAddress mac) {
        byte[] octets = new byte[6];
        for (int i = 0; i < octets.length; i++) {
            octets[i] = (byte) (mac.bits() >>> (40 - 8 * i));
        }
        netlink.change("set MAC " + mac + " on " + name, setting(name, 0, 0).attribute(Link.ADDRESS, octets));
    }

    /** It vanishes here and appears there, down and without its addresses. */
    public void move(String name, NetworkNamespace target) {
        int fd = target.open();
        try {
            netlink.change("move " + name + " to " + target, setting(name, 0, 0).attribute(Link.NAMESPACE_FD, fd));
        } finally {
            Libc.close(fd);
        }
    }

    public void createVeth(String name, String peer) {
        createVeth(name, peer, namespace());
    }

    /** Two ends of one wire, both down: {@code name} here and {@code peer} there. */
    public void createVeth(String name, String peer, NetworkNamespace peerNamespace) {
        int fd = peerNamespace.open();
        try {
            var request = NewLink.veth(checked(name), checked(peer), fd);
            netlink.change("create veth " + name + " with " + peer + " in " + peerNamespace, request);
        } finally {
            Libc.close(fd);
        }
    }

    /**
     * A VXLAN device whose remote and network number come with each packet (collect-metadata) and which learns nothing;
     * over IPv6 it sends and takes UDP checksums of 0.
     *
     * @param port UDP destination port; one such device for each port of a namespace
     * @param mtu of what it carries, in bytes
     */
    public void createVxlan(String name, int port, int mtu) {
        netlink.change(
                "create vxlan " + name + " on UDP port " + port + " with mtu " + mtu,
                NewLink.vxlan(checked(name), port, mtu));
    }

    /**
     * It takes no IPv6 address of its own when it comes up, and so sends nothing by itself: no router solicitation, no
     * duplicate address detection. To be called while it is down.
     */
    public void withoutIpv6Address(String name) {
        netlink.change("keep " + name + " without an IPv6 address", NewLink.withoutIpv6Address(setting(name, 0, 0)));
    }

    /** With its peer, if it is a veth. */
    public void delete(String name) {
        var request =
                new MessageWriter(Link.DELETE, CHANGE).putLinkHeader(0, 0, 0).attribute(Link.NAME, checked(name));
        netlink.change("delete link " + name, request);
    }

    public void addAddress(String name, InterfaceAddress address) {
        var request = new MessageWriter(InterfaceAddress.NEW, CREATE);
        netlink.change(
                "add " + address + " to " + name,
                address.encode(request, get(name).ifindex()));
    }

    public void deleteAddress(String name, InterfaceAddress address) {
        var request = new MessageWriter(InterfaceAddress.DELETE, CHANGE);
        netlink.change(
                "delete " + address + " from " + name,
                address.encode(request, get(name).ifindex()));
    }

    public List<InterfaceAddress> addresses(String name) {
        int ifindex = get(name).ifindex();
        return netlink
                .dump("list addresses of " + name, InterfaceAddress.list(ifindex), InterfaceAddress::decode)
                .stream()
                .filter(found -> found.ifindex() == ifindex)
                .map(InterfaceAddress.OnLink::value)
                .toList();
    }

    /** The link that has this address. */
    public Optional<Link> linkWith(IpAddress address) {
        return allAddresses().stream()
                .filter(each -> each.value().address().equals(address))
                .findFirst()
                .flatMap(each -> find(each.ifindex()));
    }

    List<InterfaceAddress.OnLink> allAddresses() {
        return netlink.dump("list addresses", InterfaceAddress.list(0), InterfaceAddress::decode);
    }

    /** Adds to the main table, through a gateway. */
    public void addRoute(IpPrefix destination, IpAddress gateway, String name) {
        change("add", KernelRoute.NEW, CREATE, destination, Optional.of(gateway), name);
    }

    /** Adds to the main table: the destination is on the link itself. */
    public void addRoute(IpPrefix destination, String name) {
        change("add", KernelRoute.NEW, CREATE, destination, Optional.empty(), name);
    }

    public void deleteRoute(IpPrefix destination, String name) {
        change("delete", KernelRoute.DELETE, CHANGE, destination, Optional.empty(), name);
    }

    private void change(
            String verb, int type, int flags, IpPrefix destination, Optional<IpAddress> gateway, String name) {
        var request =
                KernelRoute.change(type, flags, destination, gateway, get(name).ifindex());
        var by = gateway.map(address -> " by " + address).orElse("");
        netlink.change(verb + " route to " + destination + by + " on " + name, request);
    }

    /** Of all tables, IPv4 and IPv6; {@link KernelRoute#table} tells which. */
    public List<KernelRoute> routes() {
        return netlink.dump("list routes", KernelRoute.list(), KernelRoute::decode);
    }

    /** How the kernel would send to this address now; empty when it would not. */
    public Optional<UnderlayPath> pathTo(IpAddress destination) {
        KernelRoute route;
        try {
            route = netlink.ask(
                    "look up route to " + destination, KernelRoute.lookUp(destination), KernelRoute::decode);
        } catch (LinkException refused) {
            // EINVAL is what a blackhole route answers, EACCES a prohibit route.
            boolean nowhere = refused.is(Errno.ENETUNREACH)
                    || refused.is(Errno.EHOSTUNREACH)
                    || refused.is(Errno.EACCES)
                    || refused.is(Errno.EINVAL);
            if (nowhere) {
                return Optional.empty();
            }
            throw refused;
        }
        boolean local = route.type() == KernelRoute.LOCAL;
        if (route.hops().isEmpty() || (!local && route.type() != KernelRoute.UNICAST)) {
            return Optional.empty();
        }
        var hop = route.hops().getFirst();
        return find(hop.ifindex())
                .map(link -> new UnderlayPath(
                        destination,
                        link,
                        hop.gateway(),
                        route.source(),
                        route.mtu().orElse(link.mtu()),
                        local));
    }

    /**
     * Makes the kernel find out a neighbour's MAC, or check one it has not heard of lately, as if a packet were sent
     * there; the answer is an entry of {@link #neighbours} or a {@link PathEvent}.
     */
    public void useNeighbour(IpAddress address, int ifindex) {
        netlink.change(
                "ask for neighbour " + address + " on interface " + ifindex, KernelNeighbour.use(ifindex, address));
    }

    public List<KernelNeighbour> neighbours() {
        return netlink.dump("list neighbours", KernelNeighbour.list(), KernelNeighbour::decode);
    }

    public boolean offload(String name, Offload offload) {
        return ethtool(name, offload.get, 0, "read " + offload + " of " + name) != 0;
    }

    public void setOffload(String name, Offload offload, boolean on) {
        ethtool(name, offload.set, on ? 1 : 0, "set " + offload + (on ? " on" : " off") + " on " + name);
    }

    /** struct ifreq: name(16 bytes) pointer; struct ethtool_value: command(32) value(32). */
    private int ethtool(String name, int command, int value, String tried) {
        try (var arena = Arena.ofConfined()) {
            var request = arena.allocate(40, 8);
            byte[] text = checked(name).getBytes(StandardCharsets.UTF_8);
            MemorySegment.copy(text, 0, request, JAVA_BYTE, 0, text.length);
            var argument = arena.allocateFrom(JAVA_INT, command, value);
            request.set(JAVA_LONG, 16, argument.address());
            LinkException.check(
                    Libc.ioctl(netlink.fileDescriptor(), SIOCETHTOOL, request), tried + " in " + namespace());
            return argument.getAtIndex(JAVA_INT, 1);
        }
    }

    private static MessageWriter setting(String name, int flags, int change) {
        return new MessageWriter(Link.SET, CHANGE)
                .putLinkHeader(0, flags, change)
                .attribute(Link.NAME, checked(name));
    }

    private static String checked(String name) {
        int length = name.getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > NAME_LIMIT) {
            throw new IllegalArgumentException(
                    "interface name '" + name + "' of " + length + " bytes (expected 1.." + NAME_LIMIT + ")");
        }
        return name;
    }

    @Override
    public void close() {
        netlink.close();
    }
}
