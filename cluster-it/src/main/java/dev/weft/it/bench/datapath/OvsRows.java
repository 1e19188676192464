package dev.weft.it.bench.datapath;

import dev.weft.it.bench.Figures;
import dev.weft.it.bench.PairedRatios;
import dev.weft.it.bench.PairedRatios.Pair;
import dev.weft.it.bench.Row;
import java.util.List;
import java.util.function.LongSupplier;

/** Weft beside Open vSwitch's userspace datapath: figures to read, without a bar. */
final class OvsRows {
    /** What a userspace datapath takes on one CPU with hardly a loss. */
    private static final Generator.Pace PACE = new Generator.Pace(10_000, true);

    private OvsRows() {}

    /** CPU time per packet, that of the daemon included: it does not work in the sender's softirq. */
    static Row cost(Ground ground) {
        OpenVswitch ovs = ground.ovs();
        Path subject = ground.weft().bridged();
        ground.progress().step(subject + " against " + ovs.path());
        try (var frames = Frames.fixed(Workload.bridged(Workload.FLOWS));
                var one = PacketCost.open(subject);
                var other = PacketCost.open(ovs.path())) {
            var pairs = PairedRatios.interleave(
                            ground.plan().pairs(),
                            () -> nanosPerPacket(ground, frames, one, () -> 0),
                            () -> nanosPerPacket(ground, frames, other, ovs::cpuNanos))
                    .stream()
                    .map(runs -> new Pair(runs.subject(), runs.reference()))
                    .toList();
            return Row.of(
                    "ovs-cost",
                    List.of(
                            Row.Figure.of(new PairedRatios(pairs), "x " + ovs.path(), null),
                            new Row.Figure(
                                    Figures.median(pairs.stream()
                                            .mapToDouble(Pair::subject)
                                            .toArray()),
                                    "ns/packet median",
                                    null),
                            new Row.Figure(
                                    Figures.median(pairs.stream()
                                            .mapToDouble(Pair::reference)
                                            .toArray()),
                                    "ns/packet median, " + ovs.path(),
                                    null)),
                    ovs.path() + ", in turn with it; " + PACE.perSecond()
                            + " packets/s, its daemon's CPU time included");
        }
    }

    private static double nanosPerPacket(Ground ground, Frames frames, PacketCost cost, LongSupplier others) {
        long before = others.getAsLong();
        PacketCost.Run run = cost.attempt(frames, ground.runNanos(), PACE);
        return (double) (run.cpuNanos() + others.getAsLong() - before) / run.delivered();
    }

    static Row tcp(Ground ground) {
        Path reference = ground.ovs().path();
        return Row.of(
                "ovs-tcp",
                TcpRows.compare(ground, ground.weft().bridged(), reference, "", null, null),
                reference
                        + ", in turn with it; CPU of Weft's ends and of the whole machine: Open vSwitch's daemon is neither end");
    }
}
