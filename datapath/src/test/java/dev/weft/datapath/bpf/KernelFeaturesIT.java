package dev.weft.datapath.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.datapath.bpf.KernelFeatures.Feature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class KernelFeaturesIT {
    @Test
    void whatWorksIsFoundPresent() {
        TestPrograms.needKernel();
        var features = KernelFeatures.probe();
        assertThat(features.features())
                .extracting(Feature::name)
                .contains(
                        "map RING_BUFFER", "helper bpf_redirect_peer", "TCX link", "map entries in batches", "libbpf");
        assertThat(features.features())
                .filteredOn(feature -> feature.name().startsWith("map HASH"))
                .allMatch(Feature::present);
    }

    @Test
    void whatIsMissingIsToldWithWhatBringsIt() {
        assertThat(KernelFeatures.probe().missing())
                .allSatisfy(feature -> assertThat(feature.detail()).isNotBlank());
        // No kernel has a helper of this number.
        TestPrograms.needKernel();
        assertThat(KernelFeatures.helper("none", 1_000_000, "Linux 99"))
                .isEqualTo(new Feature("none", false, "EINVAL (invalid argument); needs Linux 99"));
    }

    @Test
    void probingLeavesNothingOpen() throws Exception {
        KernelFeatures.probe();
        long before = openFiles();
        KernelFeatures.probe();
        assertThat(openFiles()).isEqualTo(before);
    }

    private static long openFiles() throws IOException {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }
}
