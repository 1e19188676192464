package dev.weft.agent.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft flows}: what is installed. */
@Command(
        name = "flows",
        description = "Shows the flows of this host: what they match, what they do, how often they did.",
        footer = "%nExample:%n  weft flows --port acme/vm1 udp dst 10.0.2.0/24")
final class FlowsCommand implements Callable<Integer> {
    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Mixin
    private Output output = new Output();

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Only flows that enter here: TENANT/NAME, NAME or an id.")
    private Optional<String> port = Optional.empty();

    @Option(names = "--worker", paramLabel = "N", description = "Only flows of this worker.")
    private Optional<Integer> worker = Optional.empty();

    @Option(names = "--limit", paramLabel = "N", defaultValue = "1000", description = "At most so many. Default: 1000.")
    private int limit = 1000;

    @Parameters(
            arity = "0..*",
            paramLabel = "WORD",
            description = "Only flows that may concern such packets: udp, dst 10.0.2.0/24, port 53, not arp, ...")
    private List<String> filter = List.of();

    @Override
    public Integer call() {
        var filters = new HashMap<String, String>();
        port.ifPresent(name -> filters.put("port", name));
        filters.put("filter", String.join(" ", filter));
        filters.put("limit", Integer.toString(limit));
        worker.ifPresent(index -> filters.put("worker", index.toString()));
        var table = new Table("worker", "match", "actions", "packets", "bytes", "idle-seconds");
        Object flows = socket.ask("flows", filters).getOrDefault("flows", List.of());
        for (Object each : (List<?>) flows) {
            var flow = (Map<?, ?>) each;
            table.row(
                    flow.get("worker"),
                    flow.get("match"),
                    flow.get("actions"),
                    flow.get("packets"),
                    flow.get("bytes"),
                    flow.get("idle-seconds"));
        }
        output.print("flows", table);
        return ExitCode.OK;
    }
}
