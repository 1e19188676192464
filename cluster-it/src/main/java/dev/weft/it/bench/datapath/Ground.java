package dev.weft.it.bench.datapath;

import dev.weft.it.bench.Benchmark.Plan;
import dev.weft.it.bench.Benchmark.Progress;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** What the rows share: the plan, the lab, and paths that are built when the first row needs them. One thread. */
final class Ground {
    /** How long a run of packets lasts: long enough for 10,000 packets of the slowest path and more. */
    private static final long RUN_NANOS = 400_000_000L;

    private static final long SMOKE_RUN_NANOS = 20_000_000L;

    private final Plan plan;
    private final Progress progress;
    private final BenchLab lab;
    private final String kind;
    private final Map<String, Object> built = new HashMap<>();

    /** @param kind of the datapath to measure */
    Ground(Plan plan, Progress progress, BenchLab lab, String kind) {
        this.plan = plan;
        this.progress = progress;
        this.lab = lab;
        this.kind = kind;
    }

    Plan plan() {
        return plan;
    }

    Progress progress() {
        return progress;
    }

    BenchLab lab() {
        return lab;
    }

    String kind() {
        return kind;
    }

    long runNanos() {
        return plan.full() ? RUN_NANOS : SMOKE_RUN_NANOS;
    }

    Path redirectPeer() {
        return once("redirect", () -> Baselines.redirectPeer(lab), Path.class);
    }

    Path bridge() {
        return once("bridge", () -> Baselines.bridge(lab), Path.class);
    }

    Path bridgeAndVxlan() {
        return once("vxlan", () -> Baselines.bridgeAndVxlan(lab), Path.class);
    }

    WeftPaths weft() {
        return once("weft", () -> WeftPaths.sameHost(lab, kind, WeftPaths.Shape.PLAIN), WeftPaths.class);
    }

    /** One host where each 5-tuple is a flow. */
    WeftPaths weftTuples() {
        return once(
                "weft-tuples",
                () -> WeftPaths.sameHost(lab, kind, WeftPaths.Shape.eachTupleAFlow(SetupRows.FLOWS)),
                WeftPaths.class);
    }

    WeftPaths weftTwoHosts() {
        return once("weft-two-hosts", () -> WeftPaths.twoHosts(lab, kind, WeftPaths.Shape.PLAIN), WeftPaths.class);
    }

    /** One host with a router that has a stateful firewall and translates sources. */
    StatefulPath stateful() {
        return once("stateful", () -> StatefulPath.build(lab, kind), StatefulPath.class);
    }

    OpenVswitch ovs() {
        return once("ovs", () -> OpenVswitch.start(lab), OpenVswitch.class);
    }

    /** Bulk along a path; its receiving end is started once. */
    TcpBulk tcp(Path path) {
        return once("tcp " + path, () -> TcpBulk.open(lab, path), TcpBulk.class);
    }

    private <T> T once(String what, Supplier<T> maker, Class<T> type) {
        Object there = built.get(what);
        if (there == null) {
            there = maker.get();
            built.put(what, there);
        }
        return type.cast(there);
    }
}
