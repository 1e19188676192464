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

/** {@code weft service}: instances of services, and where packets that name one go. */
@Command(
        name = "service",
        description = "Instances of services, and where packets that name one go.",
        subcommands = {
            ServiceCommand.Register.class,
            ServiceCommand.Unregister.class,
            ServiceCommand.Instances.class,
            ServiceCommand.RulesOfTables.class,
            ServiceEventsCommand.class,
            ServiceRuleCommand.class,
            ServiceShareCommand.class,
            ServiceControllerCommand.class
        })
final class ServiceCommand {
    @Command(
            name = "register",
            description = "Says that the VM behind a port of this host serves a service. Holds while the port is up and"
                    + " the agent runs.")
    static final class Register implements Callable<Integer> {
        @Mixin
        private SocketOptions socket = new SocketOptions();

        @Parameters(index = "0", paramLabel = "PORT", description = "TENANT/NAME, NAME or an id.")
        private String port = "";

        @Parameters(
                index = "1",
                paramLabel = "SERVICE",
                description = "Like 0x00004001, 16385, or with a length for all that begin so: 0x00004001/32.")
        private String service = "";

        @Option(names = "--address", paramLabel = "IPV4", description = "Default: the first that the port says.")
        private Optional<String> address = Optional.empty();

        @Option(names = "--priority", paramLabel = "N", description = "The highest counts. Default: 0.")
        private Optional<Integer> priority = Optional.empty();

        @Option(names = "--weight", paramLabel = "N", description = "Share among equals, 1..65535. Default: 1.")
        private Optional<Integer> weight = Optional.empty();

        @Override
        public Integer call() {
            var arguments = new HashMap<>(Map.of("port", port, "service", service));
            address.ifPresent(text -> arguments.put("address", text));
            priority.ifPresent(number -> arguments.put("priority", number.toString()));
            weight.ifPresent(number -> arguments.put("weight", number.toString()));
            Map<String, Object> answer = socket.ask("register", arguments);
            System.out.println(
                    "port " + answer.get("port") + " serves " + answer.get("service") + " at " + answer.get("address"));
            return ExitCode.OK;
        }
    }

    @Command(name = "unregister", description = "Takes back what 'service register' said.")
    static final class Unregister implements Callable<Integer> {
        @Mixin
        private SocketOptions socket = new SocketOptions();

        @Parameters(index = "0", paramLabel = "PORT", description = "TENANT/NAME, NAME or an id.")
        private String port = "";

        @Parameters(index = "1", paramLabel = "SERVICE", description = "As it was registered.")
        private String service = "";

        @Override
        public Integer call() {
            Map<String, Object> answer = socket.ask("unregister", Map.of("port", port, "service", service));
            System.out.println("port " + answer.get("port") + " no longer serves " + answer.get("service"));
            return ExitCode.OK;
        }
    }

    @Command(name = "list", description = "Shows the instances that all hosts registered.")
    static final class Instances implements Callable<Integer> {
        @Mixin
        private SocketOptions socket = new SocketOptions();

        @Mixin
        private Output output = new Output();

        @Override
        public Integer call() {
            Map<String, Object> answer = socket.ask("instances", Map.of());
            print(output, answer, "instances", "service", "port", "address", "priority", "weight", "host", "health");
            return ExitCode.OK;
        }
    }

    @Command(
            name = "rules",
            description = "Shows the rules of the service tables, and how many packets this host treated by each.")
    static final class RulesOfTables implements Callable<Integer> {
        @Mixin
        private SocketOptions socket = new SocketOptions();

        @Mixin
        private Output output = new Output();

        @Option(names = "--table", paramLabel = "NAME", description = "Only of this service table.")
        private Optional<String> tableName = Optional.empty();

        @Option(names = "--totals", description = "One line for each table instead of each rule.")
        private boolean totals;

        @Option(names = "--entries", description = "One line for each prefix instead of each rule.")
        private boolean entries;

        @Option(names = "--limit", paramLabel = "N", description = "At most so many rules (default: 1000).")
        private Optional<Integer> limit = Optional.empty();

        @Override
        public Integer call() {
            var filters = new HashMap<String, String>();
            tableName.ifPresent(name -> filters.put("table", name));
            limit.ifPresent(count -> filters.put("limit", count.toString()));
            Map<String, Object> answer = socket.ask("services", filters);
            if (totals) {
                print(
                        output,
                        answer,
                        "tables",
                        "table",
                        "entries",
                        "resolved-packets",
                        "resolved-bytes",
                        "dropped-packets",
                        "dropped-bytes",
                        "unresolved-packets");
            } else if (entries) {
                print(output, answer, "entries", "table", "prefix", "rules", "packets", "bytes");
            } else {
                print(
                        output,
                        answer,
                        "services",
                        "table",
                        "prefix",
                        "rule",
                        "priority",
                        "weight",
                        "counts",
                        "packets",
                        "bytes");
            }
            return ExitCode.OK;
        }
    }

    private static void print(Output output, Map<String, Object> answer, String what, String... columns) {
        var table = new Table(columns);
        for (Object each : (List<?>) answer.getOrDefault(what, List.of())) {
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
