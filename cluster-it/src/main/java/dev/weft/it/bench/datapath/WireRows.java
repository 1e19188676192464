package dev.weft.it.bench.datapath;

import dev.weft.base.WeftException;
import dev.weft.it.bench.Benchmark.Plan;
import dev.weft.it.bench.Benchmark.Progress;
import dev.weft.it.bench.Calibration;
import dev.weft.it.bench.Row;
import dev.weft.it.bench.ScratchFolder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;

/** Rows that are measured from VM namespace to VM namespace, of whichever benchmark they belong to. Needs root. */
public final class WireRows {
    private static final int CALIBRATION_WARM_UP = 20;

    private final String kind;
    private final Map<String, Function<Ground, Row>> rows;

    private WireRows(String kind, Map<String, Function<Ground, Row>> rows) {
        this.kind = kind;
        this.rows = rows;
    }

    /** Of flows and packets. @param kind of datapath to measure */
    static WireRows datapath(String kind) {
        var rows = new LinkedHashMap<String, Function<Ground, Row>>();
        rows.put("baselines", CostRows::baselines);
        rows.put("same-host-cost", CostRows::sameHostCost);
        rows.put("same-host-vs-bridge", CostRows::sameHostVersusBridge);
        rows.put("same-host-tcp", TcpRows::sameHost);
        rows.put("two-host-vs-vxlan", CostRows::twoHostVersusVxlan);
        rows.put("two-host-tcp", TcpRows::twoHosts);
        rows.put("first-packet", FirstPacketRows::firstPacket);
        rows.put("first-packet-rtt", FirstPacketRows::roundTrip);
        rows.put("flow-setup", SetupRows::flowSetup);
        rows.put("mask-width", MaskRows::width);
        rows.put("mask-lookup", MaskRows::lookup);
        rows.put("change-blast", ScaleRows::changeBlast);
        rows.put("million-flows-memory", MemoryRow::millionFlows);
        rows.put("restart-loss", RestartRow::restartLoss);
        rows.put("million-flows", ScaleRows::millionFlows);
        rows.put("noisy-neighbour", FirstPacketRows::noisyNeighbour);
        rows.put("ovs-tcp", OvsRows::tcp);
        rows.put("ovs-cost", OvsRows::cost);
        rows.put("ovs-flow-setup", SetupRows::versusOvs);
        return new WireRows(kind, rows);
    }

    /** Of connections through a firewall and source translation. */
    public static WireRows connections() {
        var rows = new LinkedHashMap<String, Function<Ground, Row>>();
        rows.put("connections-per-second", ConnectionRows::perSecond);
        rows.put("established-cost", ConnectionRows::establishedCost);
        rows.put("linux-crr", ConnectionRows::linuxCrr);
        return new WireRows("ebpf", rows);
    }

    /** Of Serval. */
    public static WireRows serval() {
        var rows = new LinkedHashMap<String, Function<Ground, Row>>();
        rows.put("established-cost", ServalRows::establishedCost);
        return new WireRows("ebpf", rows);
    }

    public List<String> names() {
        return List.copyOf(rows.keySet());
    }

    /** @param calibration hears of each step of the calibration, taken before and after each row */
    public List<Row> run(Plan plan, Progress progress, Consumer<Double> calibration) {
        List<String> wanted = names().stream().filter(plan::wants).toList();
        String obstacle = wanted.isEmpty() ? "" : BenchLab.obstacle();
        if (wanted.isEmpty() || !obstacle.isEmpty()) {
            return wanted.stream().map(name -> Row.couldNotRun(name, obstacle)).toList();
        }
        try (var folder = ScratchFolder.make();
                var lab = new BenchLab(folder.path())) {
            return measure(wanted, progress, new Ground(plan, progress, lab, kind), calibration);
        }
    }

    private List<Row> measure(List<String> wanted, Progress progress, Ground ground, Consumer<Double> steps) {
        var measured = new ArrayList<Row>();
        var calibration = new Calibration();
        for (int i = 0; i < CALIBRATION_WARM_UP; i++) {
            calibration.nanosPerStep();
        }
        for (String name : wanted) {
            progress.step(name);
            steps.accept(calibration.nanosPerStep());
            measured.add(row(name, ground));
        }
        steps.accept(calibration.nanosPerStep());
        return measured;
    }

    private Row row(String name, Ground ground) {
        try {
            return Objects.requireNonNull(rows.get(name)).apply(ground);
        } catch (WeftException refused) {
            return Row.couldNotRun(name, String.valueOf(refused.getMessage()));
        }
    }
}
