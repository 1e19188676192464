package dev.weft.it.bench;

import com.google.protobuf.Message;
import com.sun.management.ThreadMXBean;
import dev.weft.base.NanoClock;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Rule;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** How the cost of one simulated packet grows with what its devices hold. Every frame is a new flow. */
public final class DevicesBench implements Benchmark {
    private static final long SEED = 20_250_729;
    private static final int PACKETS = 1_000_000;

    private volatile int sink;

    @Override
    public String name() {
        return "devices";
    }

    @Override
    public String about() {
        return "Time and memory of one packet against the size of rules and routes; time to compile rules.";
    }

    @Override
    public List<Row> run(Effort effort, Progress progress) {
        boolean smoke = effort == Effort.SMOKE;
        var calibration = new Calibration();
        double[] steps = new double[smoke ? 1 : 15];
        var rows = new ArrayList<Row>();
        rows.addAll(rules(smoke, progress, calibration, steps));
        rows.add(Calibration.row(steps));
        return rows;
    }

    private List<Row> rules(boolean smoke, Progress progress, Calibration calibration, double[] steps) {
        int many = smoke ? 2_000 : 100_000;
        progress.step("building: 10 and " + many + " rules");
        long begin = NanoClock.SYSTEM.nanoTime();
        var rules = new RuleSet(many, SEED);
        var fewRules = new RuleSet(10, SEED);
        try (var large = network(rules);
                var small = network(fewRules)) {
            progress.step("built in " + (NanoClock.SYSTEM.nanoTime() - begin) / 1_000_000 + " ms");
            FrameWalk largeWalk = walk(large, rules);
            FrameWalk smallWalk = walk(small, fewRules);
            double[][] nanos = rounds(smoke, progress, calibration, steps, smallWalk, largeWalk);
            double[] compile = new double[smoke ? 1 : 9];
            Chain part = rules.chains().get(1);
            for (int i = 0; i < compile.length; i++) {
                compile[i] = large.change(part.toBuilder()
                                .addRules(
                                        Rule.newBuilder().setName("round-" + i).setAction(Rule.Action.RETURN))
                                .build())
                        / 1e6;
            }
            return List.of(
                    scaling("rules-scaling", nanos, 3, "forward chain of a router, " + many + " rules against 10"),
                    Row.of(
                            "rules-compile",
                            List.of(
                                    new Row.Figure(Figures.median(compile), "ms median", null),
                                    new Row.Figure(Figures.best(compile), "ms best", null)),
                            "the whole network again after one of " + many + " rules changed"),
                    allocation(smallWalk, largeWalk));
        }
    }

    private static RoutedNetwork network(RuleSet rules) {
        List<Message> more = new ArrayList<>(rules.groups);
        more.addAll(rules.chains());
        more.add(RoutedNetwork.route("0.0.0.0/0", 0));
        return new RoutedNetwork(
                RoutedNetwork.router().setForwardChainId(RuleSet.ROOT).build(), more);
    }

    private static FrameWalk walk(RoutedNetwork network, RuleSet rules) {
        var walk = new FrameWalk(network.simulator);
        for (int i = 0; i < FrameWalk.FRAMES; i++) {
            network.add(walk, rules.packet());
        }
        walk.verify();
        return walk;
    }

    private static Row scaling(String name, double[][] nanos, double bar, String against) {
        double small = Figures.median(nanos[0]);
        double large = Figures.median(nanos[1]);
        return Row.of(
                name,
                List.of(
                        new Row.Figure(large / small, "times", Row.Bar.atMost(bar)),
                        new Row.Figure(small, "ns/packet small", null),
                        new Row.Figure(large, "ns/packet large", null)),
                against);
    }

    /** By walk, then round: ns per packet. */
    private double[][] rounds(
            boolean smoke, Progress progress, Calibration calibration, double[] steps, FrameWalk... walks) {
        int packets = smoke ? FrameWalk.FRAMES : 20 * FrameWalk.FRAMES;
        progress.step("warming up");
        for (int i = 0; i < (smoke ? 1 : 5); i++) {
            for (FrameWalk walk : walks) {
                nanos(walk, packets);
            }
        }
        var nanos = new double[walks.length][steps.length];
        for (int round = 0; round < steps.length; round++) {
            progress.step("round " + (round + 1) + " of " + steps.length);
            for (int i = 0; i < walks.length; i++) {
                nanos[i][round] = nanos(walks[i], packets);
            }
            steps[round] = calibration.nanosPerStep();
        }
        return nanos;
    }

    private double nanos(FrameWalk walk, int packets) {
        long begin = NanoClock.SYSTEM.nanoTime();
        sink += walk.run(packets);
        return (double) (NanoClock.SYSTEM.nanoTime() - begin) / packets;
    }

    /** The least of three runs: what the JVM charges a thread for once, when it recompiles, is no cost of a packet. */
    private Row allocation(FrameWalk... walks) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long counting = threads.getCurrentThreadAllocatedBytes();
        counting = threads.getCurrentThreadAllocatedBytes() - counting;
        long least = Long.MAX_VALUE;
        for (int run = 0; run < 3 && least > 0; run++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (FrameWalk walk : walks) {
                sink += walk.run(PACKETS / walks.length);
            }
            least = Math.min(least, Math.max(0, threads.getCurrentThreadAllocatedBytes() - before - counting));
        }
        return Row.of(
                "allocation",
                (double) least / PACKETS,
                "bytes/packet",
                Row.Bar.atMost(0),
                "the JVM's counter of this thread, 1,000,000 new flows");
    }
}
