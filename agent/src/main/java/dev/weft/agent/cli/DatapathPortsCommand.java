package dev.weft.agent.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code weft datapath ports}. */
@Command(name = "ports", description = "Shows the ports of this host's datapath and what passed them.")
final class DatapathPortsCommand implements Callable<Integer> {
    private static final String[] COLUMNS = {
        "datapath-port",
        "port",
        "interface",
        "namespace",
        "up",
        "received",
        "received-bytes",
        "sent",
        "sent-bytes",
        "upcalls",
        "over-budget"
    };

    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Override
    public Integer call() {
        var table = new Table(COLUMNS);
        Object rows = socket.ask("datapath-ports", Map.of()).getOrDefault("ports", List.of());
        for (Object row : (List<?>) rows) {
            table.row(List.of(COLUMNS).stream().map(((Map<?, ?>) row)::get).toArray());
        }
        output.print("ports", table);
        return ExitCode.OK;
    }
}
