package dev.weft.it.bench.datapath;

import dev.weft.it.bench.Figures;
import dev.weft.it.bench.PairedRatios;
import dev.weft.it.bench.Row;
import java.util.ArrayList;
import java.util.List;

/** CPU time per packet of 64 octets, 1,000 flows in turn, half of them IPv6. */
final class CostRows {
    private CostRows() {}

    static Row sameHostCost(Ground ground) {
        return compare("same-host-cost", ground, ground.weft().bridged(), ground.redirectPeer(), Row.Bar.atMost(1.25));
    }

    static Row sameHostVersusBridge(Ground ground) {
        return compare("same-host-vs-bridge", ground, ground.weft().bridged(), ground.bridge(), Row.Bar.atMost(0.70));
    }

    static Row twoHostVersusVxlan(Ground ground) {
        return compare(
                "two-host-vs-vxlan",
                ground,
                ground.weftTwoHosts().bridged(),
                ground.bridgeAndVxlan(),
                Row.Bar.atMost(0.50));
    }

    /** What there is to be compared with, beside each other. */
    static Row baselines(Ground ground) {
        var figures = new ArrayList<Row.Figure>();
        var reference = ground.redirectPeer();
        for (Path path : List.of(ground.bridge(), ground.bridgeAndVxlan())) {
            var pairs = measure(ground, path, reference);
            figures.add(new Row.Figure(Figures.median(subjects(pairs)), "ns/packet median, " + path, null));
            figures.add(Row.Figure.of(new PairedRatios(pairs), "x " + reference + ", " + path, null));
        }
        return Row.of("baselines", figures, "what there is without Weft, " + reference);
    }

    static Row compare(String name, Ground ground, Path subject, Path reference, Row.Bar bar) {
        try (var frames = Frames.fixed(Workload.bridged(Workload.FLOWS))) {
            return compare(
                    name,
                    ground,
                    new Side(subject, frames),
                    new Side(reference, frames),
                    "64 octets, " + Workload.FLOWS + " flows",
                    bar);
        }
    }

    /** A path, and what is sent along it. */
    record Side(Path path, Frames frames) {}

    /** @param what of the frames, for people */
    static Row compare(String name, Ground ground, Side subject, Side reference, String what, Row.Bar bar) {
        var pairs = measure(ground, subject, reference);
        return Row.of(
                name,
                List.of(
                        Row.Figure.of(new PairedRatios(pairs), "x " + reference.path(), bar),
                        new Row.Figure(Figures.median(subjects(pairs)), "ns/packet median", null),
                        new Row.Figure(Figures.best(subjects(pairs)), "ns/packet best", null),
                        new Row.Figure(
                                Figures.median(references(pairs)), "ns/packet median, " + reference.path(), null)),
                reference.path() + ", in turn with it; " + what);
    }

    private static List<PairedRatios.Pair> measure(Ground ground, Path subject, Path reference) {
        try (var frames = Frames.fixed(Workload.bridged(Workload.FLOWS))) {
            return measure(ground, new Side(subject, frames), new Side(reference, frames));
        }
    }

    private static List<PairedRatios.Pair> measure(Ground ground, Side subject, Side reference) {
        ground.progress()
                .step(subject.path() + " against " + reference.path() + ", "
                        + ground.plan().pairs() + " pairs");
        try (var one = PacketCost.open(subject.path());
                var other = PacketCost.open(reference.path())) {
            return PairedRatios.interleave(
                            ground.plan().pairs(),
                            () -> one.run(subject.frames(), ground.runNanos()),
                            () -> other.run(reference.frames(), ground.runNanos()))
                    .stream()
                    .map(runs -> new PairedRatios.Pair(
                            runs.subject().nanosPerPacket(), runs.reference().nanosPerPacket()))
                    .toList();
        }
    }

    private static double[] subjects(List<PairedRatios.Pair> pairs) {
        return pairs.stream().mapToDouble(PairedRatios.Pair::subject).toArray();
    }

    private static double[] references(List<PairedRatios.Pair> pairs) {
        return pairs.stream().mapToDouble(PairedRatios.Pair::reference).toArray();
    }
}
