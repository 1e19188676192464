package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.it.bench.Figures;
import dev.weft.it.bench.PairedRatios;
import dev.weft.it.bench.PairedRatios.Pair;
import dev.weft.it.bench.PairedRatios.Runs;
import dev.weft.it.bench.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One TCP stream beside the Linux bridge: how much, and at what CPU time per byte. */
final class TcpRows {
    private static final int SECONDS = 1;
    private static final double GIGA = 1e9;

    private TcpRows() {}

    static Row sameHost(Ground ground) {
        Path reference = ground.bridge();
        var figures =
                compare(ground, ground.weft().bridged(), reference, "", Row.Bar.atLeast(0.95), Row.Bar.atMost(1.05));
        return Row.of(
                "same-host-tcp", figures, reference + ", in turn with it; CPU of both ends, and of the whole machine");
    }

    /** Also with an underlay that carries no super-packets, as a network card of an older kind does. */
    static Row twoHosts(Ground ground) {
        Path subject = ground.weftTwoHosts().bridged();
        Path reference = ground.bridgeAndVxlan();
        var figures =
                new ArrayList<>(compare(ground, subject, reference, "", Row.Bar.atLeast(1.0), Row.Bar.atMost(1.0)));
        for (Path path : List.of(subject, reference)) {
            setSegmentation(path, "off");
        }
        try {
            figures.addAll(
                    compare(ground, subject, reference, ", segmented", Row.Bar.atLeast(1.0), Row.Bar.atMost(1.0)));
        } finally {
            for (Path path : List.of(subject, reference)) {
                setSegmentation(path, "on");
            }
        }
        return Row.of(
                "two-host-tcp", figures, reference + ", in turn with it; CPU of both ends, and of the whole machine");
    }

    /** Off: the underlay's ends cut super-packets in software, and put segments together again as they come in. */
    private static void setSegmentation(Path path, String hardware) {
        for (var host : List.of(path.sender().host(), path.receiver().host())) {
            Commands.Result said = host.run(
                    Duration.ofSeconds(5),
                    "ethtool",
                    "-K",
                    Baselines.UNDERLAY,
                    "tso",
                    hardware,
                    "tx-udp_tnl-segmentation",
                    hardware,
                    "tx-udp_tnl-csum-segmentation",
                    hardware,
                    "gro",
                    hardware.equals("on") ? "off" : "on");
            if (!said.ok()) {
                throw new MeasureException("ethtool on " + Baselines.UNDERLAY + ": " + said.output());
            }
        }
    }

    /** The ratios of rate and of CPU per byte, with these bars; that of the machine's CPU per byte; both rates. */
    static List<Row.Figure> compare(
            Ground ground, Path subject, Path reference, String remark, Row.@Nullable Bar rate, Row.@Nullable Bar cpu) {
        ground.progress()
                .step(subject + " against " + reference + remark + ", TCP, "
                        + ground.plan().pairs() + " pairs");
        TcpBulk one = ground.tcp(subject);
        TcpBulk other = ground.tcp(reference);
        List<Runs<TcpBulk.Run>> runs =
                PairedRatios.interleave(ground.plan().pairs(), () -> one.run(SECONDS), () -> other.run(SECONDS));
        var rates = runs.stream()
                .map(r -> new Pair(
                        r.subject().bitsPerSecond() / GIGA, r.reference().bitsPerSecond() / GIGA))
                .toList();
        var costs = runs.stream()
                .map(r -> new Pair(r.subject().cpuNanosPerByte(), r.reference().cpuNanosPerByte()))
                .toList();
        var machine = runs.stream()
                .map(r -> new Pair(
                        r.subject().machineNanosPerByte(), r.reference().machineNanosPerByte()))
                .toList();
        return List.of(
                Row.Figure.of(new PairedRatios(rates), "x Gbit/s" + remark, rate),
                Row.Figure.of(new PairedRatios(costs), "x CPU per byte" + remark, cpu),
                Row.Figure.of(new PairedRatios(machine), "x CPU per byte, whole machine" + remark, null),
                new Row.Figure(
                        Figures.median(rates.stream().mapToDouble(Pair::subject).toArray()),
                        "Gbit/s median" + remark,
                        null),
                new Row.Figure(
                        Figures.median(
                                rates.stream().mapToDouble(Pair::reference).toArray()),
                        "Gbit/s median" + remark + ", " + reference,
                        null));
    }
}
