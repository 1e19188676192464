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
}
