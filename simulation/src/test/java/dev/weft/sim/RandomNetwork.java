package dev.weft.sim;

import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.ServiceId;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.sal.SalControl;
import dev.weft.sim.sal.SalMessage;
import dev.weft.topology.schema.AllowedPair;
import dev.weft.topology.schema.Port;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** A random topology with random knowledge of it, random changes, and packets with values at its boundaries. */
final class RandomNetwork {
    final Topology net;
    private final RandomGenerator random;
    private final List<String> bridges = new ArrayList<>();
    private final List<String> routers = new ArrayList<>();
    private final List<String> vms = new ArrayList<>();
    private final List<String> routerPorts = new ArrayList<>();
    private final List<String> uplinks = new ArrayList<>();
    private final Map<String, String> upRouters = new HashMap<>();
    private final Map<String, String> uplinkNets = new HashMap<>();
    private final Map<String, String> natOf = new HashMap<>();
    private final Map<String, String> publics = new HashMap<>();
    private final List<String[]> routes = new ArrayList<>();
    private final List<IpAddress> addresses = new ArrayList<>();
    private final RandomChains chains;
    private int serial;
    /** For the message of a failure. */
    String lastChange = "";

    private int vmSerial;

    RandomNetwork(RandomGenerator random) {
        this.random = random;
        chains = new RandomChains(random, addresses);
        net = Topology.build(this::plan);
        net.change(t -> chains.plan(t, bridges, routers, vms));
        if (random.nextInt(3) == 0) {
            net.change(this::services);
        }
        grantPorts();
        for (int i = 0; i < 30; i++) {
            learn();
        }
    }

