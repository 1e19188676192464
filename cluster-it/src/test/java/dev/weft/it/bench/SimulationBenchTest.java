package dev.weft.it.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SimulationBenchTest {
    @Test
    void runs() {
        var rows = new SimulationBench().run(Benchmark.Plan.SMOKE, step -> {});

        assertThat(rows)
                .extracting(Row::name)
                .containsExactly("l2-ns", "routed-ns", "three-hop-ns", "allocation", "calibration");
        assertThat(rows).allMatch(Row::ran);
    }
}
