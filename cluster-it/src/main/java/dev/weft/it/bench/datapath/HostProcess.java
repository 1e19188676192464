package dev.weft.it.bench.datapath;

import dev.weft.agent.cli.Weft;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.agent.socket.ControlClient;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A host of the lab whose agent is a process of its own, with a state folder and pins, beside a store that is one too.
 * Both end with the lab, which takes away what the agent keeps in the kernel. Driven by one thread.
 */
final class HostProcess {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final int STORE_PORT = 2181;

    private final BenchLab lab;
    private final LabHost host;
    private final String store;
    private final List<String> flags;
    private final List<String> arguments;
    private WeftProcess agent;
    private int starts;

    private HostProcess(BenchLab lab, LabHost host, String store, List<String> flags, List<String> arguments) {
        this.lab = lab;
        this.host = host;
        this.store = store;
        this.flags = flags;
        this.arguments = arguments;
        agent = launch();
    }

    /**
     * @param flags of the agent's JVM
     * @param config of the agent, HOCON
     * @param options of the agent, beside its name, addresses and folders
     */
    static HostProcess start(BenchLab lab, LabHost host, List<String> flags, String config, String... options) {
        int port = STORE_PORT + lab.nextNumber();
        String address = lab.fabric().address();
        Path folder = lab.folder().resolve("store-" + port);
        lab.weft(
                        lab.fabric(),
                        "store-" + port,
                        "store",
                        "--bind",
                        address,
                        "--port",
                        Integer.toString(port),
                        "--data",
                        folder.toString())
                .awaitOutput("ready", START_LIMIT);
        var all = new ArrayList<>(List.of(options));
        all.addAll(List.of("--config", file(lab, "agent", config).toString()));
        var process = new HostProcess(lab, host, address + ":" + port, flags, all);
        process.awaitReady();
        return process;
    }

    /** Another host of the same cloud, its agent as this one's. Returns when it is ready. */
    HostProcess another(LabHost other) {
        var process = new HostProcess(lab, other, store, flags, arguments);
        process.awaitReady();
        return process;
    }

    private WeftProcess launch() {
        var all = new ArrayList<>(List.of(
                "agent",
                "--name",
                host.name(),
                "--underlay",
                host.underlay(),
                "--store",
                store,
                "--state-dir",
                lab.folder().resolve(host.name()).toString(),
                "--socket",
                socket().toString()));
        all.addAll(arguments);
        return lab.weft(host, "agent-" + host.name() + "-" + ++starts, flags, all.toArray(String[]::new));
    }

    private Path socket() {
        return lab.folder().resolve(host.name() + ".sock");
    }

    /** SIGKILL. */
    void kill() {
        agent.kill();
    }

    /** Starts the agent again, after it was killed. Returns at once. */
    void startAgain() {
        agent = launch();
    }

    /** Returns when the host is registered and its workers run. */
    void awaitReady() {
        awaitOutput("ready");
    }

    void awaitOutput(String text) {
        agent.awaitOutput(text, START_LIMIT);
    }

    String output() {
        return agent.output();
    }

    long pid() {
        return agent.pid();
    }

    Map<String, Object> status() {
        return ask("status");
    }

    /** What the agent answers to a request without arguments. */
    Map<String, Object> ask(String request) {
        try (var socket = ControlClient.connect(socket())) {
            return socket.call(request, Map.of());
        }
    }

    /** One of the worker's counters, {@code flows-adopted} for one. */
    long workerCounter(String name) {
        return number(status(), "worker-counters", name);
    }

    /** Flows in the datapath. */
    long flows() {
        return number(status(), "datapath-counters", "flows");
    }

    private static long number(Map<String, Object> status, String table, String name) {
        if (status.get(table) instanceof Map<?, ?> counters && counters.get(name) instanceof Number number) {
            return number.longValue();
        }
        throw new MeasureException("the agent's status has no number " + table + "." + name + ": " + status);
    }

    /** Makes the tenant what the text says, without waiting for the agent. */
    void apply(String yaml) {
        applyWith(yaml, List.of());
    }

    /** As {@link #apply}, and returns when the agent has it. */
    void applyAndWait(String yaml) {
        applyWith(yaml, List.of("--wait"));
    }

    private void applyWith(String yaml, List<String> options) {
        var output = new StringWriter();
        var writer = new PrintWriter(output);
        Path file = file(lab, "network", yaml);
        var command = new ArrayList<>(List.of("apply", "-f", file.toString(), "--store", store));
        command.addAll(options);
        int code = NetworkNamespace.named(lab.fabric().namespace())
                .call(() -> Weft.run(writer, writer, command.toArray(String[]::new)));
        if (code != 0) {
            throw new MeasureException("weft " + command + " exited with " + code + ": " + output);
        }
    }

    private static Path file(BenchLab lab, String name, String text) {
        Path file = lab.folder().resolve(name + "-" + lab.nextNumber());
        try {
            return Files.writeString(file, text);
        } catch (IOException unwritable) {
            throw new UncheckedIOException(file + " cannot be written", unwritable);
        }
    }
}
