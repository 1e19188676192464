package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import dev.weft.base.NanoClock;
import dev.weft.it.bench.Row;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What an agent's death by SIGKILL and its return cost those whose flows were there before. */
final class RestartRow {
    private static final int SESSION_SECONDS = 3;
    private static final long BEFORE_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long AWAY_NANOS = TimeUnit.SECONDS.toNanos(3 * SESSION_SECONDS);
    /** For the agent to start, which takes seconds on a busy machine, and to take over. */
    private static final long AFTER_NANOS = TimeUnit.SECONDS.toNanos(15);

    private static final long SENDING_NANOS = BEFORE_NANOS + AWAY_NANOS + AFTER_NANOS;
    private static final Generator.Pace ESTABLISHED = new Generator.Pace(50_000, true);
    private static final Generator.Pace SET_UP = new Generator.Pace(2_000, true);
    private static final Generator.Pace NEW_FLOWS = new Generator.Pace(1_000, true);
    private static final Generator.Pace PROBES = new Generator.Pace(1_000, true);
    private static final int TEMPLATES = 64;
    private static final int TUPLES = 1 << 10;
    /** Of these, new flows take the ones far behind the established. */
    private static final long NEW_TUPLES = 1L << 31;

    private static final int CAPACITY = 1 << 21;
    private static final int PROBE_CAPACITY = 1 << 16;
    private static final double MILLI = 1e6;
    private static final Pattern GONE = Pattern.compile("took over what .*; (\\d+) flows went");

    /** All the new flows are connections of one port; above its share the oldest would go, established or not. */
    private static final String CONFIG = "weft.agent.limits {connections = 131072, connections-per-port = 131072}";

    private static final List<String> JVM = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m");

    private static final String NETWORK = """
            tenant: bench
            bridges:
              - {name: left, neighbours: [{address: 10.0.1.7, mac: "%2$s"}]}
              - {name: right, neighbours: [{address: 10.0.2.9, mac: "%3$s"}, {address: "fd00:2::9", mac: "%3$s"}]}
            routers: [{name: router}]
            ports:
              - {name: sender, bridge: left, host: %4$s, namespace: %5$s, interface: %6$s, stateful: true}
              - {name: probed, bridge: left, host: %4$s, namespace: %5$s, interface: %7$s}
              - {name: routed, bridge: right, host: %4$s, namespace: %5$s, interface: %8$s}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: right-up, bridge: right, peer: right-gateway}
              - {name: left-gateway, router: router, mac: "%1$s", addresses: [10.0.1.1/24, "fd00:1::1/64"]}
              - {name: right-gateway, router: router, mac: "%9$s", addresses: [10.0.2.1/24, "fd00:2::1/64"]}
            """;
    private static final String BLACKHOLE = """
            routes: [{router: router, destination: 10.0.1.7/32, action: blackhole}]
            """;

    private final HostProcess agent;
    private final String network;
    private final Path established;
    private final Path probed;

    private RestartRow(HostProcess agent, String network, Path established, Path probed) {
        this.agent = agent;
        this.network = network;
        this.established = established;
        this.probed = probed;
    }

    /**
     * How the agent came back.
     *
     * @param execNanos when its process was started
     * @param upNanos when it said that its host is registered and its workers run
     */
    private record Return(long flowsBefore, long execNanos, long upNanos, long adopted, long outdated, long gone) {
        double adoptedPercent() {
            return 100.0 * adopted / (adopted + outdated + gone);
        }
    }

    static Row restartLoss(Ground ground) {
        RestartRow row = build(ground.lab(), ground.kind());
        try (var steady = Delays.open(row.established, CAPACITY);
                var probes = Delays.open(row.probed, PROBE_CAPACITY);
                var others = Generator.open(row.established.sender().namespace(), Vm.INTERFACE)) {
            // Behind the program that looks at numbered frames: of new flows the VM would complain.
            ground.lab().own(TcProgram.dropAll(row.established.receiver().namespace(), Vm.INTERFACE));
            return row.measure(steady, probes, others);
        }
    }

