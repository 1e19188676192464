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
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoIT {
    @TempDir
    Path folder;

    /** Other labs have IPv4 below. */
    @Test
    void everyCheckHoldsOnAnIpv6Fabric() {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
        String prefix = "lab" + ProcessHandle.current().pid();
        var told = new ByteArrayOutputStream();
        try (var network = new DemoNetwork(prefix, folder, Datapaths.AUTO, Underlay.IPV6)) {
            var out = new PrintStream(told, true, StandardCharsets.UTF_8);
            boolean held = new Demo(network, new Checks(out), NanoClock.SYSTEM).tell();
            assertThat(held).as(() -> told.toString(StandardCharsets.UTF_8)).isTrue();
        } finally {
            DemoNetwork.removeDatapaths(prefix);
        }
    }
}
