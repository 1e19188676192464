package dev.weft.agent.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code weft connections}: who talks to whom, and what became of their addresses. */
@Command(
        name = "connections",
        description = "Shows the connections this host remembers: who began them, how their answers look, their state.")
final class ConnectionsCommand implements Callable<Integer> {
    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Option(names = "--port", paramLabel = "NAME", description = "Only those that entered by this port.")
    private Optional<String> port = Optional.empty();

    @Option(
            names = "--with",
            paramLabel = "TEXT",
            description = "Only those with this in a tuple or translation: an address, :port, tcp.")
    private Optional<String> with = Optional.empty();

    @Option(names = "--worker", paramLabel = "N", description = "Only those that this worker knows.")
    private Optional<Integer> worker = Optional.empty();

    @Option(names = "--copies", description = "Also those that another worker or host owns.")
    private boolean copies;

    @Option(names = "--limit", paramLabel = "N", description = "At most so many (default: 1000).")
    private Optional<Integer> limit = Optional.empty();

    @Option(names = "--explain", description = "Says of each what each router made of it, and who knows of it.")
    private boolean explain;

    @Override
    public Integer call() {
        var filters = new HashMap<String, String>();
        port.ifPresent(name -> filters.put("port", name));
        with.ifPresent(text -> filters.put("contains", text));
        worker.ifPresent(index -> filters.put("worker", index.toString()));
        limit.ifPresent(count -> filters.put("limit", count.toString()));
        if (copies) {
            filters.put("copies", "");
        }
        Object rows = socket.ask("connections", filters).getOrDefault("connections", List.of());
        var table = explain
                ? new Table(
                        "worker",
                        "port",
                        "connection",
                        "answer",
                        "state",
                        "answered",
                        "owner",
                        "told",
                        "epoch",
                        "idle-seconds",
                        "ends-in-seconds",
                        "translations")
                : new Table("worker", "port", "connection", "answer", "state", "idle-seconds");
        for (Object each : (List<?>) rows) {
            var row = (Map<?, ?>) each;
            if (explain) {
                table.row(
                        row.get("worker"),
                        row.get("port"),
                        row.get("connection"),
                        row.get("answer"),
                        row.get("state"),
                        row.get("answered"),
                        row.get("owner"),
                        row.get("told"),
                        row.get("epoch"),
                        row.get("idle-seconds"),
                        row.get("ends-in-seconds"),
                        row.get("translations"));
            } else {
                table.row(
                        row.get("worker"),
                        row.get("port"),
                        row.get("connection"),
                        row.get("answer"),
                        row.get("state"),
                        row.get("idle-seconds"));
            }
        }
        output.print("connections", table);
        return ExitCode.OK;
    }
}
