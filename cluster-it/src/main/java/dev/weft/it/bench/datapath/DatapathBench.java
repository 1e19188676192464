package dev.weft.it.bench.datapath;

import dev.weft.it.bench.Benchmark;
import dev.weft.it.bench.Calibration;
import dev.weft.it.bench.Row;
import java.util.ArrayList;
import java.util.List;

/** The kernel datapath beside what there is without Weft: VM namespace to VM namespace, in pairs, pinned. */
public final class DatapathBench implements Benchmark {
    private final WireRows rows;

    public DatapathBench() {
        this("ebpf");
    }

    /** @param kind of datapath to measure */
    DatapathBench(String kind) {
        rows = WireRows.datapath(kind);
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
        return rows.names();
    }

    @Override
    public List<Row> run(Plan plan, Progress progress) {
        var steps = new ArrayList<Double>();
        var measured = new ArrayList<>(rows.run(plan, progress, steps::add));
        if (!steps.isEmpty()) {
            measured.add(Calibration.row(
                    steps.stream().mapToDouble(Double::doubleValue).toArray()));
        }
        return measured;
    }
}
