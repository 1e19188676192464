package dev.weft.it.bench.datapath;

import dev.weft.base.IpAddress;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.FlowDump;
import dev.weft.it.bench.PairedRatios;
import dev.weft.it.bench.Row;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Ipv4;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What many flows cost, and what a change costs those it does not concern. */
final class ScaleRows {
    private static final int FLOWS = 100_000;
    private static final int FLOWS_OF_SMOKE = 1_000;
    private static final Generator.Pace SET_UP = new Generator.Pace(20_000, true);
    private static final Generator.Pace STEADY = new Generator.Pace(50_000, true);
    /** The route covers these and the addresses between, of which nothing is sent to. */
    private static final String COVERED_PREFIX = "10.8.1.16/28";

    private static final int FIRST_COVERED = 256 + 16;
    private static final int COVERED = 10;
    private static final int COVERED_ADDRESSES = 16;
    private static final String ALL_PREFIX = "10.8.0.0/14";

    // Powers of two, as Frames wants them.
    private static final int MANY_FLOWS = 1 << 20;
    private static final int FEW_FLOWS = 1 << 10;

    private ScaleRows() {}

    static Row changeBlast(Ground ground) {
        int wanted = ground.plan().full() ? FLOWS : FLOWS_OF_SMOKE;
        WeftPaths paths = WeftPaths.sameHost(ground.lab(), ground.kind(), WeftPaths.Shape.eachTupleAFlow(2 * FLOWS));
        paths.routeThroughRouted(ALL_PREFIX);
        try (var cost = PacketCost.open(paths.routed());
                var frames = Frames.fixed(templates(wanted))) {
            long lost = round(cost, frames, wanted, SET_UP);
            Map<Long, FlowDump> before = flows(paths.senderDatapath());
            long upcalls = paths.senderDatapath().statistics().misses();
            lost += round(cost, frames, wanted, STEADY);
            paths.routeThroughRouted(COVERED_PREFIX);
            lost += round(cost, frames, wanted, STEADY);
            Map<Long, FlowDump> after = flows(paths.senderDatapath());
            long removed = before.keySet().stream()
                    .filter(id -> !after.containsKey(id))
                    .count();
            long interrupted = before.values().stream()
                    .filter(flow -> after.containsKey(flow.flowId()))
                    .filter(flow -> after.get(flow.flowId()).packets() != flow.packets() + 2)
                    .count();
            return Row.of(
                    "change-blast",
                    List.of(
                            new Row.Figure(removed, "flows removed", Row.Bar.atMost(20)),
                            new Row.Figure(interrupted, "other flows that miss a packet", Row.Bar.atMost(0)),
                            new Row.Figure(before.size(), "flows", Row.Bar.atLeast(wanted)),
                            new Row.Figure(
                                    paths.senderDatapath().statistics().misses() - upcalls, "upcalls after it", null),
                            new Row.Figure(lost, "packets lost", Row.Bar.atMost(0))),
                    "a route that covers " + COVERED + " of the flows' addresses");
        }
    }

    /** One packet of each flow. Returns how many did not arrive. */
    private static long round(PacketCost cost, Frames frames, int count, Generator.Pace pace) {
        PacketCost.Run run = cost.attempt(frames, count, pace);
        return run.sent() - run.delivered();
    }

    private static List<byte[]> templates(int wanted) {
        var all = new ArrayList<>(Workload.scattered(wanted + COVERED_ADDRESSES - COVERED));
        all.subList(FIRST_COVERED + COVERED, FIRST_COVERED + COVERED_ADDRESSES).clear();
        return all;
    }

    /** The flows to addresses behind the router, by number. */
    private static Map<Long, FlowDump> flows(Datapath datapath) {
        long prefix = IpAddress.parse("10.8.0.0").low();
        var byId = new HashMap<Long, FlowDump>();
        datapath.forEachFlow(flow -> {
            if ((flow.key().dstLow() & ~0x3_ffffL) == prefix) {
                byId.put(flow.flowId(), flow);
            }
        });
        return byId;
    }

    /** Exact flows of IPv6 in a cache of their number, without an agent: what its packets and its maps cost. */
    static Row millionFlows(Ground ground) {
        int many = ground.plan().full() ? MANY_FLOWS : FEW_FLOWS;
        List<byte[]> templates =
                Collections.nCopies(Frames.BATCH, Workload.bridged(2).get(1));
        long mapsBefore = MapMemory.bytes();
        var full = withFlows(ground, templates.getFirst(), many);
        long maps = MapMemory.bytes() - mapsBefore;
        var small = withFlows(ground, templates.getFirst(), FEW_FLOWS);
        try (var subject = PacketCost.open(full.path());
                var reference = PacketCost.open(small.path());
                var random = Frames.withNewPorts(templates, many);
                var few = Frames.withNewPorts(templates, FEW_FLOWS)) {
            var pairs = new PairedRatios(PairedRatios.interleave(
                            ground.plan().pairs(),
                            () -> subject.run(random, ground.runNanos()),
                            () -> reference.run(few, ground.runNanos()))
                    .stream()
                    .map(runs -> new PairedRatios.Pair(
                            runs.subject().nanosPerPacket(), runs.reference().nanosPerPacket()))
                    .toList());
            return Row.of(
                    "million-flows",
                    List.of(
                            Row.Figure.of(pairs, "x, packets of flows at random", Row.Bar.atMost(1.6)),
                            new Row.Figure(maps / 1e6, "MB, memory of the maps", Row.Bar.atMost(1000)),
                            new Row.Figure(many, "flows", null)),
                    FEW_FLOWS + " flows, in turn with it; without an agent, whose own memory is not in it");
        }
    }

    private static BareDatapath withFlows(Ground ground, byte[] template, int flows) {
        var datapath = BareDatapath.open(ground.lab(), ground.kind(), flows + FEW_FLOWS);
        FlowKey key = datapath.keyOf(template);
        var mask = new FlowMask();
        mask.exact();
        for (int tuple = 0; tuple < flows; tuple++) {
            key.setTransport(Ipv4.UDP, 0, FlowKey.NOT_FRAGMENT, 0, Frames.source(tuple), Frames.destination(tuple));
            datapath.install(key, mask);
        }
        return datapath;
    }
}
