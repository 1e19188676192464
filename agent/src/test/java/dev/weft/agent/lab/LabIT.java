package dev.weft.agent.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabIT {
    private final String prefix = "lab" + ProcessHandle.current().pid();

    @TempDir
    Path folder;

    @BeforeEach
    void needsRoot() {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
    }

    @Test
    void hostsReachEachOtherOverTheFabric() {
        try (var lab = new Lab(prefix, folder)) {
            LabHost h1 = lab.host("h1");
            LabHost h2 = lab.host("h2");

            var ping = h1.run(
                    Duration.ofSeconds(5), "ping", "-c", "1", "-W", "2", "-M", "do", "-s", "1572", h2.underlay());

            assertThat(ping.output()).contains("1 received");
        }
    }

    @Test
    void aVmIsCabledToItsHostAndNothingElse() {
        try (var lab = new Lab(prefix, folder)) {
            Vm vm = lab.vm(
                    lab.host("h1"), "vm1", "02:00:00:00:01:05", List.of("10.0.1.5/24", "fd00:1::5/64"), List.of());

            assertThat(vm.run(Duration.ofSeconds(5), "ip", "-o", "link")
                            .output()
                            .lines())
                    .hasSize(2);
            assertThat(vm.run(Duration.ofSeconds(5), "ip", "link", "show", "eth0")
                            .output())
                    .contains(vm.mac())
                    .contains("LOWER_UP");
        }
    }

    @Test
    void nothingIsLeftWhenItCloses() {
        try (var lab = new Lab(prefix, folder)) {
            lab.program(
                    lab.vm(lab.host("h1"), "vm1", "02:00:00:00:01:05", List.of(), List.of()),
                    "idle",
                    "cat",
                    "/dev/zero");
        }

        assertThat(Path.of("/run/netns", prefix + "-h1")).doesNotExist();
        assertThat(Lab.removeLeftovers(prefix)).isEmpty();
    }

    @Test
    void leftoversOfAKilledLabGo() throws Exception {
        var killed = new Lab(prefix, folder);
        killed.host("h1");

        assertThat(Lab.removeLeftovers(prefix)).containsExactlyInAnyOrder(prefix + "-fabric", prefix + "-h1");
        assertThat(Files.exists(Path.of("/run/netns", prefix + "-h1"))).isFalse();
    }

    @Test
    void aFailedCommandSaysWhatAndWhy() {
        assertThatThrownBy(() -> Commands.expect("ip", "netns", "delete", "no-such-" + prefix))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("ip netns delete")
                .hasMessageContaining("No such file");
    }
}
