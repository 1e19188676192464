package dev.weft.agent.cli;

import dev.weft.topology.EmbeddedZooKeeper;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weft store}: ZooKeeper inside this process, for one machine or a small cluster. */
@Command(
        name = "store",
        description = "Runs a ZooKeeper server for Weft; any ZooKeeper 3.9 ensemble does as well.",
        footer = "%nExample:%n  weft store --data /var/lib/weft/store")
final class StoreCommand implements Callable<Integer>, LongRunning {
    @Option(names = "--port", defaultValue = "2181", description = "TCP port; 0: a free one. Default: ${DEFAULT-VALUE}")
    private int port;

    @Option(
            names = "--data",
            defaultValue = "/var/lib/weft/store",
            paramLabel = "DIR",
            description = "Where its data lies. Default: ${DEFAULT-VALUE}")
    private Path data = Path.of("/var/lib/weft/store");

    @Option(
            names = "--bind",
            defaultValue = "127.0.0.1",
            paramLabel = "ADDRESS",
            description = "Address to listen at; 0.0.0.0 for all. ZooKeeper asks no passwords: keep it inside the"
                    + " fabric. Default: ${DEFAULT-VALUE}")
    private String bind = "127.0.0.1";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws InterruptedException {
        try (var stop = StopSignal.install();
                var server = EmbeddedZooKeeper.start(data, bind, port)) {
            var out = spec.commandLine().getOut();
            out.println("ready store=" + server.connectString() + " data=" + data);
            out.flush();
            stop.await();
        }
        return ExitCode.OK;
    }
}
