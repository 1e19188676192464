package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Vm;
import dev.weft.it.bench.Figures;
import dev.weft.it.bench.PairedRatios;
import dev.weft.it.bench.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** How long the first packet of a flow takes: up, through the simulation, installed, and on its way. */
final class FirstPacketRows {
    private static final int ROUNDS = 7;
    private static final int WARM_UP_ROUNDS = 3;
    private static final long RUN_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final Generator.Pace NEW_FLOWS = new Generator.Pace(10_000, false);
    private static final Generator.Pace FEW_FLOWS = new Generator.Pace(1_000, false);
    private static final Generator.Pace PARKING = new Generator.Pace(1_000, true);
    private static final Generator.Pace NOISE = new Generator.Pace(50_000, true);
    /** The noise begins before the victim, and ends after it. */
    private static final long NOISE_LEAD_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    /** Upcalls a second of one port, as an agent has it by default. */
    private static final int BUDGET = 10_000;

    private static final int FLOWS = 1 << 17;
    private static final int TEMPLATES = 64;
    private static final int CAPACITY = 32_768;
    private static final long TUPLES = 1L << 31;
    private static final double MICRO = 1e3;
    private static final double MILLI = 1e6;

    private FirstPacketRows() {}

    /** Two hosts: up at the sender's, answered in the receiver's kernel, up at the receiver's, back. */
    static Row roundTrip(Ground ground) {
        var shape = WeftPaths.Shape.eachTupleAFlow(FLOWS);
        Path routed = WeftPaths.twoHosts(ground.lab(), ground.kind(), shape).routed();
        var middle = new ArrayList<Double>();
        var tail = new ArrayList<Double>();
        long lost = 0;
        ground.lab().own(TcProgram.sendBack(routed.receiver().namespace(), Vm.INTERFACE));
        try (var delays = Delays.open(routed, routed.sender(), CAPACITY)) {
            for (int i = 0; i < rounds(ground); i++) {
                Delays.Run run = run(ground, delays, Workload.routedNumbered(TEMPLATES), i, FEW_FLOWS);
                lost += run.lost();
                middle.add(micros(run, 0.5));
                tail.add(micros(run, 0.99));
            }
        }
        return Row.of(
                "first-packet-rtt",
                List.of(
                        new Row.Figure(best(middle), "µs p50, best round", Row.Bar.atMost(200)),
                        new Row.Figure(lost, "packets lost", Row.Bar.atMost(0)),
                        new Row.Figure(median(middle), "µs p50, median round", null),
                        new Row.Figure(median(tail), "µs p99, median round", null)),
                FEW_FLOWS.perSecond() + " new flows/s, routed, two hosts, both directions missing, half IPv6; best of "
                        + ROUNDS + " rounds");
    }

    /** A victim's first packets, while the port of its neighbour sends: many flows, or one. */
    static Row noisyNeighbour(Ground ground) {
        WeftPaths paths =
                WeftPaths.sameHost(ground.lab(), ground.kind(), WeftPaths.Shape.eachTupleAFlow(FLOWS, BUDGET));
        var flooded = new ArrayList<Double>();
        var quiet = new ArrayList<Double>();
        long lost = 0;
        int run = 0;
        try (var victim = Delays.open(paths.routed(), CAPACITY);
                var noise = Generator.open(paths.bridged().receiver().namespace(), Vm.INTERFACE);
                var many = Frames.withNewPorts(Workload.neighbourRouted(TEMPLATES), TUPLES);
                var one = Frames.withNewPorts(Workload.neighbourRouted(TEMPLATES), 1)) {
            for (int i = 0; i < ground.plan().pairs(); i++) {
                Delays.Run during = beside(ground, victim, run++, noise, many);
                Delays.Run beside = beside(ground, victim, run++, noise, one);
                lost += during.lost();
                flooded.add(micros(during, 0.99));
                quiet.add(micros(beside, 0.99));
            }
        }
        var pairs = new ArrayList<PairedRatios.Pair>();
        for (int i = 0; i < flooded.size(); i++) {
            pairs.add(new PairedRatios.Pair(flooded.get(i), quiet.get(i)));
        }
        return Row.of(
                "noisy-neighbour",
                List.of(
                        Row.Figure.of(new PairedRatios(pairs), "x, victim's first-packet p99", Row.Bar.atMost(3)),
                        new Row.Figure(lost, "of the victim's packets lost", Row.Bar.atMost(0)),
                        new Row.Figure(median(flooded), "µs p99 median", null),
                        new Row.Figure(median(quiet), "µs p99 median, one flow instead", null)),
                "one established flow at the same rate, " + NOISE.perSecond() + " packets/s, in turn with it; "
                        + FEW_FLOWS.perSecond() + " new flows/s of the victim, " + BUDGET + " upcalls/s a port");
    }

