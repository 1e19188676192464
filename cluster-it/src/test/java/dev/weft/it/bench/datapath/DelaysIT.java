package dev.weft.it.bench.datapath;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DelaysIT {
    @TempDir
    Path folder;

    @Test
    void everyFrameOfAQuietPathArrivesAfterItWasSent() {
        assumeTrue(BenchLab.obstacle().isEmpty(), BenchLab.obstacle());
        try (var lab = new BenchLab(folder)) {
            try (var delays = Delays.open(Baselines.bridge(lab), 1000);
                    var frames = Frames.numbered(Workload.bridgedNumbered(64), 1 << 16)) {
                Delays.Run run = delays.run(frames, 50_000_000, new Generator.Pace(10_000, false));

                assertThat(run.sent()).isBetween(300L, 502L);
                assertThat(run.lost()).isZero();
                assertThat(run.nanos()[0]).as("least delay").isPositive();
            }
        }
    }
}
