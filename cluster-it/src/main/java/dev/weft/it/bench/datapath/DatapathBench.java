package dev.weft.it.bench.datapath;

import dev.weft.base.WeftException;
import dev.weft.it.bench.Benchmark;
import dev.weft.it.bench.Calibration;
import dev.weft.it.bench.Row;
import dev.weft.it.bench.ScratchFolder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/** The kernel datapath beside what there is without Weft: VM namespace to VM namespace, in pairs, pinned. */
public final class DatapathBench implements Benchmark {
    private static final Map<String, Function<Ground, Row>> ROWS = rowsByName();
    private static final int CALIBRATION_WARM_UP = 20;

    private final String kind;

    public DatapathBench() {
        this("ebpf");
    }

    /** @param kind of datapath to measure */
    DatapathBench(String kind) {
        this.kind = kind;
    }

    private static Map<String, Function<Ground, Row>> rowsByName() {
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
        return rows;
    }

    @Override
    public String name() {
        return "datapath";
    }

    @Override
    public String about() {
        return "CPU per packet, bulk, set-up and life of flows, beside Linux bridge, vxlan and Open vSwitch; needs root.";
    }

    @Override
    public List<String> rows() {
        return List.copyOf(ROWS.keySet());
    }

    @Override
    public List<Row> run(Plan plan, Progress progress) {
        String obstacle = BenchLab.obstacle();
        if (!obstacle.isEmpty()) {
            return wanted(plan).stream()
                    .map(name -> Row.couldNotRun(name, obstacle))
                    .toList();
        }
        try (var folder = ScratchFolder.make();
                var lab = new BenchLab(folder.path())) {
            return measure(plan, progress, new Ground(plan, progress, lab, kind));
        }
    }

    private List<String> wanted(Plan plan) {
        return rows().stream().filter(plan::wants).toList();
    }

    private List<Row> measure(Plan plan, Progress progress, Ground ground) {
        var measured = new ArrayList<Row>();
        var calibration = new Calibration();
        var steps = new ArrayList<Double>();
        for (int i = 0; i < CALIBRATION_WARM_UP; i++) {
            calibration.nanosPerStep();
        }
        for (String name : wanted(plan)) {
            progress.step(name);
            steps.add(calibration.nanosPerStep());
            measured.add(row(name, ground));
        }
        steps.add(calibration.nanosPerStep());
        measured.add(
                Calibration.row(steps.stream().mapToDouble(Double::doubleValue).toArray()));
        return measured;
    }

    private static Row row(String name, Ground ground) {
        try {
            return Objects.requireNonNull(ROWS.get(name)).apply(ground);
        } catch (WeftException refused) {
            return Row.couldNotRun(name, String.valueOf(refused.getMessage()));
        }
    }
}
