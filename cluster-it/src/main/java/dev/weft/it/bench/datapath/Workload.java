package dev.weft.it.bench.datapath;

import dev.weft.sim.trace.PacketExpression;
import java.util.ArrayList;
import java.util.List;

/** The frames that are sent: UDP of 64 octets, Ethernet header included, every second one IPv6. */
final class Workload {
    static final int FLOWS = 1000;

    private static final int FIRST_PORT = 20_000;
    private static final int LENGTH = 64;
    private static final int IPV4_PAYLOAD = LENGTH - 14 - 20 - 8;
    private static final int IPV6_PAYLOAD = LENGTH - 14 - 40 - 8;

    private Workload() {}

    /** From the sender straight to its neighbour, so many flows. */
    static List<byte[]> bridged(int flows) {
        return frames(flows, Address.SENDER, Address.NEIGHBOUR, Address.NEIGHBOUR.mac(), IPV4_PAYLOAD, IPV6_PAYLOAD);
    }

    /** From the sender straight to its neighbour, with room for mark and number: longer than 64 octets. */
    static List<byte[]> bridgedNumbered(int flows) {
        return numbered(flows, Address.SENDER, Address.NEIGHBOUR, Address.NEIGHBOUR.mac());
    }

    /** From the sender to the VM behind the router, with room for mark and number. */
    static List<byte[]> routedNumbered(int flows) {
        return numbered(flows, Address.SENDER, Address.ROUTED, WeftPaths.ROUTER_MAC);
    }

    /** The other way: from the VM behind the router to the sender. */
    static List<byte[]> routedBackNumbered(int flows) {
        return numbered(flows, Address.ROUTED, Address.SENDER, WeftPaths.FAR_ROUTER_MAC);
    }

    /** From the VM behind the router to the sender's neighbour. */
    static List<byte[]> routedToNeighbourNumbered(int flows) {
        return numbered(flows, Address.ROUTED, Address.NEIGHBOUR, WeftPaths.FAR_ROUTER_MAC);
    }

    /** From the sender to the VM behind the router, 64 octets. */
    static List<byte[]> routed(int flows) {
        return frames(flows, Address.SENDER, Address.ROUTED, WeftPaths.ROUTER_MAC, IPV4_PAYLOAD, IPV6_PAYLOAD);
    }

    /** From the sender's neighbour to the VM behind the router, 64 octets. */
    static List<byte[]> neighbourRouted(int flows) {
        return frames(flows, Address.NEIGHBOUR, Address.ROUTED, WeftPaths.ROUTER_MAC, IPV4_PAYLOAD, IPV6_PAYLOAD);
    }

    /** From the sender to so many addresses behind the router, 10.8.0.0 and on: IPv4, a flow each. */
    static List<byte[]> scattered(int addresses) {
        var frames = new ArrayList<byte[]>();
        for (int i = 0; i < addresses; i++) {
            frames.add(PacketExpression.parse("udp %s:%d > 10.%d.%d.%d:53 src-mac %s dst-mac %s ttl 64 length %d"
                    .formatted(
                            Address.SENDER.v4(),
                            FIRST_PORT,
                            8 + (i >>> 16),
                            i >>> 8 & 0xff,
                            i & 0xff,
                            Address.SENDER.mac(),
                            WeftPaths.ROUTER_MAC,
                            IPV4_PAYLOAD)));
        }
        return frames;
    }

    /** From the sender to so many servers behind the router, from 10.8.0.1 on: IPv4, 64 octets, with mark and number. */
    static List<byte[]> servers(int servers) {
        var frames = new ArrayList<byte[]>();
        for (int i = 0; i < servers; i++) {
            frames.add(PacketExpression.parse("udp %s:%d > %s:53 src-mac %s dst-mac %s ttl 64 length %d"
                    .formatted(
                            Address.SENDER.v4(),
                            FIRST_PORT,
                            server(i),
                            Address.SENDER.mac(),
                            WeftPaths.ROUTER_MAC,
                            IPV4_PAYLOAD)));
        }
        return frames;
    }

    /** From the sender to the VM behind the router, IPv4 only, 64 octets. */
    static List<byte[]> routedV4(int flows) {
        var frames = new ArrayList<byte[]>();
        for (int i = 0; i < flows; i++) {
            frames.add(frame("udp %s:%d > %s:53".formatted(Address.SENDER.v4(), FIRST_PORT + i, Address.ROUTED.v4())));
        }
        return frames;
    }

    /** Serval's data packets of established connections between the same two, 64 octets. */
    static List<byte[]> salData(int connections) {
        var frames = new ArrayList<byte[]>();
        for (int i = 0; i < connections; i++) {
            frames.add(frame("sal %s:%d > %s:%d".formatted(Address.SENDER.v4(), 2 + i, Address.ROUTED.v4(), 3 + i)));
        }
        return frames;
    }

    /** 64 octets, to the router. */
    private static byte[] frame(String what) {
        String expression = what + " src-mac " + Address.SENDER.mac() + " dst-mac " + WeftPaths.ROUTER_MAC + " ttl 64";
        int headers = PacketExpression.parse(expression + " length 0").length;
        return PacketExpression.parse(expression + " length " + (LENGTH - headers));
    }

    /** The address of a server behind the router, 0 to 253. */
    static String server(int number) {
        return "10.8.0." + (1 + number);
    }

    private static List<byte[]> numbered(int flows, Address from, Address to, String mac) {
        return frames(flows, from, to, mac, Frames.NUMBERED_PAYLOAD, Frames.NUMBERED_PAYLOAD);
    }

    private static List<byte[]> frames(int flows, Address from, Address to, String mac, int payloadV4, int payloadV6) {
        var frames = new ArrayList<byte[]>();
        for (int i = 0; i < flows; i++) {
            boolean v6 = i % 2 == 1;
            frames.add(PacketExpression.parse("udp %s:%d > %s:53 src-mac %s dst-mac %s ttl 64 length %d"
                    .formatted(
                            v6 ? "[" + from.v6() + "]" : from.v4(),
                            FIRST_PORT + i / 2,
                            v6 ? "[" + to.v6() + "]" : to.v4(),
                            from.mac(),
                            mac,
                            v6 ? payloadV6 : payloadV4)));
        }
        return frames;
    }
}
