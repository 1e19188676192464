package dev.weft.agent.cli;

import dev.weft.agent.Agent;
import dev.weft.agent.AgentConfig;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weft agent}: the daemon of one host. */
@Command(
        name = "agent",
        description = "Runs this host's agent: its ports, its packets, its place in the store.",
        footer = "%nExample:%n  weft agent --name h1 --underlay 172.16.0.1 --store 172.16.0.254:2181")
final class AgentCommand implements Callable<Integer>, LongRunning {
    @Option(names = "--name", description = "This host's name, unique in the store. Default: the machine's name.")
    private @Nullable String name;

    @Option(
            names = "--underlay",
            paramLabel = "ADDRESS",
            description = "This host's address in the fabric; others send tunnel packets to it.")
    private @Nullable String underlay;

    @Option(names = "--store", paramLabel = "HOST:PORT[,...]", description = "ZooKeeper. Default: 127.0.0.1:2181")
    private @Nullable String store;

    @Option(
            names = "--state-dir",
            paramLabel = "DIR",
            description = "Keeps the host's identity; one per agent. Default: /var/lib/weft")
    private @Nullable String stateDir;

    @Option(
            names = "--datapath",
            paramLabel = "KIND",
            description = "auto (the best this machine can run), or a kind by name. Default: auto")
    private @Nullable String datapath;

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "Packet threads. Default: processors less one, up to 4")
    private @Nullable Integer workers;

    @Option(names = "--flows", paramLabel = "N", description = "Flows of all workers together. Default: 65536")
    private @Nullable Integer flows;

    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "Control socket. Default: agent.sock in the state dir")
    private @Nullable String socket;

    @Option(names = "--session-timeout", paramLabel = "DURATION", description = "ZooKeeper session. Default: 6s")
    private @Nullable String sessionTimeout;

    @Option(
            names = "--remove-on-exit",
            description = "Takes the datapath away when told to stop. Default: one that survives goes on forwarding.")
    private boolean removeOnExit;

    @Option(names = "--config", paramLabel = "FILE", description = "HOCON; options go before it.")
    private @Nullable Path config;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws InterruptedException {
        Map<String, Object> overrides = overrides();
        AgentConfig read = config == null ? AgentConfig.load(overrides) : AgentConfig.load(config, overrides);
        try (var stop = StopSignal.install();
                var agent = Agent.start(read)) {
            var out = spec.commandLine().getOut();
            out.println("ready host=" + agent.name() + " id=" + agent.hostId() + " underlay=" + read.underlay()
                    + " datapath=" + agent.datapath() + " workers=" + read.workers() + " socket=" + read.socket());
            out.flush();
            stop.await();
            if (removeOnExit) {
                agent.remove();
            }
        }
        return ExitCode.OK;
    }

    private Map<String, Object> overrides() {
        var given = new HashMap<String, Object>();
        put(given, "name", name);
        put(given, "underlay", underlay);
        put(given, "store", store);
        put(given, "state-dir", stateDir);
        put(given, "datapath", datapath);
        put(given, "workers", workers);
        put(given, "limits.flows", flows);
        put(given, "socket", socket);
        put(given, "session-timeout", sessionTimeout);
        return given;
    }

    private static void put(Map<String, Object> given, String key, @Nullable Object value) {
        if (value != null) {
            given.put(key, value);
        }
    }
}
