package dev.weft.it.bench.datapath;

import dev.weft.it.bench.Row;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** New flows a second: every packet is the first of its 5-tuple, and each of them must arrive. */
final class SetupRows {
    private static final int ROUNDS = 6;
    private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(5);
    static final int FLOWS = 1 << 20;
    /** Few enough not to be in the way of the next round. */
    static final int FLOWS_LEFT = 1000;

    private static final double WEFT_BEGINS = 150_000;
    private static final double OVS_BEGINS = 30_000;
    /** Of the packets of a round, so many may be lost for it to count as delivered. */
    private static final double LOSS_ALLOWED = 0.0001;

    private static final int TEMPLATES = 64;

    private SetupRows() {}

    static Row flowSetup(Ground ground) {
        WeftPaths paths = ground.weftTuples();
        try (var pauses = CollectorPauses.record()) {
            RateSearch search = weft(ground, paths);
            return Row.of(
                    "flow-setup",
                    List.of(
                            new Row.Figure(search.best(), "flows/s, all delivered", Row.Bar.atLeast(150_000)),
                            new Row.Figure(
                                    search.mostWithLoss(), "flows/s delivered where more were offered than are", null),
                            new Row.Figure(search.leastNanos(), "ns of the worker's CPU a flow, best round", null),
                            new Row.Figure(pauses.millis(0.999), "ms, collector pauses p99.9", Row.Bar.atMost(1))),
                    "best of " + ROUNDS + " rounds of 5 s, open loop; a rule on UDP ports, routed, one worker");
        }
    }

    private static RateSearch weft(Ground ground, WeftPaths paths) {
        boolean full = ground.plan().full();
        try (var cost = PacketCost.open(paths.routed());
                var frames = Frames.withNewPorts(Workload.routed(TEMPLATES), 1L << 31)) {
            return RateSearch.run(
                    WEFT_BEGINS,
                    LOSS_ALLOWED,
                    full ? ROUNDS : 1,
                    pace -> cost.attempt(frames, full ? ROUND_NANOS : ground.runNanos(), pace),
                    () -> forgetFlows(paths));
        }
    }

    private static void forgetFlows(WeftPaths paths) {
        paths.endRoutedFlows();
        WeftHosts.await(
                "end of the last round's flows",
                () -> paths.senderDatapath().statistics().flows() < FLOWS_LEFT);
    }

    /** Open vSwitch's flows are made to name the ports, as Weft's do here. From then on they do in all rows. */
    static Row versusOvs(Ground ground) {
        OpenVswitch ovs = ground.ovs();
        ovs.matchOnPorts();
        RateSearch other;
        try (var cost = PacketCost.open(ovs.path());
                var frames = Frames.withNewPorts(Workload.bridged(TEMPLATES), 1L << 31)) {
            other = RateSearch.run(
                    OVS_BEGINS,
                    LOSS_ALLOWED,
                    ground.plan().full() ? ROUNDS : 1,
                    pace -> cost.attempt(frames, ground.plan().full() ? ROUND_NANOS / 2 : ground.runNanos(), pace),
                    () -> {});
        }
        RateSearch own = weft(ground, ground.weftTuples());
        if (other.best() == 0) {
            throw new MeasureException(ovs.path() + " delivered all packets at no rate that was tried");
        }
        return Row.of(
                "ovs-flow-setup",
                List.of(
                        new Row.Figure(own.best() / other.best(), "x " + ovs.path(), null),
                        new Row.Figure(own.best(), "flows/s", null),
                        new Row.Figure(other.best(), "flows/s, " + ovs.path(), null)),
                ovs.path() + ", best of " + ROUNDS + " rounds each; its flows name the UDP ports");
    }
}
