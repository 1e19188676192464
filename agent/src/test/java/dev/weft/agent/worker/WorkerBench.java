package dev.weft.agent.worker;

import dev.weft.agent.TestNetwork;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.NanoClock;
import dev.weft.base.ServiceId;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.DropReason;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Host;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One host's workers on a memory datapath, turned by the test's own thread at a time the test says. */
final class WorkerBench implements AutoCloseable {
    static final UUID HERE = new UUID(1, 1);
    static final UUID THERE = new UUID(2, 2);

    final MemoryDatapath datapath;
    final List<Worker> workers = new ArrayList<>();
    final List<String> lessons = new ArrayList<>();
    VirtualNetwork network = VirtualNetwork.EMPTY;
    long now = 1;

    private final Map<Integer, UUID> attached = new HashMap<>();
    private final Arena arena = Arena.ofShared();
    private final MemoryTopologyStore store = new MemoryTopologyStore();

    WorkerBench(MemoryFabric fabric, String underlay, int workerCount, int flows) {
        NanoClock clock = () -> now;
        var address = IpAddress.parse(underlay);
        datapath = new MemoryDatapath(
                DatapathConfig.of(workerCount, address)
                        .withFlowCapacity(1 << 17)
                        .withClock(clock),
                fabric);
        datapath.bindTunnelKey(Datapath.STATE_KEY, Datapath.TO_WORKER);
        store.apply(Transaction.builder()
                .put(host(HERE, "here", "172.16.0.1"))
                .put(host(THERE, "there", "172.16.0.2"))
                .build());
        var doors = new Backchannel[workerCount];
        for (int i = 0; i < workerCount; i++) {
            doors[i] = new Backchannel(4096, 1 << 18, datapath.worker(i)::wakeUp);
        }
        for (int i = 0; i < workerCount; i++) {
            workers.add(new Worker(
                    new WorkerSetup(
                            i,
                            workerCount,
                            datapath.worker(i),
                            address,
                            1464,
                            clock,
                            Lifetimes.STANDARD,
                            1,
                            7,
                            limits(flows),
                            new Lessons(),
                            null),
                    doors,
                    arena));
        }
    }

    private final class Lessons implements Learnings {
        @Override
        public void macLearned(int bridge, int vlan, long mac, int port) {
            lessons.add("mac");
        }

        @Override
        public void probeAnswered(long token) {
            lessons.add("probe " + token);
        }

        @Override
        public void macForgotten(int bridge, int vlan, long mac, int port) {
            lessons.add("no mac " + MacAddress.toString(mac));
        }

        @Override
        public void neighbourLearned(int router, int routerPort, long high, long low, long mac, int vmPort) {
            lessons.add("neighbour " + IpAddress.toString(high, low));
        }

        @Override
        public void serviceDelayed(int table, long word0, long word1, long word2, long word3) {
            lessons.add("service " + new ServiceId(word0, word1, word2, word3) + " delayed by " + table);
        }

        @Override
        public void instanceHeard(
                int port, boolean goes, int bits, int address, long word0, long word1, long word2, long word3) {
            lessons.add((goes ? "no " : "") + "instance of " + new ServiceId(word0, word1, word2, word3) + "/" + bits
                    + " at " + IpAddress.ofV4(address));
        }

        @Override
        public void blockWanted(long pool, int worker, boolean ahead) {
            lessons.add("block for worker " + worker + (ahead ? " ahead" : ""));
        }
    }

    private static WorkerSetup.Limits limits(int flows) {
        return new WorkerSetup.Limits(
                flows,
                30_000_000_000L,
                new ConnectionTable.Limits(1 << 16, 1 << 16, 64),
                Tables.Limits.STANDARD,
                64,
                16,
                1024,
                10,
                100,
                64,
                4096,
                10,
                1 << 18);
    }

    private static Host host(UUID id, String name, String underlay) {
        return Host.newBuilder()
                .setId(id.toString())
                .setName(name)
                .setUnderlay(underlay)
                .build();
    }

    void build(TestNetwork net) {
        store.apply(net.transaction());
        network = VirtualNetwork.compile(store.snapshot(), network);
        tell(new Command.NetworkChanged(network));
    }

    /** Attaches a VM's interface. Returns the datapath's number of it. */
    int attach(TestNetwork net, String port) {
        UUID id = net.portId(port);
        int number = datapath.attach(new PortSpec(id, port, "", 1_000_000_000));
        attached.put(number, id);
        tell(new Command.LocalPort(network.portIndex(id), number));
        return number;
    }

    void tellOne(int worker, Command command) {
        if (!workers.get(worker).offer(command)) {
            throw new AssertionError("backchannel full");
        }
        turn();
    }

    void tell(Command command) {
        workers.forEach(worker -> {
            if (!worker.offer(command)) {
                throw new AssertionError("backchannel full");
            }
        });
        turn();
    }

    /** Lets every worker work until none has anything to do. */
    void turn() {
        int work = 1;
        while (work > 0) {
            work = 0;
            for (Worker worker : workers) {
                work += worker.doWork();
            }
        }
    }

    /** Every packet is traced first; see {@link TraceCheck}. */
    void send(int port, byte[] frame) {
        UUID id = attached.get(port);
        int virtual = id == null ? VirtualNetwork.NONE : network.portIndex(id);
        var traced = network.hasPort(virtual) ? new TraceCheck(this, port, virtual, frame) : null;
        datapath.send(port, frame);
        turn();
        if (traced != null) {
            traced.check();
        }
    }

    byte @Nullable [] receive(int port) {
        return datapath.receive(port);
    }

    RuleLog ruleLog() {
        return workers.getFirst().ruleLog();
    }

    long count(WorkerCounter what) {
        return workers.stream().mapToLong(worker -> worker.counters().get(what)).sum();
    }

    long dropped(DropReason why) {
        return workers.stream().mapToLong(worker -> worker.counters().get(why)).sum();
    }

    long dropped(WorkerDrop why) {
        return workers.stream().mapToLong(worker -> worker.counters().get(why)).sum();
    }

    @Override
    public void close() {
        datapath.close();
        arena.close();
        store.close();
    }
}
