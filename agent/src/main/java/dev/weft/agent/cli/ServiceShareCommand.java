package dev.weft.agent.cli;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft service share}: which part of a service an instance gets. */
@Command(
        name = "share",
        description = "Says which part of a service's new connections an instance gets, whatever it registered.")
final class ServiceShareCommand implements Callable<Integer> {
    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Parameters(index = "0", paramLabel = "TABLE", description = "TENANT/NAME, NAME or an id.")
    private String table = "";

    @Parameters(index = "1", paramLabel = "SERVICE", description = "Like 0x00004001, or a prefix: 0x00004001/32.")
    private String service = "";

    @Parameters(index = "2", paramLabel = "INSTANCE", description = "Its port, or its IPv4 address.")
    private String port = "";

    @Option(names = "--priority", paramLabel = "N", description = "The highest counts. Default: 0.")
    private Optional<Integer> priority = Optional.empty();

    @Option(names = "--weight", paramLabel = "N", description = "Share among equals, 1..65535. Default: 1.")
    private Optional<Integer> weight = Optional.empty();

    @Option(names = "--drain", description = "It keeps its connections and gets no new ones.")
    private boolean drain;

    @Option(names = "--remove", description = "What the instance registered counts again.")
    private boolean remove;

    @Override
    public Integer call() {
        var arguments = new HashMap<>(Map.of("table", table, "service", service, "port", port));
        priority.ifPresent(number -> arguments.put("priority", number.toString()));
        weight.ifPresent(number -> arguments.put("weight", number.toString()));
        if (drain) {
            arguments.put("drain", "true");
        }
        if (remove) {
            arguments.put("remove", "true");
        }
        Map<String, Object> answer = socket.ask("service-share", arguments);
        System.out.println(
                (remove ? "removed: " : "written: ") + answer.get("service") + " at " + answer.get("address"));
        return ExitCode.OK;
    }
}
