package dev.weft.agent.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code weft services}: which packets that named a service went where. */
@Command(
        name = "services",
        description = "Shows the rules of the service tables, and how many packets this host treated by each.")
final class ServicesCommand implements Callable<Integer> {
    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Option(names = "--table", paramLabel = "NAME", description = "Only of this service table.")
    private Optional<String> tableName = Optional.empty();

    @Option(names = "--totals", description = "One line for each table instead of each rule.")
    private boolean totals;

    @Option(names = "--limit", paramLabel = "N", description = "At most so many rules (default: 1000).")
    private Optional<Integer> limit = Optional.empty();

    @Override
    public Integer call() {
        var filters = new HashMap<String, String>();
        tableName.ifPresent(name -> filters.put("table", name));
        limit.ifPresent(count -> filters.put("limit", count.toString()));
        Map<String, ?> answer = socket.ask("services", filters);
        if (totals) {
            print(
                    answer,
                    "tables",
                    "table",
                    "entries",
                    "resolved-packets",
                    "resolved-bytes",
                    "dropped-packets",
                    "dropped-bytes",
                    "unresolved-packets");
        } else {
            print(answer, "services", "table", "prefix", "rule", "priority", "weight", "counts", "packets", "bytes");
        }
        return ExitCode.OK;
    }

    private void print(Map<String, ?> answer, String what, String... columns) {
        var table = new Table(columns);
        Object rows = answer.containsKey(what) ? answer.get(what) : List.of();
        for (Object each : (List<?>) rows) {
            var row = (Map<?, ?>) each;
            var cells = new Object[columns.length];
            for (int i = 0; i < columns.length; i++) {
                cells[i] = row.get(columns[i]);
            }
            table.row(cells);
        }
        output.print(what, table);
    }
}
