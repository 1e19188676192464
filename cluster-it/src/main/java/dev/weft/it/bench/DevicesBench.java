package dev.weft.it.bench;

import dev.weft.it.bench.datapath.WireRows;
import java.util.ArrayList;
import java.util.List;

/** What one packet costs at devices that hold much, and what connections cost. */
public final class DevicesBench implements Benchmark {
    private final WireRows wire = WireRows.connections();

    @Override
    public String name() {
        return "devices";
    }

    @Override
    public String about() {
        return "Time and memory of one packet at rules, routes, translation and balancers; what connections take, beside Linux.";
    }

    @Override
    public List<String> rows() {
        var names = new ArrayList<>(ScalingRows.NAMES);
        names.addAll(StatefulRows.NAMES);
        names.addAll(wire.names());
        return names;
    }

    @Override
    public List<Row> run(Plan plan, Progress progress) {
        var calibration = new Calibration();
        List<Double> steps = new ArrayList<>();
        var rows = new ArrayList<>(new ScalingRows().run(plan, progress));
        if (StatefulRows.NAMES.stream().anyMatch(plan::wants)) {
            rows.addAll(new StatefulRows(!plan.full(), progress).run());
        }
        rows.addAll(wire.run(plan, progress, steps::add));
        for (int i = 0; i < (plan.full() ? 5 : 1); i++) {
            steps.add(calibration.nanosPerStep());
        }
        rows.add(Calibration.row(steps.stream().mapToDouble(Double::doubleValue).toArray()));
        return rows;
    }
}