    private static RestartRow build(BenchLab lab, String kind) {
        LabHost host = lab.host();
        Vm sender = lab.sender(host);
        Vm probed = lab.vm(host, Address.NEIGHBOUR);
        Vm routed = lab.vm(host, Address.ROUTED);
        var agent = HostProcess.start(
                lab,
                host,
                JVM,
                CONFIG,
                "--datapath",
                kind,
                "--session-timeout",
                SESSION_SECONDS + "s",
                "--workers",
                "1");
        String network = NETWORK.formatted(
                WeftPaths.ROUTER_MAC,
                Address.NEIGHBOUR.mac(),
                Address.ROUTED.mac(),
                host.name(),
                host.namespace(),
                sender.hostInterface(),
                probed.hostInterface(),
                routed.hostInterface(),
                WeftPaths.FAR_ROUTER_MAC);
        agent.applyAndWait(network);
        var established = new Path("Weft, routed", sender, routed);
        lab.checkThere(established);
        return new RestartRow(agent, network, established, new Path("Weft, the changed route", routed, probed));
    }

    private Row measure(Delays steady, Delays probes, Generator others) {
        try (var first = numbered();
                var numbered = numbered();
                var probing = Frames.numbered(
                        Collections.nCopies(
                                Frames.BATCH,
                                Workload.routedToNeighbourNumbered(1).getFirst()),
                        1);
                var fresh = Frames.withNewPorts(Workload.routed(TEMPLATES), NEW_TUPLES)) {
            steady.run(first, TimeUnit.SECONDS.toNanos(TUPLES) / SET_UP.perSecond() * 2, SET_UP);
            var established = CompletableFuture.supplyAsync(() -> steady.run(numbered, SENDING_NANOS, ESTABLISHED));
            var probed = CompletableFuture.supplyAsync(() -> probes.run(probing, SENDING_NANOS, PROBES));
            var newFlows = others.start(fresh, SENDING_NANOS, NEW_FLOWS, Generator.SILENT);
            Return back = restart();
            Delays.Run lasting = established.join();
            Delays.Run probe = probed.join();
            newFlows.join();
            return row(back, lasting, steady.reordered((int) lasting.sent()), probes.lastArrival((int) probe.sent()));
        }
    }

    private static Frames numbered() {
        return Frames.numbered(Workload.routedNumbered(TEMPLATES), TUPLES);
    }

    private Return restart() {
        LockSupport.parkNanos(BEFORE_NANOS);
        long flows = agent.flows();
        agent.kill();
        long killed = NanoClock.SYSTEM.nanoTime();
        agent.apply(network + BLACKHOLE);
        LockSupport.parkNanos(AWAY_NANOS - (NanoClock.SYSTEM.nanoTime() - killed));
        long exec = NanoClock.SYSTEM.nanoTime();
        agent.startAgain();
        agent.awaitReady();
        long up = NanoClock.SYSTEM.nanoTime();
        agent.awaitOutput("took over");
        Matcher gone = GONE.matcher(agent.output());
        if (!gone.find()) {
            throw new MeasureException("the agent does not say what it took over:\n" + agent.output());
        }
        return new Return(
                flows,
                exec,
                up,
                agent.workerCounter("flows-adopted"),
                agent.workerCounter("flows-outdated"),
                Long.parseLong(gone.group(1)));
    }

    private Row row(Return back, Delays.Run established, long reordered, long lastProbe) {
        return Row.of(
                "restart-loss",
                List.of(
                        new Row.Figure(established.lost(), "established packets lost", Row.Bar.atMost(0)),
                        new Row.Figure(reordered, "reordered", Row.Bar.atMost(0)),
                        new Row.Figure(back.adoptedPercent(), "% of the flows adopted", Row.Bar.atLeast(99)),
                        new Row.Figure(
                                (lastProbe - back.upNanos()) / MILLI,
                                "ms from the agent's word that it is up to the last packet of the old rule",
                                Row.Bar.atMost(1000)),
                        new Row.Figure((lastProbe - back.execNanos()) / MILLI, "ms of the same from its start", null),
                        new Row.Figure(established.sent(), "established packets sent", null),
                        new Row.Figure(back.adopted(), "flows adopted", null),
                        new Row.Figure(back.outdated(), "flows replaced or removed", null),
                        new Row.Figure(back.gone(), "flows nothing stood for", null),
                        new Row.Figure(back.flowsBefore(), "flows right before the end", null)),
                ESTABLISHED.perSecond() + " established packets/s, " + NEW_FLOWS.perSecond()
                        + " new flows/s, one host; SIGKILL, away for " + 3 * SESSION_SECONDS
                        + " s, 3 times the session time-out; a route became a blackhole meanwhile");
    }
}
