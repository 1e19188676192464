package dev.weft.agent.cli;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft service rule}: writes one rule of a service table. */
@Command(
        name = "rule",
        description =
                "Writes one rule of a service table, or takes it away. Packets that wait for the service go on by it"
                        + " at once.",
        footer = "%nExamples:%n  weft service rule web 0x00004001 forward --to web3%n"
                + "  weft service rule web 0x00004001 drop            what waits is dropped%n"
                + "  weft service rule web 0x00004001 forward --to web3 --remove")
final class ServiceRuleCommand implements Callable<Integer> {
    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Parameters(index = "0", paramLabel = "TABLE", description = "TENANT/NAME, NAME or an id.")
    private String table = "";

    @Parameters(index = "1", paramLabel = "SERVICE", description = "Like 0x00004001, or a prefix: 0x00004001/32.")
    private String service = "";

    @Parameters(index = "2", paramLabel = "ACTION", description = "forward, demux, delay or drop.")
    private String action = "";

    @Option(names = "--to", paramLabel = "TARGET", description = "Of forward and demux: an IPv4 address or a port.")
    private Optional<String> target = Optional.empty();

    @Option(names = "--priority", paramLabel = "N", description = "The highest counts. Default: 0.")
    private Optional<Integer> priority = Optional.empty();

    @Option(names = "--weight", paramLabel = "N", description = "Share among equals, 1..65535. Default: 1.")
    private Optional<Integer> weight = Optional.empty();

    @Option(names = "--remove", description = "Takes the rule away.")
    private boolean remove;

    @Override
    public Integer call() {
        var arguments = new HashMap<>(Map.of("table", table, "service", service, "action", action));
        target.ifPresent(text -> arguments.put("to", text));
        priority.ifPresent(number -> arguments.put("priority", number.toString()));
        weight.ifPresent(number -> arguments.put("weight", number.toString()));
        if (remove) {
            arguments.put("remove", "true");
        }
        Map<String, Object> answer = socket.ask("service-rule", arguments);
        System.out.println((remove ? "removed: " : "written: ") + answer.get("table") + " " + answer.get("service")
                + " " + action + target.map(text -> " to " + text).orElse(""));
        return ExitCode.OK;
    }
}
