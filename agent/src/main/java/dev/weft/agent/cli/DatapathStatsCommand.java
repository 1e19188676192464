package dev.weft.agent.cli;

import dev.weft.agent.socket.Json;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code weft datapath stats}. */
@Command(name = "stats", description = "Shows every counter of this host's datapath, and each reason for a drop.")
final class DatapathStatsCommand implements Callable<Integer> {
    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Override
    public Integer call() {
        Map<String, Object> stats = socket.ask("datapath-stats", Map.of());
        var table = new Table("counter", "value");
        stats.forEach((name, value) -> {
            if (!(value instanceof Map<?, ?>)) {
                table.row(name, value);
            }
        });
        if (stats.get("drops") instanceof Map<?, ?> drops) {
            drops.forEach((reason, count) -> table.row("drop " + reason, count));
        }
        output.print(table.text(), json -> {
            for (Map.Entry<String, Object> field : stats.entrySet()) {
                json.writeFieldName(field.getKey());
                json.writeRawValue(Json.write(field.getValue()));
            }
        });
        return ExitCode.OK;
    }
}
