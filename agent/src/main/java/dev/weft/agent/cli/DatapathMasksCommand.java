package dev.weft.agent.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code weft datapath masks}. */
@Command(
        name = "masks",
        description = "Shows which fields flows match on, by the port they enter, the most used first.")
final class DatapathMasksCommand implements Callable<Integer> {
    private static final String[] COLUMNS = {"in", "datapath-port", "flows", "packets", "mask"};

    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Override
    public Integer call() {
        var table = new Table(COLUMNS);
        Object rows = socket.ask("datapath-masks", Map.of()).getOrDefault("masks", List.of());
        for (Object row : (List<?>) rows) {
            table.row(List.of(COLUMNS).stream().map(((Map<?, ?>) row)::get).toArray());
        }
        output.print("masks", table);
        return ExitCode.OK;
    }
}
