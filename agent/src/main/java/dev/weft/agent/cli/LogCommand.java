package dev.weft.agent.cli;

import dev.weft.agent.socket.ControlClient;
import dev.weft.agent.socket.Json;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weft log}: what this host noted. */
@Command(
        name = "log",
        description = "What this host noted.",
        subcommands = {LogCommand.Rules.class})
final class LogCommand {
    @Command(
            name = "rules",
            description =
                    "Shows decisions of rules that say log, the latest last. The agent also writes them to rules.log"
                            + " in its state folder.",
            footer = "%nExamples:%n  weft log rules%n  weft log rules --follow -o json")
    static final class Rules implements Callable<Integer> {
        private static final String[] COLUMNS = {
            "time", "tenant", "chain", "rule", "action", "outcome", "port", "packet"
        };

        @Mixin
        private SocketOptions socket = new SocketOptions();

        @Mixin
        private Output output = new Output();

        @Option(
                names = {"-f", "--follow"},
                description = "Goes on with new lines until it is interrupted; with -o json a document on each line.")
        private boolean follow;

        @Option(names = "--limit", paramLabel = "N", description = "At most so many of the latest (default: 200).")
        private Optional<Integer> limit = Optional.empty();

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() {
            var arguments = new HashMap<String, String>();
            limit.ifPresent(count -> arguments.put("limit", count.toString()));
            if (follow) {
                follow(arguments);
            } else {
                output.print("rules", table(lines(socket.ask("rule-log", arguments))));
            }
            return ExitCode.OK;
        }

        private static List<?> lines(Map<String, Object> answer) {
            return (List<?>) answer.getOrDefault("lines", List.of());
        }

        private static Table table(List<?> lines) {
            var table = new Table(COLUMNS);
            for (Object each : lines) {
                table.row(cells((Map<?, ?>) each));
            }
            return table;
        }

        private static Object[] cells(Map<?, ?> line) {
            var cells = new Object[COLUMNS.length];
            for (int i = 0; i < cells.length; i++) {
                cells[i] = line.get(COLUMNS[i]);
            }
            return cells;
        }

        /** Until the process ends, or whoever reads its output does. */
        private void follow(Map<String, String> first) {
            PrintWriter out = spec.commandLine().getOut();
            try (ControlClient agent = socket.open()) {
                Map<String, String> arguments = first;
                while (!out.checkError()) {
                    Map<String, Object> answer = agent.call("rule-log", arguments);
                    lines(answer).forEach(each -> out.println(text((Map<?, ?>) each)));
                    arguments = Map.of("after", String.valueOf(answer.get("next")));
                }
            }
        }

        private String text(Map<?, ?> line) {
            if (output.isJson()) {
                return Json.write(line);
            }
            return "%s %s/%s rule %s: %s, %s, from port %s: %s"
                    .formatted(
                            line.get("time"),
                            line.get("tenant"),
                            line.get("chain"),
                            line.get("rule"),
                            line.get("action"),
                            line.get("outcome"),
                            line.get("port"),
                            line.get("packet"));
        }
    }
}
