package dev.weft.agent.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.agent.lab.Lab;
import dev.weft.agent.lab.Underlay;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapaths;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServalDemoIT {
    @TempDir
    Path folder;

    @Test
    void everyCheckHolds() {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
        for (String program : List.of("nginx", "memcached", "curl", "dig")) {
            assumeTrue(isInstalled(program), program + " is not installed");
        }
        String prefix = "labs" + ProcessHandle.current().pid();
        var told = new ByteArrayOutputStream();
        try (var network = new DemoNetwork(prefix, folder, Datapaths.AUTO, Underlay.IPV4)) {
            var out = new PrintStream(told, true, StandardCharsets.UTF_8);
            boolean held = new ServalDemo(network, new Checks(out), NanoClock.SYSTEM, true).tell();
            assertThat(held).as(() -> told.toString(StandardCharsets.UTF_8)).isTrue();
        } finally {
            DemoNetwork.removeDatapaths(prefix);
        }
    }

    private static boolean isInstalled(String program) {
        return Stream.of((System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin").split(":"))
                .anyMatch(dir -> Files.isExecutable(Path.of(dir, program)));
    }
}
