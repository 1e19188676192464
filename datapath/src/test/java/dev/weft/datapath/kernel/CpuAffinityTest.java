package dev.weft.datapath.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CpuAffinityTest {
    @Test
    void processorsOfAListAreCounted() {
        assertThat(CpuAffinity.countOf("0")).isEqualTo(1);
        assertThat(CpuAffinity.countOf("0-3")).isEqualTo(4);
        assertThat(CpuAffinity.countOf("0-3,8,10-11")).isEqualTo(7);
    }

    @Test
    void threadIsBoundToAProcessor() throws InterruptedException {
        var allowed = new String[1];
        // A thread of its own: this one goes on running everywhere.
        var thread = Thread.ofPlatform().start(() -> {
            assertThat(CpuAffinity.pin(0)).isZero();
            allowed[0] = status();
        });
        thread.join();
        assertThat(allowed[0]).contains("Cpus_allowed_list:\t0\n");
    }

    private static String status() {
        try {
            return Files.readString(Path.of("/proc/thread-self/status"));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
