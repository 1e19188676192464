package dev.weft.it.bench;

import com.google.protobuf.Message;
import com.sun.management.ThreadMXBean;
import dev.weft.base.IpAddress;
import dev.weft.base.IpPrefix;
import dev.weft.base.NanoClock;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Rule;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** How the cost of one simulated packet grows with the rules and routes of its router. Every frame is a new flow. */
final class ScalingRows {
    static final List<String> NAMES =
            List.of("rules-scaling", "rules-compile", "routes-scaling", "routes-compile", "allocation");

    private static final long SEED = 20_250_729;
    private static final int PACKETS = 1_000_000;
    private static final int COMPILES = 9;

    private volatile int sink;

    List<Row> run(Benchmark.Plan plan, Benchmark.Progress progress) {
        var run = new Run(plan, progress);
        var rows = new ArrayList<Row>();
        if (plan.wants("rules-scaling") || plan.wants("rules-compile") || plan.wants("allocation")) {
            rows.addAll(rules(run));
        }
        if (plan.wants("routes-scaling") || plan.wants("routes-compile")) {
            rows.addAll(routes(run));
        }
        return rows;
    }

    /** What all rows of one run share. */
    private static final class Run {
        private final boolean smoke;
        private final Benchmark.Progress progress;
        private final int rounds;

        Run(Benchmark.Plan plan, Benchmark.Progress progress) {
            smoke = !plan.full();
            this.progress = progress;
            rounds = smoke ? 1 : plan.pairs();
        }
    }

    private List<Row> rules(Run run) {
        int many = run.smoke ? 2_000 : 100_000;
        run.progress.step("building: 10 and " + many + " rules");
        var rules = new RuleSet(many, SEED);
        var fewRules = new RuleSet(10, SEED);
        try (var large = network(rules);
                var small = network(fewRules)) {
            FrameWalk largeWalk = walk(large, rules);
            FrameWalk smallWalk = walk(small, fewRules);
            double[][] nanos = rounds(run, smallWalk, largeWalk);
            return List.of(
                    scaling("rules-scaling", nanos, 3, "forward chain of a router, " + many + " rules against 10"),
                    compile(run, large, rules.chains().get(1), many),
                    allocation(smallWalk, largeWalk));
        }
    }

    private static Row compile(Run run, RoutedNetwork network, Chain part, int many) {
        return compile("rules-compile", many + " rules", run, network, i -> {
            Rule renamed = part.getRules(i).toBuilder().setName("round-" + i).build();
            return part.toBuilder().setRules(i, renamed).build();
        });
    }

    private static Row compileRoutes(Run run, RoutedNetwork network, int many) {
        return compile(
                "routes-compile",
                many + " routes",
                run,
                network,
                i -> RoutedNetwork.route(prefix((int) ((i + 0.5) * many / COMPILES)), i + 1));
    }

    private static Row compile(
            String name, String ofWhat, Run run, RoutedNetwork network, IntFunction<Message> change) {
        double[] millis = new double[run.smoke ? 1 : COMPILES];
        for (int i = 0; i < millis.length; i++) {
            millis[i] = network.change(change.apply(i)) / 1e6;
        }
        return Row.of(
                name,
                List.of(
                        new Row.Figure(Figures.median(millis), "ms median", null),
                        new Row.Figure(Figures.best(millis), "ms best", null)),
                "the whole network again after one of " + ofWhat + " changed");
    }

    private List<Row> routes(Run run) {
        int many = run.smoke ? 2_000 : 1_000_000;
        run.progress.step("building: 100 and " + many + " routes");
        try (var large = routed(many);
                var small = routed(100)) {
            double[][] nanos = rounds(run, routeWalk(small, 100), routeWalk(large, many));
            return List.of(
                    scaling("routes-scaling", nanos, 1.5, many + " routes of a router against 100"),
                    compileRoutes(run, large, many));
        }
    }

    private static RoutedNetwork routed(int routes) {
        List<Message> all = new ArrayList<>(routes);
        for (int i = 0; i < routes; i++) {
            all.add(RoutedNetwork.route(prefix(i), i));
        }
        return new RoutedNetwork(RoutedNetwork.router().build(), all);
    }

    /** Of lengths 25 to 32, eight nested in each other, then the next eight. */
    private static String prefix(int route) {
        return IpAddress.ofV4(20 << 24 | route >>> 3 << 7) + "/" + (25 + route % 8);
    }

    private static FrameWalk routeWalk(RoutedNetwork network, int routes) {
        var walk = new FrameWalk(network.simulator);
        for (int i = 0; i < FrameWalk.FRAMES; i++) {
            var prefix = IpPrefix.parse(prefix((int) ((long) i * routes / FrameWalk.FRAMES)));
            var inside = IpAddress.ofV4((int) (prefix.low() | ~IpPrefix.lowMask(prefix.bits())));
            network.add(walk, "udp 172.20.1." + (1 + i % 250) + ":" + (1024 + i % 50_000) + " > " + inside + ":53");
        }
        walk.verify();
        return walk;
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
        var pairs = new ArrayList<PairedRatios.Pair>();
        for (int round = 0; round < nanos[0].length; round++) {
            pairs.add(new PairedRatios.Pair(nanos[1][round], nanos[0][round]));
        }
        return Row.of(
                name,
                List.of(
                        Row.Figure.of(new PairedRatios(pairs), "times", Row.Bar.atMost(bar)),
                        new Row.Figure(Figures.median(nanos[0]), "ns/packet small", null),
                        new Row.Figure(Figures.median(nanos[1]), "ns/packet large", null)),
                against);
    }

    /** By walk, then round: ns per packet. */
    private double[][] rounds(Run run, FrameWalk... walks) {
        int packets = run.smoke ? FrameWalk.FRAMES : 20 * FrameWalk.FRAMES;
        run.progress.step("warming up");
        for (int i = 0; i < (run.smoke ? 1 : 5); i++) {
            for (FrameWalk walk : walks) {
                nanos(walk, packets);
            }
        }
        var nanos = new double[walks.length][run.rounds];
        for (int round = 0; round < run.rounds; round++) {
            run.progress.step("round " + (round + 1) + " of " + run.rounds);
            for (int i = 0; i < walks.length; i++) {
                nanos[i][round] = nanos(walks[i], packets);
            }
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
