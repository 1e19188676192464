package dev.weft.it.bench;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Tenant;
import java.util.List;
import java.util.UUID;

/**
 * A virtual network with frames for it: bridges {@code b1} and {@code b2} with 128 machines each, router {@code r}
 * between them with 1,000 routes, two exterior ports of its own, all tables warm. Each kind of walk has 16,384 distinct
 * frames. One thread.
 */
final class SimulationWorkload {
    static final int FRAMES = FrameWalk.FRAMES;

    private static final int MACHINES = 1 << 7;
    private static final int ROUTES = 1000;
    private static final UUID TENANT = id("tenant");
    private static final UUID HOST = id("host");
    private static final String UP_MAC = "02:00:00:00:01:01";
    private static final String R1_MAC = "02:00:00:00:01:02";

    private final Transaction.Builder plan = Transaction.builder();
    private final Tables tables = new Tables(
            new ConnectionTable(new ConnectionTable.Limits(1024, 1024, 8), Lifetimes.STANDARD, 1, 2),
            Tables.Limits.STANDARD,
            3);
    private final Simulator simulator = new Simulator(tables, 0);
    private final VirtualNetwork network;

    final FrameWalk l2 = new FrameWalk(simulator);
    final FrameWalk routed = new FrameWalk(simulator);
    final FrameWalk threeHop = new FrameWalk(simulator);

    SimulationWorkload() {
        put(Tenant.newBuilder().setId(TENANT.toString()).setName("t").build());
        put(Host.newBuilder()
                .setId(HOST.toString())
                .setName("h")
                .setUnderlay("172.16.0.1")
                .build());
        planDevices();
        for (int i = 0; i < ROUTES; i++) {
            planRoute(i);
        }
        try (var store = new MemoryTopologyStore()) {
            store.apply(plan.build());
            network = VirtualNetwork.compile(store.snapshot(), VirtualNetwork.EMPTY);
        }
        simulator.setNetwork(network);
        warm();
        fill();
        l2.verify();
        routed.verify();
        threeHop.verify();
    }

    private void planDevices() {
        for (String name : List.of("b1", "b2")) {
            put(Bridge.newBuilder()
                    .setId(id(name).toString())
                    .setName(name)
                    .setTenantId(TENANT.toString())
                    .build());
        }
        put(Router.newBuilder()
                .setId(id("r").toString())
                .setName("r")
                .setTenantId(TENANT.toString())
                .build());
        join("b1", "r-b1", R1_MAC, "10.1.0.1/16");
        join("b2", "r-b2", "02:00:00:00:01:03", "10.2.0.1/16");
        put(routerPort("up", UP_MAC, "10.3.0.1/16")
                .setHostId(HOST.toString())
                .setInterface("up")
                .build());
        put(routerPort("down", "02:00:00:00:01:04", "10.4.0.1/16")
                .setHostId(HOST.toString())
                .setInterface("down")
                .build());
        for (int i = 0; i < 2 * MACHINES; i++) {
            put(port(machine(i))
                    .setBridgeId(id(i < MACHINES ? "b1" : "b2").toString())
                    .setHostId(HOST.toString())
                    .setInterface("vm" + i)
                    .build());
        }
    }

    private void join(String bridge, String routerPort, String mac, String address) {
        put(port(bridge + "-r")
                .setBridgeId(id(bridge).toString())
                .setPeerId(id(routerPort).toString())
                .build());
        put(routerPort(routerPort, mac, address)
                .setPeerId(id(bridge + "-r").toString())
                .build());
    }

    /** Prefixes of many lengths, nested in each other, towards eight gateways behind port "down". */
    private void planRoute(int i) {
        int length = 16 + i % 13;
        String network = IpAddress.ofV4(20 << 24 | i << 12 & -1 << 32 - length).toString();
        put(Route.newBuilder()
                .setId(id("route " + i).toString())
                .setName("route-" + i)
                .setTenantId(TENANT.toString())
                .setRouterId(id("r").toString())
                .setDestination(network + "/" + length)
                .setPortId(id("down").toString())
                .setGateway(gateway(i % 8))
                .build());
    }

    private void warm() {
        for (int port = 0; port < network.portLimit(); port++) {
            if (network.isExterior(port)) {
                tables.setLocalPort(port, port + 1);
            }
        }
        int router = network.routerIndex(id("r"));
        for (int i = 0; i < 2 * MACHINES; i++) {
            int port = network.portIndex(id(machine(i)));
            long mac = MacAddress.parse(mac(i)).bits();
            tables.learnMac(network.bridgeOfPort(port), 0, mac, port);
            learn(router, address(i), mac, i < MACHINES ? "r-b1" : "r-b2");
        }
        for (int i = 0; i < 8; i++) {
            learn(router, gateway(i), 0x0200_0000_0900L | i, "down");
        }
    }

    private void learn(int router, String address, long mac, String port) {
        var ip = IpAddress.parse(address);
        tables.learnNeighbour(router, ip.high(), ip.low(), mac, network.portIndex(id(port)), Tables.NEVER);
    }

    private void fill() {
        int up = network.portIndex(id("up"));
        for (int i = 0; i < FRAMES; i++) {
            int from = i / MACHINES;
            int to = MACHINES + i % MACHINES;
            int near = i % MACHINES == from ? (from + 1) % MACHINES : i % MACHINES;
            int ingress = network.portIndex(id(machine(from)));
            l2.add(udp(address(from), address(near), i, mac(from), mac(near)), ingress);
            threeHop.add(udp(address(from), address(to), i, mac(from), R1_MAC), ingress);
            String far = IpAddress.ofV4(20 << 24 | i * ROUTES / FRAMES << 12 | 1 + i % 8)
                    .toString();
            routed.add(udp("10.3." + i / 256 % 256 + "." + (2 + i % 251), far, i, "02:00:00:00:07:07", UP_MAC), up);
        }
    }

    private static String udp(String from, String to, int i, String srcMac, String dstMac) {
        return "udp %s:%d > %s:53 ttl 64 src-mac %s dst-mac %s".formatted(from, 1024 + i, to, srcMac, dstMac);
    }

    private static String machine(int i) {
        return "vm" + i;
    }

    private static String mac(int i) {
        return MacAddress.toString(0x0200_0000_0200L + i);
    }

    private static String address(int i) {
        return (i < MACHINES ? "10.1.1." : "10.2.1.") + (2 + i % MACHINES);
    }

    private static String gateway(int i) {
        return "10.4.0." + (10 + i);
    }

    private Port.Builder port(String name) {
        return Port.newBuilder().setId(id(name).toString()).setName(name).setTenantId(TENANT.toString());
    }

    private Port.Builder routerPort(String name, String mac, String address) {
        return port(name).setRouterId(id("r").toString()).setMac(mac).addAddresses(address);
    }

    private void put(com.google.protobuf.Message object) {
        plan.put(object);
    }

    private static UUID id(String name) {
        return UUID.nameUUIDFromBytes(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
}
