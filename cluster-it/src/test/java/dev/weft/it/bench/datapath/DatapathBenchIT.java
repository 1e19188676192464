package dev.weft.it.bench.datapath;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.it.bench.Benchmark;
import dev.weft.it.bench.Row;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** One short run of what can be compared: that it still runs, and that the lab is gone afterwards. */
class DatapathBenchIT {
    /** In a short one a worker whose code is not compiled yet may lose packets, and a row then says nothing. */
    private static final int ROUNDS = 12;

    @Test
    void theBaselinesRunAndLeaveNothingBehind() {
        assumeTrue(BenchLab.obstacle().isEmpty(), BenchLab.obstacle());

        List<Row> rows =
                new DatapathBench().run(new Benchmark.Plan(Benchmark.Effort.SMOKE, Set.of("baselines"), 1), step -> {});

        assertThat(rows)
                .hasSize(2)
                .allSatisfy(row -> assertThat(row.ran())
                        .as("%s: %s", row.name(), row.why())
                        .isTrue());
        assertThat(rows)
                .flatExtracting(Row::figures)
                .allSatisfy(figure -> assertThat(figure.value()).isPositive());
        assertThat(BenchLab.leftovers()).isEmpty();
    }

    @Test
    void connectionsAreAnsweredAndBothTheirDirectionsInstalled() {
        assumeTrue(BenchLab.obstacle().isEmpty(), BenchLab.obstacle());

        List<Row> rows = List.of();
        for (int round = 0; round < ROUNDS && !showsBothDirections(rows); round++) {
            rows = WireRows.connections().run(Benchmark.Plan.SMOKE, step -> {}, nanos -> {});
        }

        assertThat(rows)
                .hasSize(3)
                .allSatisfy(row -> assertThat(row.ran())
                        .as("%s: %s", row.name(), row.why())
                        .isTrue());
        assertThat(figure(rows, "answered")).isPositive();
        assertThat(figure(rows, "flows a connection")).isGreaterThanOrEqualTo(2);
        assertThat(figure(rows, "requests that failed")).isZero();
    }

    @Test
    void servalsPacketsArriveAtTheVmBehindTheRouter() {
        assumeTrue(BenchLab.obstacle().isEmpty(), BenchLab.obstacle());

        List<Row> rows = List.of();
        for (int round = 0; round < ROUNDS && !allRan(rows); round++) {
            rows = WireRows.serval().run(Benchmark.Plan.SMOKE, step -> {}, nanos -> {});
        }

        assertThat(rows)
                .hasSize(1)
                .allSatisfy(row -> assertThat(row.ran())
                        .as("%s: %s", row.name(), row.why())
                        .isTrue());
    }

    private static boolean showsBothDirections(List<Row> rows) {
        return allRan(rows) && figure(rows, "answered") > 0 && figure(rows, "flows a connection") >= 2;
    }

    private static boolean allRan(List<Row> rows) {
        return !rows.isEmpty() && rows.stream().allMatch(Row::ran);
    }

    private static double figure(List<Row> rows, String unit) {
        return rows.stream()
                .flatMap(row -> row.figures().stream())
                .filter(figure -> figure.unit().contains(unit))
                .findFirst()
                .orElseThrow()
                .value();
    }
}
