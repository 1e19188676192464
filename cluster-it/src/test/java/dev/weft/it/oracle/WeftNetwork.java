package dev.weft.it.oracle;

import dev.weft.agent.trace.TraceResult;
import dev.weft.agent.worker.Backchannel;
import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.Learnings;
import dev.weft.agent.worker.Worker;
import dev.weft.agent.worker.WorkerSetup;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.Tag;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.DropReason;
import dev.weft.sim.Tables;
import dev.weft.sim.Topology;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A plan as Weft realises it: one host's workers, with their flow caches and connection tables, over a datapath in memory.
 * One thread.
 */
final class WeftNetwork implements AutoCloseable {
    private static final int WORKERS = 2;
    private static final int PLENTY = 1 << 20;

    private final Plan plan;
    private final Topology topology;
    private final MemoryDatapath datapath;
    private final List<Worker> workers = new ArrayList<>();
    private final Map<String, Integer> ports = new LinkedHashMap<>();
    private final Arena arena = Arena.ofShared();
    private long now = 1;

    WeftNetwork(Plan plan) {
        this.plan = plan;
        topology = plan.topology();
        datapath = new MemoryDatapath(
                DatapathConfig.of(WORKERS, IpAddress.parse("172.16.0.1"))
                        .withFlowCapacity(1 << 14)
                        .withClock(() -> now),
                new MemoryFabric());
        var doors = new Backchannel[WORKERS];
        for (int i = 0; i < WORKERS; i++) {
            doors[i] = new Backchannel(1 << 13, 1 << 18, datapath.worker(i)::wakeUp);
        }
        for (int i = 0; i < WORKERS; i++) {
            workers.add(new Worker(setup(i), doors, arena));
        }
        tell(new Command.NetworkChanged(topology.network()));
        plan.vms().forEach(this::attach);
        learnNeighbours();
        plan.grants(WORKERS).forEach(grant -> {
            var address = IpAddress.parse(grant.address());
            workers.get(grant.worker())
                    .offer(new Command.BlockGranted(
                            Tag.device(Topology.id("nat", grant.nat())),
                            address.high(),
                            address.low(),
                            grant.first(),
                            grant.count()));
        });
        turn();
    }

    private WorkerSetup setup(int index) {
        return new WorkerSetup(
                index,
                WORKERS,
                datapath.worker(index),
                IpAddress.parse("172.16.0.1"),
                0,
                () -> now,
                Lifetimes.STANDARD,
                1,
                7,
                new WorkerSetup.Limits(
                        1 << 13,
                        1_000_000_000_000L,
                        new ConnectionTable.Limits(1 << 13, 1 << 13, 64),
                        Tables.Limits.STANDARD,
                        64,
                        16,
                        1024,
                        PLENTY,
                        PLENTY,
                        64,
                        1 << 13,
                        PLENTY,
                        1 << 18),
                new Nobody(),
                null);
    }

    /** There are no other hosts to tell. */
    private static final class Nobody implements Learnings {
        @Override
        public void macLearned(int bridge, int vlan, long mac, int port) {}

        @Override
        public void macForgotten(int bridge, int vlan, long mac, int port) {}

        @Override
        public void neighbourLearned(int router, int routerPort, long high, long low, long mac, int vmPort) {}

        @Override
        public void probeAnswered(long token) {}

        @Override
        public void blockWanted(long pool, int worker, boolean ahead) {}

        @Override
        public void serviceDelayed(int table, long word0, long word1, long word2, long word3) {}

        @Override
        public void instanceHeard(
                int port, boolean goes, int bits, int address, long word0, long word1, long word2, long word3) {}
    }

    private void attach(String vm) {
        VirtualNetwork network = topology.network();
        int index = topology.portIndex(vm);
        int number = datapath.attach(new PortSpec(topology.portId(vm), vm, "", 1_000_000_000));
        ports.put(vm, number);
        tell(new Command.LocalPort(index, number));
        tell(new Command.MacLearned(
                network.bridgeOfPort(index), 0, MacAddress.parse(mac(vm)).bits(), index));
    }

    private void learnNeighbours() {
        plan.neighbours().forEach((address, vm) -> {
            for (boolean v6 : new boolean[] {false, true}) {
                var ip = IpAddress.parse(Addresses.text(address, v6));
                tell(new Command.NeighbourLearned(
                        topology.routerIndex("r"),
                        ip.high(),
                        ip.low(),
                        MacAddress.parse(mac(vm)).bits(),
                        topology.portIndex("r-b" + Plan.subnet(vm)),
                        topology.portIndex(vm)));
            }
        });
    }

    /** Of a VM, or of a router's port {@code r-b1}. */
    String mac(String port) {
        return topology.mac(port);
    }

    private void tell(Command command) {
        workers.forEach(worker -> {
            if (!worker.offer(command)) {
                throw new AssertionError("the backchannel is full");
            }
        });
        turn();
    }

    private void turn() {
        int work = 1;
        while (work > 0) {
            work = 0;
            for (Worker worker : workers) {
                work += worker.doWork();
            }
        }
    }

    /** All frames that come to VMs because of this one. */
    List<Seen> send(Seen frame) {
        now += 1_000_000;
        datapath.send(port(frame.vm()), frame.bytes());
        turn();
        var seen = new ArrayList<Seen>();
        for (String vm : plan.vms()) {
            for (byte[] got = datapath.receive(port(vm)); got != null; got = datapath.receive(port(vm))) {
                seen.add(seen(vm, got));
            }
        }
        return seen;
    }

    private static Seen seen(String vm, byte[] frame) {
        Packet packet = Frames.wrapped(frame);
        if (PacketParser.parse(packet) != 0
                || !Checksum.isTransportValid(
                        packet.segment, packet.l3Offset, packet.l4Offset, packet.l3End, packet.key.protocol())) {
            throw new AssertionError("a malformed frame, or one with a wrong checksum, at " + vm);
        }
        return new Seen(
                vm,
                MacAddress.toString(packet.key.srcMac()),
                MacAddress.toString(packet.key.dstMac()),
                Objects.requireNonNull(IpPacket.of(frame), "a frame of another sort"));
    }

    private int port(String vm) {
        return Objects.requireNonNull(ports.get(vm), vm);
    }

    /** Whether a worker drops the frame for this reason. */
    boolean drops(Seen frame, DropReason why) {
        return traces(frame).anyMatch(trace -> trace.verdict().equals("drop: " + why.label()));
    }

    boolean drops(Seen frame) {
        return traces(frame).anyMatch(trace -> trace.verdict().startsWith("drop: "));
    }

    /** As each worker sees the frame by now. */
    String explain(Seen frame) {
        return traces(frame)
                .map(trace -> trace.verdict() + ": " + trace.actions() + trace.answers() + "\n"
                        + trace.steps().stream().map(Object::toString).collect(Collectors.joining("\n")))
                .collect(Collectors.joining("\n--\n"));
    }

    private Stream<TraceResult> traces(Seen frame) {
        return workers.stream().map(worker -> {
            var answer = new CompletableFuture<TraceResult>();
            worker.offer(new Command.Inspect(topology.portIndex(frame.vm()), frame.bytes(), answer));
            turn();
            return answer.join();
        });
    }

    @Override
    public void close() {
        datapath.close();
        arena.close();
    }
}
