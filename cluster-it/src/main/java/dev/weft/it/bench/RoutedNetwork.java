package dev.weft.it.bench;

import com.google.protobuf.Message;
import dev.weft.base.IpAddress;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Tenant;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.UUID;

/**
 * One router with an exterior port {@code up}, where frames come in, and one {@code down}, behind which its gateways
 * are; all else is what a benchmark adds to it. Tables are warm.
 */
final class RoutedNetwork implements AutoCloseable {
    static final String TENANT = id("tenant").toString();
    static final String ROUTER = id("r").toString();
    static final String DOWN = id("down").toString();

    private static final String UP_MAC = "02:00:00:00:01:01";
    private static final UUID HOST = id("host");
    private static final int GATEWAYS = 8;

    final Simulator simulator;
    private final MemoryTopologyStore store = new MemoryTopologyStore();
    private final Tables tables = new Tables(
            new ConnectionTable(new ConnectionTable.Limits(1024, 1024, 8), Lifetimes.STANDARD, 1, 2),
            Tables.Limits.STANDARD,
            3);
    private VirtualNetwork network = VirtualNetwork.EMPTY;

    RoutedNetwork(Router router, Collection<? extends Message> more) {
        var plan = Transaction.builder();
        plan.put(Tenant.newBuilder().setId(TENANT).setName("t").build());
        plan.put(Host.newBuilder()
                .setId(HOST.toString())
                .setName("h")
                .setUnderlay("172.16.0.1")
                .build());
        more.forEach(plan::put);
        plan.put(router);
        plan.put(port("up", UP_MAC, "172.20.0.1/16"));
        plan.put(port("down", "02:00:00:00:01:02", "172.21.0.1/16"));
        store.apply(plan.build());
        simulator = new Simulator(tables, 0);
        compile();
        for (int port = 0; port < network.portLimit(); port++) {
            tables.setLocalPort(port, port + 1);
        }
        int down = network.portIndex(id("down"));
        int index = network.routerIndex(id("r"));
        for (int i = 0; i < GATEWAYS; i++) {
            var ip = IpAddress.parse(gateway(i));
            tables.learnNeighbour(index, ip.high(), ip.low(), 0x0200_0000_0900L | i, down, Tables.NEVER);
        }
    }

    static Router.Builder router() {
        return Router.newBuilder().setId(ROUTER).setName("r").setTenantId(TENANT);
    }

    static Route route(String destination, int gateway) {
        return Route.newBuilder()
                .setId(id("route " + destination).toString())
                .setName("route-" + id(destination))
                .setTenantId(TENANT)
                .setRouterId(ROUTER)
                .setDestination(destination)
                .setPortId(DOWN)
                .setGateway(gateway(gateway % GATEWAYS))
                .build();
    }

    /** Applies one more change; how long compiling it took, in ns. */
    long change(Message object) {
        store.apply(Transaction.builder().put(object).build());
        return compile();
    }

    private long compile() {
        long begin = dev.weft.base.NanoClock.SYSTEM.nanoTime();
        network = VirtualNetwork.compile(store.snapshot(), network);
        long taken = dev.weft.base.NanoClock.SYSTEM.nanoTime() - begin;
        simulator.setNetwork(network);
        return taken;
    }

    /** @param packet the expression without MACs: {@code udp 10.0.0.1:1 > 10.0.0.2:2} */
    void add(FrameWalk walk, String packet) {
        walk.add(packet + " ttl 64 src-mac 02:00:00:00:07:07 dst-mac " + UP_MAC, network.portIndex(id("up")));
    }

    @Override
    public void close() {
        store.close();
    }

    private static String gateway(int i) {
        return "172.21.0." + (10 + i);
    }

    private static Port port(String name, String mac, String address) {
        return Port.newBuilder()
                .setId(id(name).toString())
                .setName(name)
                .setTenantId(TENANT)
                .setRouterId(ROUTER)
                .setMac(mac)
                .addAddresses(address)
                .setHostId(HOST.toString())
                .setInterface(name)
                .build();
    }

    static UUID id(String name) {
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    }
}
