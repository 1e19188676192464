package dev.weft.it.bench;

import com.google.protobuf.Message;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.sim.NatPool;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Tcp;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Member;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Rule;
import dev.weft.topology.schema.Tenant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A tenant with machines on bridge {@code in}, servers on bridge {@code out}, and router {@code r} between them: a
 * stateful firewall lets out what machines begin, a source rule gives it a public address, a balancer at 203.0.113.80
 * spreads over a pool. Each frame of {@link #next} begins another connection. One thread.
 */
final class StatefulNetwork implements AutoCloseable {
    static final int FRAMES = 1 << 14;

    private static final int SLOT = 64;
    private static final int STRIDE = 6_151;
    /** Of the source port, behind Ethernet and IPv4. */
    private static final int SOURCE_PORT_AT = 34;

    /** Of TCP, behind Ethernet and IPv4. */
    private static final int FLAGS_AT = 47;

    private static final ValueLayout.OfShort BE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final UUID TENANT = id("tenant");
    private static final UUID HOST = id("host");
    private static final UUID POOL = id("pool");
    private static final String GATE_MAC = "02:00:00:00:01:01";
    private static final String OUT_MAC = "02:00:00:00:01:02";
    private static final String MACHINE_MAC = "02:00:00:00:07:07";
    private static final String SERVER_MAC = "02:00:00:00:09:09";

    final Tables tables;
    final Simulator simulator;
    final Outcome out = new Outcome();
    long now = 1;
    private final MemoryTopologyStore store = new MemoryTopologyStore();
    private final Packet packet = new Packet();
    private final MemorySegment frames = Arena.ofAuto().allocate((long) FRAMES * SLOT, 64);
    private final int length;
    private VirtualNetwork network = VirtualNetwork.EMPTY;
    private int machine;
    private int at;
    private int sourcePort = 1024;

    /**
     * @param connections the table holds
     * @param destination 203.0.113.80 for the balancer, without a source rule; null for servers of all addresses, one for
     *     each frame, with one
     */
    StatefulNetwork(int connections, @Nullable String destination, List<Member> members) {
        tables = new Tables(
                new ConnectionTable(new ConnectionTable.Limits(connections, connections, 8), Lifetimes.STANDARD, 1, 2),
                Tables.Limits.STANDARD,
                3);
        simulator = new Simulator(tables, 0);
        plan(members, destination == null);
        compile();
        locate();
        int filled = 0;
        for (int i = 0; i < FRAMES; i++) {
            String to = destination == null ? "198.51." + (i >>> 7 & 0x7f) + "." + (1 + (i & 0x7f)) : destination;
            String from = "10.1." + (i >>> 7 & 0x7f) + "." + (2 + (i & 0x7f));
            byte[] frame = PacketExpression.parse("tcp " + from + ":1024 > " + to + ":80 flags syn ttl 64 src-mac "
                    + MACHINE_MAC + " dst-mac " + GATE_MAC);
            MemorySegment.copy(frame, 0, frames, ValueLayout.JAVA_BYTE, (long) i * SLOT, frame.length);
            filled = frame.length;
        }
        length = filled;
    }

    private void plan(List<Member> members, boolean translates) {
        var plan = Transaction.builder();
        plan.put(Tenant.newBuilder().setId(TENANT.toString()).setName("t").build());
        plan.put(Host.newBuilder()
                .setId(HOST.toString())
                .setName("h")
                .setUnderlay("172.16.0.1")
                .build());
        for (String bridge : List.of("in", "out")) {
            plan.put(Bridge.newBuilder()
                    .setId(id(bridge).toString())
                    .setName(bridge)
                    .setTenantId(TENANT.toString())
                    .build());
        }
        plan.put(firewall());
        plan.put(Router.newBuilder()
                .setId(id("r").toString())
                .setName("r")
                .setTenantId(TENANT.toString())
                .setForwardChainId(id("firewall").toString())
                .build());
        plan.put(port("in-r")
                .setBridgeId(id("in").toString())
                .setPeerId(id("r-in").toString())
                .build());
        plan.put(port("r-in")
                .setRouterId(id("r").toString())
                .setPeerId(id("in-r").toString())
                .setMac(GATE_MAC)
                .addAddresses("10.1.0.1/16")
                .build());
        plan.put(port("out-r")
                .setBridgeId(id("out").toString())
                .setPeerId(id("r-out").toString())
                .build());
        plan.put(port("r-out")
                .setRouterId(id("r").toString())
                .setPeerId(id("out-r").toString())
                .setMac(OUT_MAC)
                .addAddresses("203.0.113.1/24")
                .build());
        plan.put(bound("machine", "in"));
        plan.put(bound("server", "out"));
        plan.put(route());
        if (translates) {
            plan.put(sourceRule());
        }
        plan.put(pool(members));
        plan.put(Balancer.newBuilder()
                .setId(id("balancer").toString())
                .setName("balancer")
                .setTenantId(TENANT.toString())
                .setRouterId(id("r").toString())
                .setAddress("203.0.113.80")
                .setProtocol("tcp")
                .setPort("80")
                .setPoolId(POOL.toString())
                .build());
        store.apply(plan.build());
    }

    private static Nat sourceRule() {
        return Nat.newBuilder()
                .setId(id("nat").toString())
                .setName("nat")
                .setTenantId(TENANT.toString())
                .setRouterId(id("r").toString())
                .setType(Nat.Type.SOURCE)
                .setPortId(id("r-out").toString())
                .setSource("10.1.0.0/16")
                .addAddresses("203.0.113.10")
                .build();
    }

    /** Answers come in, new connections go out, all else is dropped. */
    private static Chain firewall() {
        var known = Conditions.newBuilder()
                .addConnection(Conditions.Connection.FORWARD)
                .addConnection(Conditions.Connection.ANSWER)
                .addConnection(Conditions.Connection.RELATED);
        var begun = Conditions.newBuilder()
                .addConnection(Conditions.Connection.NEW)
                .addInPortIds(id("r-in").toString());
        return Chain.newBuilder()
                .setId(id("firewall").toString())
                .setName("firewall")
                .setTenantId(TENANT.toString())
                .addRules(Rule.newBuilder().setMatch(known).setAction(Rule.Action.ACCEPT))
                .addRules(Rule.newBuilder().setMatch(begun).setAction(Rule.Action.ACCEPT))
                .addRules(Rule.newBuilder().setAction(Rule.Action.DROP))
                .build();
    }

    private static Message route() {
        return Route.newBuilder()
                .setId(id("route").toString())
                .setName("route")
                .setTenantId(TENANT.toString())
                .setRouterId(id("r").toString())
                .setDestination("0.0.0.0/0")
                .setPortId(id("r-out").toString())
                .setGateway("203.0.113.2")
                .build();
    }

    static Member member(int number, int weight, boolean draining) {
        return Member.newBuilder()
                .setAddress("198.18." + (number >>> 8) + "." + (number & 0xff))
                .setPort(8080)
                .setWeight(weight)
                .setDraining(draining)
                .build();
    }

    private static Pool pool(List<Member> members) {
        return Pool.newBuilder()
                .setId(POOL.toString())
                .setName("pool")
                .setTenantId(TENANT.toString())
                .addAllMembers(members)
                .build();
    }

    /** Other members from now on; flows are no part of this. */
    void change(List<Member> members) {
        store.apply(Transaction.builder().put(pool(members)).build());
        compile();
    }

    void down(int number, boolean down) {
        var address = IpAddress.parse(member(number, 1, false).getAddress());
        tables.setDown(VirtualNetwork.memberName(POOL, address.high(), address.low(), 8080), down);
    }

    private void compile() {
        network = VirtualNetwork.compile(store.snapshot(), network);
        simulator.setNetwork(network);
    }

    private void locate() {
        machine = network.portIndex(id("machine"));
        int server = network.portIndex(id("server"));
        tables.setLocalPort(machine, machine + 1);
        tables.setLocalPort(server, server + 1);
        long macOfMachine = MacAddress.parse(MACHINE_MAC).bits();
        long macOfServer = MacAddress.parse(SERVER_MAC).bits();
        tables.learnMac(network.bridgeIndex(id("in")), 0, macOfMachine, machine);
        tables.learnMac(network.bridgeIndex(id("out")), 0, macOfServer, server);
        var gateway = IpAddress.parse("203.0.113.2");
        tables.learnNeighbour(
                network.routerIndex(id("r")),
                gateway.high(),
                gateway.low(),
                macOfServer,
                network.portIndex(id("r-out")),
                Tables.NEVER);
        for (NatPool pool : network.natPools()) {
            var address = pool.address(0);
            tables.blocks()
                    .grant(
                            pool.tag(),
                            address.high(),
                            address.low(),
                            pool.firstPort(),
                            pool.lastPort() - pool.firstPort() + 1);
        }
    }

    /** The next frame, of a connection there was not before, simulated; the outcome is in {@link #out}. */
    void next() {
        at = at + STRIDE & FRAMES - 1;
        if (at == 0) {
            sourcePort = sourcePort == 0xffff ? 1024 : sourcePort + 1;
        }
        simulate(at, sourcePort, Tcp.SYN);
    }

    /** One of {@link #FRAMES} frames with this source port and these TCP flags. */
    void simulate(int frame, int port, int flags) {
        frames.set(ValueLayout.JAVA_BYTE, (long) frame * SLOT + FLAGS_AT, (byte) flags);
        frames.set(BE_SHORT, (long) frame * SLOT + SOURCE_PORT_AT, (short) port);
        packet.wrap(frames, (long) frame * SLOT, length);
        int ingress = machine;
        packet.key.setIngress(ingress + 1, 0);
        if (PacketParser.parse(packet) != 0) {
            throw new IllegalStateException("the workload's own frame is malformed");
        }
        simulator.simulate(packet, ingress, now, out);
    }

    /** As a worker does after a simulation. Whether the packet went out. */
    boolean record() {
        if (out.kind() != Outcome.Kind.FORWARD || !out.hasConnection()) {
            return false;
        }
        int result = tables.connections().put(out.connection(), out.connectionTcpFlags(), now);
        return result <= ConnectionTable.KNOWN;
    }

    @Override
    public void close() {
        store.close();
    }

    private static Port.Builder port(String name) {
        return Port.newBuilder().setId(id(name).toString()).setName(name).setTenantId(TENANT.toString());
    }

    private static Port bound(String name, String bridge) {
        return port(name)
                .setBridgeId(id(bridge).toString())
                .setHostId(HOST.toString())
                .setInterface(name)
                .build();
    }

    private static UUID id(String name) {
        return UUID.nameUUIDFromBytes(("stateful " + name).getBytes(StandardCharsets.UTF_8));
    }
}