    private static Delays.Run beside(Ground ground, Delays victim, int round, Generator noise, Frames frames) {
        long nanos = (ground.plan().full() ? RUN_NANOS : ground.runNanos()) + NOISE_LEAD_NANOS;
        var sending = noise.start(frames, nanos, NOISE, Generator.SILENT);
        LockSupport.parkNanos(NOISE_LEAD_NANOS / 2);
        Delays.Run run = run(ground, victim, Workload.routedNumbered(TEMPLATES), round, PARKING);
        sending.join();
        return run;
    }

    static Row firstPacket(Ground ground) {
        Path routed = WeftPaths.sameHost(ground.lab(), ground.kind(), WeftPaths.Shape.eachTupleAFlow(FLOWS))
                .routed();
        var echo = BareDatapath.open(ground.lab(), ground.kind());
        echo.echo();
        var middle = new ArrayList<Double>();
        var tail = new ArrayList<Double>();
        var bareMiddle = new ArrayList<Double>();
        var bareTail = new ArrayList<Double>();
        long lost = 0;
        double waited = 0;
        try (var path = Delays.open(routed, CAPACITY);
                var bare = Delays.open(echo.path(), CAPACITY)) {
            warmUp(ground, path, bare);
            for (int i = 0; i < rounds(ground); i++) {
                long before = CpuTime.threadWaitNanos(RateSearch.WORKER);
                Delays.Run run = run(ground, path, Workload.routedNumbered(TEMPLATES), i, NEW_FLOWS);
                waited += CpuTime.threadWaitNanos(RateSearch.WORKER) - before;
                Delays.Run bareRun = run(ground, bare, Workload.bridgedNumbered(TEMPLATES), i, NEW_FLOWS);
                lost += run.lost();
                middle.add(micros(run, 0.5));
                tail.add(micros(run, 0.99));
                bareMiddle.add(micros(bareRun, 0.5));
                bareTail.add(micros(bareRun, 0.99));
            }
        }
        return Row.of(
                "first-packet",
                List.of(
                        new Row.Figure(best(middle), "µs p50, best round", Row.Bar.atMost(20)),
                        new Row.Figure(
                                Math.max(0, best(tail) - best(bareTail)),
                                "µs p99 above the echo's, best rounds",
                                Row.Bar.atMost(150)),
                        new Row.Figure(lost, "packets lost", Row.Bar.atMost(0)),
                        new Row.Figure(median(middle), "µs p50, median round", null),
                        new Row.Figure(median(tail), "µs p99, median round", null),
                        new Row.Figure(median(bareMiddle), "µs p50, median round, echo", null),
                        new Row.Figure(median(bareTail), "µs p99, median round, echo", null),
                        new Row.Figure(
                                waited / MILLI / rounds(ground),
                                "ms a round that the worker was ready and had no processor",
                                null)),
                "an echo of each upcall, in turn with it; " + NEW_FLOWS.perSecond() + " new flows/s, routed, best of "
                        + ROUNDS + " rounds");
    }

    /** Until the compiler has seen both. */
    private static void warmUp(Ground ground, Delays path, Delays bare) {
        for (int i = 1; i <= (ground.plan().full() ? WARM_UP_ROUNDS : 0); i++) {
            run(ground, path, Workload.routedNumbered(TEMPLATES), ROUNDS + i, NEW_FLOWS);
            run(ground, bare, Workload.bridgedNumbered(TEMPLATES), ROUNDS + i, NEW_FLOWS);
        }
    }

    /** Each run's 5-tuples are new. */
    private static Delays.Run run(
            Ground ground, Delays delays, List<byte[]> templates, int round, Generator.Pace pace) {
        try (var frames = Frames.numbered(templates, TUPLES, (long) round * CAPACITY)) {
            return delays.run(frames, ground.plan().full() ? RUN_NANOS : ground.runNanos(), pace);
        }
    }

    private static int rounds(Ground ground) {
        return ground.plan().full() ? ROUNDS : 1;
    }

    private static double micros(Delays.Run run, double share) {
        if (run.nanos().length == 0) {
            throw new MeasureException("no packet of " + run.sent() + " arrived");
        }
        return Figures.percentile(share, run.nanos()) / MICRO;
    }

    private static double best(List<Double> values) {
        return Figures.best(values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    private static double median(List<Double> values) {
        return Figures.median(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
