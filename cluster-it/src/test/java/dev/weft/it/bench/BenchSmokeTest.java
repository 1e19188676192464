package dev.weft.it.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.it.Bench;
import dev.weft.it.bench.datapath.DatapathBench;
import dev.weft.it.bench.datapath.WireRows;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One iteration of every benchmark but for what needs root: that it still runs, not what it gives. */
@Timeout(120)
class BenchSmokeTest {
    static Stream<Benchmark> all() {
        return Bench.ALL.stream()
                .filter(bench -> !(bench instanceof DatapathBench)); // which needs root: DatapathBenchIT
    }

    @ParameterizedTest
    @MethodSource("all")
    void runsOnce(Benchmark bench) {
        var names = new HashSet<>(bench.rows());
        names.removeAll(WireRows.connections().names());
        names.removeAll(WireRows.serval().names());
        List<Row> rows = bench.run(new Benchmark.Plan(Benchmark.Effort.SMOKE, names, 1), step -> {});

        assertThat(rows)
                .isNotEmpty()
                .allSatisfy(row -> assertThat(row.ran())
                        .as("%s: %s", row.name(), row.why())
                        .isTrue());
        assertThat(rows).extracting(Row::name).doesNotHaveDuplicates().contains("calibration");
        assertThat(rows).flatExtracting(Row::figures).allSatisfy(figure -> {
            assertThat(figure.value()).isFinite().isNotNegative();
            assertThat(figure.unit()).isNotBlank();
        });
    }
}
