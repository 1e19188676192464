package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.agent.demo.DemoRun;
import dev.weft.agent.lab.Lab;
import dev.weft.datapath.Datapaths;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code weft demo serval} holds what it claims, all but its measurements. */
@Timeout(240)
class ServalDemoIT {
    @TempDir
    Path folder;

    @Test
    void everyCheckOfTheDemoHolds() {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
        for (String program : List.of("nginx", "memcached", "curl")) {
            assumeTrue(isInstalled(program), program + " is not installed");
        }
        var told = new ByteArrayOutputStream();
        var out = new PrintStream(told, true, StandardCharsets.UTF_8);
        String prefix = TestCloud.PREFIX + ProcessHandle.current().pid() + "d";
        boolean held = new DemoRun(
                        out,
                        new DemoRun.Options(
                                DemoRun.Subject.SERVAL,
                                Datapaths.AUTO,
                                Optional.of(folder.resolve("demo")),
                                false,
                                true),
                        new DemoRun.Ground(prefix, folder.resolve("lock")))
                .run();
        assertThat(held).as(() -> told.toString(StandardCharsets.UTF_8)).isTrue();
    }

    private static boolean isInstalled(String program) {
        return Stream.of((System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin").split(":"))
                .anyMatch(dir -> Files.isExecutable(Path.of(dir, program)));
    }
}
