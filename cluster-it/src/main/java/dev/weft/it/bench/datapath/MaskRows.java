package dev.weft.it.bench.datapath;

import dev.weft.datapath.Datapath;
import dev.weft.it.bench.Figures;
import dev.weft.it.bench.PairedRatios;
import dev.weft.it.bench.Row;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Ipv4;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** How many packets one flow answers, and what it costs to find it behind others' masks. */
final class MaskRows {
    private static final int CONNECTIONS = 10_000;
    private static final Generator.Pace ONE_BY_ONE = new Generator.Pace(5_000, false);
    private static final int MASKS = 16;
    private static final int NEW_TUPLE_FRAMES = 64;
    /** What {@link Frames#withNewPorts} gives frames of its first tuple. */
    private static final int FIRST_PORT = 1024;

    private MaskRows() {}

    /** Connections between two VMs on two hosts, a packet each way. */
    static Row width(Ground ground) {
        var shape = new WeftPaths.Shape(false, 0, Map.of("limits.flow-idle", "4 s"));
        var paths = WeftPaths.twoHosts(ground.lab(), ground.kind(), shape);
        var hosts = List.of(paths.senderDatapath(), paths.receiverDatapath());
        WeftHosts.await(
                "end of the flows of the first pings", () -> hosts.stream().allMatch(host -> portFlows(host) == 0));
        long upcalls = upcalls(hosts);
        long lost = connect(ground, paths.routed(), Workload.routedNumbered(NEW_TUPLE_FRAMES))
                + connect(ground, paths.routed().back(), Workload.routedBackNumbered(NEW_TUPLE_FRAMES));
        long flows = hosts.stream().mapToLong(MaskRows::portFlows).max().orElseThrow();
        return Row.of(
                "mask-width",
                List.of(
                        new Row.Figure(flows, "flows of ports, most on a host", Row.Bar.atMost(4)),
                        new Row.Figure(upcalls(hosts) - upcalls, "upcalls on both hosts", Row.Bar.atMost(8)),
                        new Row.Figure(lost, "packets lost", Row.Bar.atMost(0))),
                CONNECTIONS + " connections, half of them IPv6, bridge-router-bridge on two hosts, a packet each way");
    }

    /** Without those of floods that come through the tunnel, which are there from the beginning. */
    private static long portFlows(Datapath host) {
        return host.flows().stream()
                .filter(flow -> flow.key().inPort() != FlowKey.TUNNEL_PORT)
                .count();
    }

    private static long upcalls(List<Datapath> hosts) {
        return hosts.stream()
                .map(Datapath::statistics)
                .mapToLong(counted -> counted.misses() + counted.tunnelUpcalls())
                .sum();
    }

    /** Sends a packet of each connection. Returns how many were lost. */
    private static long connect(Ground ground, Path path, List<byte[]> templates) {
        try (var delays = Delays.open(path, 2 * CONNECTIONS);
                var frames = Frames.numbered(templates, 1 << 14)) {
            double seconds = (double) CONNECTIONS / ONE_BY_ONE.perSecond();
            return delays.run(frames, ground.plan().full() ? (long) (seconds * 1e9) : ground.runNanos(), ONE_BY_ONE)
                    .lost();
        }
    }

    /** The last of 16 masks at a port against an exact flow there. */
    static Row lookup(Ground ground) {
        var masked = BareDatapath.open(ground.lab(), ground.kind());
        var exact = BareDatapath.open(ground.lab(), ground.kind());
        List<byte[]> templates = Workload.bridged(2);
        for (byte[] template : templates) {
            installBehindOthers(masked, template);
            installExact(exact, template);
        }
        List<byte[]> tuples = Workload.bridged(CONNECTIONS);
        try (var subject = PacketCost.open(masked.path());
                var reference = PacketCost.open(exact.path())) {
            var repeating = compare(
                    ground, subject, Frames.fixed(tuples), reference, Frames.fixed(repeat(templates, CONNECTIONS)));
            var fresh = compare(
                    ground,
                    subject,
                    Frames.withNewPorts(repeat(templates, NEW_TUPLE_FRAMES), 1L << 31),
                    reference,
                    Frames.withNewPorts(repeat(templates, NEW_TUPLE_FRAMES), 1));
            return Row.of(
                    "mask-lookup",
                    List.of(
                            Row.Figure.of(repeating, "x, 10,000 5-tuples in turn", Row.Bar.atMost(1.2)),
                            Row.Figure.of(fresh, "x, each packet a new 5-tuple", Row.Bar.atMost(2.2)),
                            nanos("ns/packet median, 10,000 5-tuples", repeating, false),
                            nanos("ns/packet median, new 5-tuples", fresh, false),
                            nanos("ns/packet median, exact", repeating, true)),
                    "an exact flow at a port without others, in turn with it; 16th of 16 masks at a port, half IPv6");
        }
    }

    private static Row.Figure nanos(String unit, PairedRatios pairs, boolean reference) {
        return new Row.Figure(
                Figures.median(pairs.pairs().stream()
                        .mapToDouble(pair -> reference ? pair.reference() : pair.subject())
                        .toArray()),
                unit,
                null);
    }

    private static PairedRatios compare(
            Ground ground, PacketCost subject, Frames subjects, PacketCost reference, Frames references) {
        try (subjects;
                references) {
            return new PairedRatios(PairedRatios.interleave(
                            ground.plan().pairs(),
                            () -> subject.run(subjects, ground.runNanos()),
                            () -> reference.run(references, ground.runNanos()))
                    .stream()
                    .map(runs -> new PairedRatios.Pair(
                            runs.subject().nanosPerPacket(), runs.reference().nanosPerPacket()))
                    .toList());
        }
    }

    private static List<byte[]> repeat(List<byte[]> templates, int count) {
        return Collections.nCopies(count / templates.size(), templates).stream()
                .flatMap(List::stream)
                .toList();
    }

    /** Fifteen masks with a flow that never matches, then one over addresses that does. */
    private static void installBehindOthers(BareDatapath datapath, byte[] frame) {
        FlowKey key = datapath.keyOf(frame);
        var elsewhere = new FlowKey();
        elsewhere.copyFrom(key);
        elsewhere.setDst(key.dstHigh(), ~key.dstLow());
        for (int i = 1; i < MASKS; i++) {
            var mask = new FlowMask();
            mask.addEtherType();
            mask.addDst(128);
            mask.addSrc(128 - i);
            datapath.install(elsewhere, mask);
        }
        var mask = new FlowMask();
        mask.addEtherType();
        mask.addSrc(128);
        mask.addDst(128);
        mask.addProtocol();
        datapath.install(key, mask);
    }

    /** One flow for the frame as it is, one for what {@link Frames#withNewPorts} makes of it. */
    private static void installExact(BareDatapath datapath, byte[] frame) {
        var mask = new FlowMask();
        mask.exact();
        var keys = new ArrayList<FlowKey>();
        keys.add(datapath.keyOf(frame));
        var renewed = new FlowKey();
        renewed.copyFrom(keys.getFirst());
        renewed.setTransport(Ipv4.UDP, 0, FlowKey.NOT_FRAGMENT, 0, FIRST_PORT, FIRST_PORT);
        keys.add(renewed);
        keys.forEach(key -> datapath.install(key, mask));
    }
}
