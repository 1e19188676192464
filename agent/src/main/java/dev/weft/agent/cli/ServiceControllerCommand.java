package dev.weft.agent.cli;

import dev.weft.agent.socket.ControlClient;
import dev.weft.agent.socket.ControlException;
import dev.weft.base.ServicePrefix;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weft service controller}: a controller of one service, made of its events and of {@code service share}. */
@Command(
        name = "controller",
        description = "Controls which instances of a service get its new connections, until it is stopped. It reads"
                + " 'service events' and writes 'service share', and nothing else.",
        footer = "%nPolicies:%n"
                + "  load        the instances of this host by how busy they are; run one at each host%n"
                + "  drain       one instance gets nothing new; ends when its traffic has ebbed away%n"
                + "  blue-green  the instances whose ports are named alike get everything, once there are enough")
final class ServiceControllerCommand implements Callable<Integer>, LongRunning {
    enum Policy {
        load,
        drain,
        blue_green;

        @Override
        public String toString() {
            return name().replace('_', '-');
        }
    }

    @Mixin
    private SocketOptions socket = new SocketOptions();

    @Option(names = "--policy", required = true, paramLabel = "POLICY", description = "${COMPLETION-CANDIDATES}")
    private Policy policy = Policy.load;

    @Option(names = "--table", required = true, paramLabel = "TABLE", description = "TENANT/NAME, NAME or an id.")
    private String table = "";

    @Option(
            names = "--service",
            required = true,
            paramLabel = "SERVICE",
            description = "As its instances register it: 0x00004001, or 0x00004001/32.")
    private String service = "";

    @Option(
            names = "--capacity",
            paramLabel = "BYTES",
            defaultValue = "125000000",
            description =
                    "load: bytes a second that an instance can do. Only instances of the agent's host are measured and"
                            + " weighed; run it at every host that has instances, since those at others keep the weight they"
                            + " registered with. Default: 125000000.")
    private double capacity = 125_000_000;

    @Option(names = "--port", paramLabel = "PORT", description = "drain: the name of the instance's port.")
    private String port = "";

    @Option(
            names = "--quiet",
            paramLabel = "BYTES",
            defaultValue = "1000",
            description = "drain: bytes a second that are no traffic. Default: 1000.")
    private double quiet = 1_000;

    @Option(names = "--active", paramLabel = "WORD", description = "blue-green: how the names of the ports begin.")
    private String active = "";

    @Option(
            names = "--quorum",
            paramLabel = "N",
            defaultValue = "1",
            description = "blue-green: instances that must be there before the first switch. Default: 1.")
    private int quorum = 1;

    @Option(
            names = "--interval",
            paramLabel = "MILLIS",
            defaultValue = "1000",
            description = "From one measurement to the next. Default: 1000.")
    private int interval = 1_000;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        ServicePolicy decides = policy();
        try (var stream = new EventStream(socket.open(), interval);
                ControlClient agent = socket.open()) {
            while (!decides.isDone()) {
                for (Map<?, ?> event : stream.next()) {
                    decides.on(event).forEach(write -> share(agent, write));
                }
            }
        }
        say("done");
        return ExitCode.OK;
    }

    private ServicePolicy policy() {
        String of = ServicePrefix.parse(service).toString();
        return switch (policy) {
            case load -> new ServicePolicy.Load(of, capacity);
            case drain -> new ServicePolicy.Drain(of, needed("--port", port), quiet);
            case blue_green -> new ServicePolicy.BlueGreen(of, needed("--active", active), quorum);
        };
    }

    private String needed(String option, String value) {
        if (value.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "policy " + policy + " needs " + option);
        }
        return value;
    }

    private void share(ControlClient agent, ServicePolicy.Write write) {
        var arguments = new HashMap<>(write.arguments());
        arguments.put("table", table);
        try {
            agent.call("service-share", arguments);
            say(write.arguments().toString());
        } catch (ControlException refused) {
            say("not written: " + refused.getMessage());
        }
    }

    private void say(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
