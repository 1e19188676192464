package dev.weft.it.bench;

import com.sun.management.ThreadMXBean;
import dev.weft.base.NanoClock;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Tcp;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.topology.schema.Member;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/** What connections cost, and that a balancer keeps them where they are. */
final class StatefulRows {
    static final List<String> NAMES =
            List.of("members-scaling", "three-hop-stateful-ns", "stateful-allocation", "consistency", "record-bytes");

    private static final int TABLE = 1 << 16;
    private static final int FEW_MEMBERS = 10;
    private static final String BALANCED = "203.0.113.80";
    private static final int ALLOCATION_PACKETS = 1_000_000;

    private final boolean smoke;
    private final Benchmark.Progress progress;
    private long sink;

    StatefulRows(boolean smoke, Benchmark.Progress progress) {
        this.smoke = smoke;
        this.progress = progress;
    }

    List<Row> run() {
        var rows = new ArrayList<Row>();
        rows.add(membersScaling());
        rows.addAll(threeHop());
        rows.add(consistency());
        rows.add(recordBytes());
        return rows;
    }

    private static List<Member> members(int count) {
        var members = new ArrayList<Member>();
        for (int i = 1; i <= count; i++) {
            members.add(StatefulNetwork.member(i, 1, false));
        }
        return members;
    }

    private Row membersScaling() {
        int many = smoke ? 1_000 : 10_000;
        progress.step("building: balancers with " + FEW_MEMBERS + " and " + many + " members");
        try (var small = new StatefulNetwork(TABLE, BALANCED, members(FEW_MEMBERS));
                var large = new StatefulNetwork(TABLE, BALANCED, members(many))) {
            int rounds = smoke ? 1 : 15;
            int packets = smoke ? StatefulNetwork.FRAMES : 20 * StatefulNetwork.FRAMES;
            for (int i = 0; i < (smoke ? 1 : 5); i++) {
                simulated(small, packets);
                simulated(large, packets);
            }
            double[] few = new double[rounds];
            double[] more = new double[rounds];
            for (int i = 0; i < rounds; i++) {
                progress.step("members, round " + (i + 1) + " of " + rounds);
                few[i] = simulated(small, packets);
                more[i] = simulated(large, packets);
            }
            double ratio = Figures.median(more) / Figures.median(few);
            return Row.of(
                    "members-scaling",
                    List.of(
                            new Row.Figure(ratio, "times", Row.Bar.atMost(1.2)),
                            new Row.Figure(Figures.median(few), "ns/packet small", null),
                            new Row.Figure(Figures.median(more), "ns/packet large", null)),
                    "a new connection through a balancer, " + many + " members against " + FEW_MEMBERS);
        }
    }

    private double simulated(StatefulNetwork network, int packets) {
        long begin = NanoClock.SYSTEM.nanoTime();
        for (int i = 0; i < packets; i++) {
            network.next();
            sink += network.out.actions.length();
        }
        return (double) (NanoClock.SYSTEM.nanoTime() - begin) / packets;
    }

    private List<Row> threeHop() {
        progress.step("building: bridge, firewall and source NAT, bridge");
        try (var network = new StatefulNetwork(TABLE, null, members(FEW_MEMBERS))) {
            int rounds = smoke ? 1 : 15;
            int packets = smoke ? StatefulNetwork.FRAMES : 20 * StatefulNetwork.FRAMES;
            for (int i = 0; i < (smoke ? 1 : 5); i++) {
                recorded(network, packets);
            }
            double[] nanos = new double[rounds];
            for (int i = 0; i < rounds; i++) {
                progress.step("new connections, round " + (i + 1) + " of " + rounds);
                nanos[i] = recorded(network, packets);
            }
            progress.step("counting bytes over " + ALLOCATION_PACKETS + " new connections");
            double bytes = allocated(network);
            return List.of(
                    Row.of(
                            "three-hop-stateful-ns",
                            List.of(
                                    new Row.Figure(Figures.median(nanos), "ns/packet median", Row.Bar.atMost(3000)),
                                    new Row.Figure(Figures.best(nanos), "ns/packet best", null)),
                            "parsed, simulated, recorded in a full table; a new connection every packet"),
                    Row.of(
                            "stateful-allocation",
                            bytes,
                            "bytes/packet",
                            Row.Bar.atMost(0),
                            "the JVM's counter of this thread, a new connection every packet"));
        }
    }

    private double recorded(StatefulNetwork network, int packets) {
        long begin = NanoClock.SYSTEM.nanoTime();
        for (int i = 0; i < packets; i++) {
            network.next();
            if (!network.record()) {
                throw new IllegalStateException("a packet was not forwarded: " + network.out.toVerdict());
            }
        }
        return (double) (NanoClock.SYSTEM.nanoTime() - begin) / packets;
    }

