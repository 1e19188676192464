package dev.weft.it.bench;

import java.util.ArrayList;
import java.util.List;

/** What one packet costs at devices that hold much, and what connections cost. */
public final class DevicesBench implements Benchmark {
    @Override
    public String name() {
        return "devices";
    }

    @Override
    public String about() {
        return "Time and memory of one packet at rules, routes, translation and balancers; what a connection takes.";
    }

    @Override
    public List<String> rows() {
        var names = new ArrayList<>(ScalingRows.NAMES);
        names.addAll(StatefulRows.NAMES);
        return names;
    }

    @Override
    public List<Row> run(Plan plan, Progress progress) {
        var calibration = new Calibration();
        double[] steps = new double[plan.full() ? 5 : 1];
        var rows = new ArrayList<>(new ScalingRows().run(plan, progress));
        if (StatefulRows.NAMES.stream().anyMatch(plan::wants)) {
            rows.addAll(new StatefulRows(!plan.full(), progress).run());
        }
        for (int i = 0; i < steps.length; i++) {
            steps[i] = calibration.nanosPerStep();
        }
        rows.add(Calibration.row(steps));
        return rows;
    }
}
