package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Vm;
import dev.weft.it.bench.Figures;
import dev.weft.it.bench.PairedRatios;
import dev.weft.it.bench.PairedRatios.Pair;
import dev.weft.it.bench.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Connections through a router, a stateful firewall and source translation: how many begin, and what one costs. */
final class ConnectionRows {
    private static final int ROUNDS = 6;
    private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(4);
    private static final double BEGINS = 50_000;
    private static final double BAR = 50_000;
    /** Destinations of the connections. */
    private static final int SERVERS = 64;

    private static final int SOURCES = 1 << 15;
    /** Established ones, of which each packet is the next one's. */
    private static final int ESTABLISHED_SOURCES = 16;

    private static final long REQUEST_NANOS = TimeUnit.SECONDS.toNanos(1);
    /** Until the compiler has seen what a worker does for them. */
    private static final int WARM_UP_RUNS = 8;

    private ConnectionRows() {}

    /**
     * Each packet begins a connection of its own. A program at the servers' interface answers it, and the answer must
     * arrive at the sender's: it is a flow of its own, so that both directions are installed by then.
     */
    static Row perSecond(Ground ground) {
        boolean full = ground.plan().full();
        StatefulPath stateful = ground.stateful();
        var flows = new ArrayList<Double>();
        TcProgram answers = answering(stateful.path());
        try (var cost = PacketCost.open(stateful.andBack());
                var frames = Frames.numberedFromPorts(Workload.servers(SERVERS), SOURCES)) {
            RateSearch search = RateSearch.run(
                    full ? BEGINS : BEGINS / 10,
                    0,
                    full ? ROUNDS : 1,
                    pace -> {
                        PacketCost.Run run = cost.attempt(frames, full ? ROUND_NANOS : ground.runNanos(), pace);
                        if (run.delivered() == run.sent()) {
                            flows.add((double) stateful.datapath().statistics().flows() / run.sent());
                        }
                        return run;
                    },
                    stateful::endConnections);
            return Row.of(
                    "connections-per-second",
                    List.of(
                            new Row.Figure(search.best(), "connections/s, all answered", Row.Bar.atLeast(BAR)),
                            new Row.Figure(
                                    flows.stream()
                                            .mapToDouble(Double::doubleValue)
                                            .min()
                                            .orElse(0),
                                    "flows a connection, rounds without loss",
                                    Row.Bar.atLeast(2)),
                            new Row.Figure(search.mostWithLoss(), "answered/s where more were offered than are", null),
                            new Row.Figure(
                                    search.leastNanos(), "ns of the worker's CPU a connection, best round", null)),
                    "best of " + ROUNDS + " rounds of " + TimeUnit.NANOSECONDS.toSeconds(ROUND_NANOS)
                            + " s, open loop; UDP to " + SERVERS + " servers, one worker, there and back");
        } finally {
            answers.close();
        }
    }

    private static TcProgram answering(Path path) {
        return TcProgram.sendBack(path.receiver().namespace(), Vm.INTERFACE);
    }

    /** The same packets over the same addresses through a router without firewall and translation. */
    static Row establishedCost(Ground ground) {
        Path subject = ground.stateful().path();
        WeftPaths plain = WeftPaths.sameHost(ground.lab(), ground.kind(), WeftPaths.Shape.PLAIN);
        plain.routeThroughRouted("10.8.0.0/16");
        Path reference = plain.routed();
        try (var frames = Frames.numberedFromPorts(Workload.servers(SERVERS), ESTABLISHED_SOURCES)) {
            TcProgram answers = answering(subject);
            try (var there = PacketCost.open(ground.stateful().andBack())) {
                establish(ground, there, frames);
            } finally {
                answers.close();
            }
            return CostRows.compare(
                    "established-cost",
                    ground,
                    new CostRows.Side(subject, frames),
                    new CostRows.Side(reference, frames),
                    "64 octets, " + SERVERS * ESTABLISHED_SOURCES + " connections that were answered",
                    Row.Bar.atMost(1.2));
        }
    }

    /** Until all are answered: a worker whose code is not compiled yet may lose some. */
    private static void establish(Ground ground, PacketCost there, Frames frames) {
        var pace = new Generator.Pace((long) BEGINS / 10, true);
        PacketCost.Run run = there.attempt(frames, ground.runNanos(), pace);
        for (int i = 0; i < WARM_UP_RUNS && run.delivered() < run.sent(); i++) {
            run = there.attempt(frames, ground.runNanos(), pace);
        }
    }

    /** As many connections at a time as there are threads; each is opened, asks with an octet, is answered, and closes. */
    static Row linuxCrr(Ground ground) {
        Path subject = ground.stateful().path();
        Path reference = LinuxRouter.build(ground.lab());
        ground.progress()
                .step(subject + " against " + reference + ", TCP requests, "
                        + ground.plan().pairs() + " pairs");
        long nanos = ground.plan().full() ? REQUEST_NANOS : ground.runNanos();
        try (var one = TcpRequests.open(subject, SERVERS);
                var other = TcpRequests.open(reference, SERVERS)) {
            for (int i = 0; i < (ground.plan().full() ? WARM_UP_RUNS : 0); i++) {
                one.run(nanos);
                other.run(nanos);
            }
            var failed = new long[1];
            List<Pair> pairs =
                    PairedRatios.interleave(ground.plan().pairs(), () -> one.run(nanos), () -> other.run(nanos))
                            .stream()
                            .map(runs -> {
                                failed[0] += runs.subject().failed()
                                        + runs.reference().failed();
                                return new Pair(
                                        runs.subject().perSecond(),
                                        runs.reference().perSecond());
                            })
                            .toList();
            return Row.of(
                    "linux-crr",
                    List.of(
                            Row.Figure.of(new PairedRatios(pairs), "x " + reference, Row.Bar.atLeast(1.0)),
                            new Row.Figure(failed[0], "requests that failed, both", Row.Bar.atMost(0)),
                            new Row.Figure(
                                    Figures.median(pairs.stream()
                                            .mapToDouble(Pair::subject)
                                            .toArray()),
                                    "requests/s median",
                                    null),
                            new Row.Figure(
                                    Figures.median(pairs.stream()
                                            .mapToDouble(Pair::reference)
                                            .toArray()),
                                    "requests/s median, " + reference,
                                    null)),
                    reference + ", in turn with it; connect, an octet there and back, close; " + TcpRequests.CLIENTS
                            + " clients, " + SERVERS + " servers");
        }
    }
}