    /** The least of three runs: what the JVM charges a thread for once, when it recompiles, is no cost of a packet. */
    private double allocated(StatefulNetwork network) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long counting = threads.getCurrentThreadAllocatedBytes();
        counting = threads.getCurrentThreadAllocatedBytes() - counting;
        int packets = smoke ? StatefulNetwork.FRAMES : ALLOCATION_PACKETS;
        long least = Long.MAX_VALUE;
        for (int run = 0; run < 3 && least > 0; run++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            recorded(network, packets);
            least = Math.min(least, Math.max(0, threads.getCurrentThreadAllocatedBytes() - before - counting));
        }
        return (double) least / packets;
    }

    /** Connections begin at 10,000 a second; each second the pool changes in another way; none may move. */
    private Row consistency() {
        int connections = smoke ? 20_000 : 1_000_000;
        int perChange = connections / 100;
        progress.step("balancing " + connections + " connections over 100 changes of the pool");
        try (var network = new StatefulNetwork(connections + (connections >> 2), BALANCED, members(FEW_MEMBERS))) {
            var pool = new ChangingPool(network);
            long[] member = new long[connections];
            for (int i = 0; i < connections; i++) {
                if (i % perChange == 0 && i > 0) {
                    pool.change(i / perChange);
                }
                network.now += 100_000;
                packet(network, i, Tcp.SYN);
                if (!network.record()) {
                    throw new IllegalStateException("a connection was not taken in: " + network.out.toVerdict());
                }
                member[i] = destination(network);
            }
            pool.change(100);
            int moved = 0;
            for (int i = 0; i < connections; i++) {
                packet(network, i, Tcp.ACK);
                moved += destination(network) == member[i] ? 0 : 1;
            }
            return Row.of(
                    "consistency",
                    List.of(
                            new Row.Figure(moved, "connections moved", Row.Bar.atMost(0)),
                            new Row.Figure(imbalance(connections), "% imbalance", Row.Bar.atMost(1))),
                    connections + " connections, 100 changes: members that come, drain, weigh more, are down");
        }
    }

    /** Of a pool of equal members that stays as it is: how far the fullest or emptiest is from its share. */
    private double imbalance(int connections) {
        try (var network = new StatefulNetwork(1 << 10, BALANCED, members(FEW_MEMBERS))) {
            var counts = new TreeMap<Long, Integer>();
            for (int i = 0; i < connections; i++) {
                packet(network, i, Tcp.SYN);
                counts.merge(destination(network), 1, Integer::sum);
            }
            double share = (double) connections / FEW_MEMBERS;
            return counts.values().stream()
                            .mapToDouble(count -> Math.abs(count - share))
                            .max()
                            .orElse(share)
                    / share
                    * 100;
        }
    }

    private static void packet(StatefulNetwork network, int connection, int flags) {
        network.simulate(connection & StatefulNetwork.FRAMES - 1, 1024 + (connection >>> 14), flags);
    }

    /** The member's address, from the actions. */
    private static long destination(StatefulNetwork network) {
        ActionList actions = network.out.actions;
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            if (ActionList.operation(actions.word(i)) == ActionList.SET_DST) {
                return actions.word(i + 2);
            }
        }
        throw new IllegalStateException("not balanced: " + network.out.toVerdict());
    }

    /** What an operator does to a pool, a change a time; no member that has connections is taken out. */
    private static final class ChangingPool {
        private final StatefulNetwork network;
        private int members = FEW_MEMBERS;

        ChangingPool(StatefulNetwork network) {
            this.network = network;
        }

        void change(int number) {
            int which = 1 + number % FEW_MEMBERS;
            switch (number % 5) {
                case 0 -> {
                    members++;
                    network.change(list(0, 0));
                }
                case 1 -> network.change(list(which, 0));
                case 2 -> network.change(list(0, which));
                case 3 -> network.down(which, true);
                default -> {
                    for (int i = 1; i <= members; i++) {
                        network.down(i, false);
                    }
                }
            }
        }

        private List<Member> list(int draining, int heavy) {
            var list = new ArrayList<Member>();
            for (int i = 1; i <= members; i++) {
                list.add(StatefulNetwork.member(i, i == heavy ? 3 : 1, i == draining));
            }
            return list;
        }
    }

    /** What a table allocates when it is made, by connection: all of its memory. */
    private Row recordBytes() {
        int connections = smoke ? 1 << 14 : 1 << 20;
        progress.step("making tables of " + connections + " connections");
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        double[] bytes = new double[3];
        for (int i = 0; i < bytes.length; i++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            var table = new ConnectionTable(
                    new ConnectionTable.Limits(connections, connections, 8), Lifetimes.STANDARD, 1, 2);
            bytes[i] = (double) (threads.getCurrentThreadAllocatedBytes() - before) / connections;
            sink += table.capacity();
        }
        double each = Arrays.stream(bytes).min().orElseThrow();
        return Row.of(
                "record-bytes",
                List.of(
                        new Row.Figure(each, "bytes IPv4", Row.Bar.atMost(192)),
                        new Row.Figure(each, "bytes IPv6", Row.Bar.atMost(256))),
                "table, index of both directions, one translation for each connection; one layout for both families");
    }
}