    private void plan(Topology t) {
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            addBridge(t);
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            routers.add("r" + routers.size());
            t.router(routers.getLast());
        }
        for (String router : routers) {
            for (String bridge : bridges) {
                if (random.nextInt(3) > 0) {
                    addJoin(t, bridge, router);
                }
            }
            if (random.nextInt(3) == 0) {
                String name = "up" + uplinks.size();
                String address = subnet();
                t.uplink(name, router, "here", address);
                uplinkNets.put(name, address.substring(0, address.lastIndexOf('.') + 1));
                uplinks.add(name);
                upRouters.put(name, router);
                routerPorts.add(name);
            }
        }
        for (String uplink : uplinks) {
            for (int j = random.nextInt(3); j > 0; j--) {
                addNat(t, uplink);
            }
        }
        if (routers.size() > 1 && random.nextBoolean()) {
            t.joinRouters("r0", "10.200.0.1/30", "r1", "10.200.0.2/30");
            routerPorts.add("r0-r1");
            routerPorts.add("r1-r0");
            addresses.add(IpAddress.parse("10.200.0.1"));
            addresses.add(IpAddress.parse("10.200.0.2"));
        }
        if (bridges.size() > 1 && random.nextInt(3) == 0) {
            t.joinBridges("b0", this::vlans, "b1");
        }
        t.vm("v0", "b0");
        vms.add("v0");
        for (int i = random.nextInt(6); i > 0; i--) {
            addVm(t);
        }
        for (int i = random.nextInt(8); i > 0 && !routerPorts.isEmpty(); i--) {
            addRoute(t);
        }
        for (String text : new String[] {
            "127.0.0.1",
            "224.0.0.5",
            "255.255.255.255",
            "0.0.0.0",
            "169.254.3.4",
            "::1",
            "ff02::1",
            "fe80::5",
            "fd00:9::1",
            "10.9.9.9",
            "192.0.2.1"
        }) {
            addresses.add(IpAddress.parse(text));
        }
    }

    /** Translation at an uplink, whose subnet is {@code 10.N.0.0/24}; its public addresses are 200 and on. */
    private void addNat(Topology t, String uplink) {
        String name = "nat" + random.nextInt(4);
        String base = uplinkNets.get(uplink);
        String outside = base + (200 + random.nextInt(3));
        String inside = "10." + (1 + random.nextInt(Math.max(1, serial))) + ".0." + (5 + random.nextInt(3));
        String words =
                switch (random.nextInt(3)) {
                    case 0 -> "static from " + inside + " out of " + uplink + " to " + outside;
                    case 1 -> "destination for " + outside + (random.nextBoolean() ? " udp 53" : "") + " to " + inside;
                    default ->
                        "source from 10.0.0.0/" + (8 + random.nextInt(9)) + " out of " + uplink + " to " + outside
                                + " ports 1000-1007";
                };
        if (natOf.getOrDefault(name, uplink).equals(uplink)) {
            natOf.put(name, uplink);
            t.nat(upRouters.get(uplink), name, words);
            publics.put(name, outside);
            for (int i = 199; i < 204; i++) {
                addresses.add(IpAddress.parse(base + i));
            }
        }
    }

    /** Each pool has a few ports. */
    private void grantPorts() {
        publics.forEach((name, outside) -> net.grant(name, outside, 1000, 8));
    }

    private void addBridge(Topology t) {
        String name = "b" + bridges.size();
        bridges.add(name);
        t.bridge(name, seeds());
    }

    private String[] seeds() {
        return random.nextBoolean()
                ? new String[0]
                : new String[] {
                    "10." + (1 + random.nextInt(4)) + ".0." + (5 + random.nextInt(5)) + "=" + vmMac() + "@" + vlan()
                };
    }

    private void addJoin(Topology t, String bridge, String router) {
        String four = subnet();
        int number = serial;
        t.join(bridge, router, this::vlans, four, "fd00:" + number + "::1/64");
        addresses.add(IpAddress.parse("fd00:" + number + "::1"));
        addresses.add(IpAddress.parse("fd00:" + number + "::5"));
        routerPorts.add(router + "-" + bridge);
    }

    /** A new one, with an address; remembers what lies at its edges. */
    private String subnet() {
        int number = ++serial;
        String base = "10." + number + ".0.";
        for (int last : new int[] {0, 1, 2, 5, 6, 7, 8, 9, 254, 255}) {
            addresses.add(IpAddress.parse(base + last));
        }
        return base + "1/24";
    }

    private void addVm(Topology t) {
        String name = "v" + ++vmSerial;
        vms.add(name);
        putVm(t, name);
    }

    private void putVm(Topology t, String name) {
        String bridge = pick(bridges);
        String host = random.nextInt(5) < 3 ? "here" : "h" + random.nextInt(2);
        if (random.nextInt(4) == 0) {
            t.statefulVm(name, bridge, host);
        } else {
            t.vm(name, bridge, host, port -> {
                vlans(port);
                station(name, port);
                port.setServalGuard(random.nextInt(3) == 0);
            });
        }
    }

    /** Who is behind the port, with or without security; mostly unsaid. */
    private void station(String name, Port.Builder port) {
        if (random.nextInt(3) > 0) {
            return;
        }
        String own = "10." + (1 + random.nextInt(4)) + ".0." + (20 + Integer.parseInt(name.substring(1)) % 200);
        addresses.add(IpAddress.parse(own));
        port.setMac(Topology.vmMac(name)).addAddresses(own + "/24");
        if (random.nextBoolean()) {
            port.setSecurity(true)
                    .addAllowedPairs(AllowedPair.newBuilder()
                            .setMac(random.nextBoolean() ? "" : "06:00:00:00:00:0" + random.nextInt(4))
                            .setAddress("10." + (1 + random.nextInt(4)) + ".0.0/2" + (5 + random.nextInt(5))));
        }
    }

    /** Access port, trunk with or without native VLAN; mostly plain. */
    private void vlans(Port.Builder port) {
        switch (random.nextInt(8)) {
            case 0 -> port.setVlan(7);
            case 1 -> port.addTrunk("7-8");
            case 2 -> port.addTrunk("8-9").setNativeVlan(7);
            default -> {}
        }
    }

    private int vlan() {
        return random.nextInt(3) > 0 ? 0 : 7 + random.nextInt(2);
    }

    private void addRoute(Topology t) {
        String port = pick(routerPorts);
        String router = routerOf(port);
        var inside = addresses.get(random.nextInt(addresses.size()));
        while (!inside.isV4()) {
            inside = addresses.get(random.nextInt(addresses.size()));
        }
        var prefix = IpPrefix.of(inside, random.nextInt(4) == 0 ? random.nextInt(33) : 8 * (1 + random.nextInt(4)));
        String words = prefix
                + switch (random.nextInt(6)) {
                    case 0 -> " blackhole";
                    case 1 -> " reject";
                    case 2 -> " port " + port;
                    default ->
                        " port " + port + " via 10." + (1 + random.nextInt(Math.max(1, serial))) + ".0."
                                + (5 + random.nextInt(5));
                };
        if (random.nextInt(4) == 0) {
            words += " from "
                    + IpPrefix.of(IpAddress.parse("10." + (1 + random.nextInt(3)) + ".0.5"), 22 + random.nextInt(11));
        }
        if (random.nextInt(4) == 0) {
            words += " weight " + (1 + random.nextInt(5));
        }
        String text = words;
        t.route(router, text);
        routes.removeIf(route -> route[0].equals(router) && route[1].equals(text));
        routes.add(new String[] {router, text});
        addresses.add(new IpAddress(0, prefix.low()));
        addresses.add(new IpAddress(0, prefix.low() - 1));
        long last = prefix.low() | ~IpPrefix.lowMask(prefix.bits());
        addresses.add(new IpAddress(0, last));
        addresses.add(new IpAddress(0, last + 1));
        addresses.removeIf(address -> !address.isV4() && address.high() == 0 && address.low() != 1);
    }

    private String routerOf(String port) {
        return port.startsWith("up") ? upRouters.get(port) : port.substring(0, port.indexOf('-'));
    }

    /** One random change of the topology or of what is known; it may turn out to change nothing. */
    void change() {
        int kind = random.nextInt(16);
        lastChange = "change " + kind;
        switch (kind) {
            case 0, 1 ->
                net.change(t -> {
                    if (!routerPorts.isEmpty()) {
                        addRoute(t);
                    }
                });
            case 2 ->
                net.change(t -> {
                    if (!routes.isEmpty()) {
                        String[] route = routes.remove(random.nextInt(routes.size()));
                        t.removeRoute(route[0], route[1]);
                    }
                });
            case 3 -> net.change(this::addVm);
            case 4 -> net.change(t -> putVm(t, pick(vms)));
            case 5 -> net.change(t -> t.bridge(pick(bridges), seeds()));
            case 6 ->
                net.change(t -> {
                    if (!routers.isEmpty()) {
                        addBridge(t);
                        addJoin(t, bridges.getLast(), pick(routers));
                    }
                });
            case 7 -> {
                if (vms.size() > 1) {
                    String gone = vms.remove(1 + random.nextInt(vms.size() - 1));
                    net.change(t -> t.removePort(gone));
                }
            }
            case 12 -> net.change(this::services);
            case 8, 9 -> net.change(t -> chains.change(t, bridges, routers, vms));
            case 10 -> {
                if (!uplinks.isEmpty()) {
                    net.change(t -> addNat(t, pick(uplinks)));
                    grantPorts();
                }
            }
            case 11 -> {
                if (!natOf.isEmpty()) {
                    String gone = natOf.keySet().iterator().next();
                    natOf.remove(gone);
                    publics.remove(gone);
                    net.change(t -> t.removeNat(gone));
                }
            }
            default -> learn();
        }
    }

    /** Something about the network becomes known, or no longer is. */
    private void learn() {
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> {
                String vm = pick(vms);
                int bridge = net.network().bridgeOfPort(net.portIndex(vm));
                net.learnMac(net.network().bridgeName(bridge), vlan(), net.mac(vm), vm);
            }
            case 3, 4, 5 -> {
                if (!routers.isEmpty()) {
                    net.learnNeighbour(pick(routers), address(true).toString(), vmMac());
                }
            }
            case 6 -> {
                if (!routers.isEmpty() && random.nextInt(4) == 0) {
                    net.failNeighbour(pick(routers), address(true).toString());
                }
            }
            default -> {
                if (random.nextInt(4) == 0) {
                    net.lose(pick(vms));
                }
            }
        }
    }

    private String vmMac() {
        return net == null ? "06:00:00:00:00:0" + random.nextInt(4) : net.mac(pick(vms));
    }

    /** A local exterior port. */
    String ingress() {
        List<String> local = new ArrayList<>(uplinks);
        for (String vm : vms) {
            if (net.tables().localPort(net.portIndex(vm)) != Tables.NONE) {
                local.add(vm);
            }
        }
        return local.isEmpty() ? "v0" : pick(local);
    }

    boolean isPresent(String port) {
        int index = net.portIndex(port);
        return index != VirtualNetwork.NONE && net.network().hasPort(index);
    }

    /** As it would come in at the port. */
    Packet packet(String port) {
        boolean v4 = random.nextInt(4) > 0;
        String src = address(v4).toString();
        String dst = address(v4).toString();
        Supplier<String> srcPort = () -> ":" + (1000 + random.nextInt(2));
        Supplier<String> dstPort = () -> ":" + (53 + random.nextInt(2));
        String open = v4 ? "" : "[";
        String close = v4 ? "" : "]";
        var frame =
                switch (random.nextInt(13)) {
                    case 0 ->
                        Frames.tcp(open + src + close + srcPort.get(), open + dst + close + dstPort.get())
                                .flags(random.nextInt(8));
                    case 1 -> Frames.echoRequest(src, dst, random.nextInt(2), 1);
                    case 2 -> Frames.echoReply(src, dst, random.nextInt(2), 1);
                    case 3 -> Frames.icmp(src, dst, v4 ? 3 : 1, 0, 0);
                    case 4 -> Frames.ip(src, dst, 47);
                    case 5 -> v4 ? Frames.arpRequest(src, dst) : Frames.neighbourSolicitation(src, dst);
                    case 6 -> v4 ? Frames.arpReply(src, dst) : Frames.neighbourAdvertisement(src, dst);
                    case 7 -> Frames.ethernet(0x88cc).payload(20);
                    case 9 -> v4 ? Frames.ip(src, dst, 144).payload(sal()) : Frames.ip(src, dst, 144);
                    case 8 ->
                        Frames.udp(open + src + close + ":1000", open + dst + close + ":53")
                                .payload(64)
                                .fragment(1, random.nextInt(2) * 8, true);
                    default -> Frames.udp(open + src + close + srcPort.get(), open + dst + close + dstPort.get());
                };
        frame.from(random.nextInt(3) > 0 ? net.mac(port) : vmMac());
        if (random.nextInt(8) == 0 && !routerPorts.isEmpty()) {
            frame.from(net.mac(pick(routerPorts)));
        }
        int to = random.nextInt(10);
        if (to < 6 && !routerPorts.isEmpty()) {
            frame.to(uplinks.contains(port) ? net.mac(port) : net.mac(pick(routerPorts)));
        } else if (to < 8) {
            frame.to(vmMac());
        } else if (to == 8) {
            frame.to("02:00:00:00:77:77");
        }
        if (random.nextInt(12) == 0) {
            frame.to("ff:ff:ff:ff:ff:ff");
        }
        if (random.nextInt(5) == 0) {
            frame.vlan(random.nextInt(3) << 13 | vlan());
        }
        var packet = frame.packet();
        packet.key.setIngress(net.portIndex(port) + 1, 0);
        return packet;
    }

    /** The first of a connection, or of an established one. */
    private static final int[] SAL_FLAGS = {SalControl.SYN, SalControl.ACK, SalControl.FIN, SalControl.RST};

    private byte[] sal() {
        var extensions = random.nextBoolean()
                ? List.<SalMessage.Extension>of()
                : List.<SalMessage.Extension>of(
                        new SalMessage.Control(SAL_FLAGS[random.nextInt(SAL_FLAGS.length)], 1, 0, 5),
                        new SalMessage.Service(ServiceId.of(0x4001 + random.nextInt(2))));
        return new SalMessage(2, extensions.isEmpty() ? random.nextInt(3) : 0, 17, extensions).encode();
    }

    private void services(Topology t) {
        t.serviceBlock("all", "*")
                .serviceTable("services", "0x00004001 forward 10.1.0.9", "* drop")
                .services("bridge", pick(bridges), "services");
        if (!routers.isEmpty()) {
            String router = pick(routers);
            String service = random.nextInt(4) > 0 ? "0x00004001" : "0x00004002";
            t.services("router", router, "services")
                    .service(router, "of-" + router, service, "10.96.0.80 " + pick(List.of("tcp", "udp")) + " 53");
            addresses.add(IpAddress.parse("10.96.0.80"));
            addresses.add(IpAddress.parse("10.1.0.9"));
        }
    }

    private IpAddress address(boolean v4) {
        while (true) {
            var address = addresses.get(random.nextInt(addresses.size()));
            if (address.isV4() == v4) {
                return address;
            }
        }
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
