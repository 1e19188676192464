package dev.weft.agent.demo;

import dev.weft.agent.lab.Lab;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Place;
import dev.weft.agent.lab.Underlay;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.datapath.Datapaths;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The machines of a demo: three hosts with an agent each, a store, and the VMs that its story needs. */
final class DemoNetwork implements AutoCloseable {
    private static final List<String> HOSTS = List.of("h1", "h2", "h3");

    static final int SESSION_TIMEOUT_SECONDS = 6;

    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final int STORE_PORT = 2181;

    private final String prefix;
    private final Lab lab;
    private final String datapath;
    private final Map<String, WeftProcess> agents = new LinkedHashMap<>();
    private final Map<String, Vm> vms = new LinkedHashMap<>();
    private int commands;

    DemoNetwork(String prefix, Path folder, String datapath, Underlay underlay) {
        this.prefix = prefix;
        this.lab = new Lab(prefix, folder, underlay);
        this.datapath = datapath;
    }

    /** The hosts, as yet without agents. */
    void addHosts() {
        HOSTS.forEach(lab::host);
    }

    /** @param host 0..2 */
    Vm addVm(String name, int host, String mac, List<String> addresses, List<String> gateways) {
        Vm vm = lab.vm(lab.hosts().get(host), name, mac, addresses, gateways);
        vms.put(name, vm);
        return vm;
    }

    /** The store and the agents, all at once; returns when the agents are ready. */
    void start() {
        WeftProcess store = lab.weft(
                lab.fabric(),
                "store",
                "store",
                "--bind",
                lab.fabric().address(),
                "--port",
                Integer.toString(STORE_PORT),
                "--data",
                lab.folder().resolve("store").toString());
        store.awaitOutput("ready", START_LIMIT);
        lab.hosts().forEach(this::startAgent);
        agents.values().forEach(agent -> agent.awaitOutput("ready", START_LIMIT));
    }

    /** The same in every demo, so that the next one can take away what one that was killed left in the kernel. */
    private static UUID hostId(String prefix, String host) {
        return UUID.nameUUIDFromBytes((prefix + " " + host).getBytes(StandardCharsets.UTF_8));
    }

    /** Takes away the datapaths that a kept or killed demo left; says which. */
    static List<String> removeDatapaths(String prefix) {
        return HOSTS.stream()
                .flatMap(host -> Datapaths.remove(hostId(prefix, host)).stream())
                .toList();
    }

    private void identify(LabHost host) {
        Path state = lab.folder().resolve(host.name());
        try {
            Files.createDirectories(state);
            Files.writeString(state.resolve("host-id"), hostId(prefix, host.name()) + "\n", StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void startAgent(LabHost host) {
        identify(host);
        agents.put(
                host.name(),
                lab.weft(
                        host,
                        "agent-" + host.name(),
                        "agent",
                        "--name",
                        host.name(),
                        "--underlay",
                        host.underlay(),
                        "--store",
                        store(),
                        "--state-dir",
                        lab.folder().resolve(host.name()).toString(),
                        "--socket",
                        socket(host.name()).toString(),
                        "--datapath",
                        datapath,
                        "--remove-on-exit"));
    }

    /** Starts the agent of a host again, after it was killed. */
    void restartAgent(String host) {
        lab.hosts().stream().filter(h -> h.name().equals(host)).forEach(this::startAgent);
        agent(host).awaitOutput("ready", START_LIMIT);
    }

    String store() {
        String address = lab.fabric().address();
        return (address.contains(":") ? "[" + address + "]" : address) + ":" + STORE_PORT;
    }

    Path socket(String host) {
        return lab.folder().resolve(host + ".sock");
    }

    Path folder() {
        return lab.folder();
    }

    List<LabHost> hosts() {
        return lab.hosts();
    }

    WeftProcess agent(String host) {
        WeftProcess agent = agents.get(host);
        if (agent == null) {
            throw new IllegalArgumentException("host '" + host + "' (expected one of " + agents.keySet() + ")");
        }
        return agent;
    }

    Vm vm(String name) {
        Vm vm = vms.get(name);
        if (vm == null) {
            throw new IllegalArgumentException("VM '" + name + "' (expected one of " + vms.keySet() + ")");
        }
        return vm;
    }

    WeftProcess program(Vm vm, String name, String... command) {
        return lab.program(vm, name, command);
    }

    /** Runs a {@code weft} command where the store can be reached, as a process of its own; returns its output. */
    String weft(String... arguments) {
        String name = "weft-" + ++commands + "-" + arguments[0];
        try (WeftProcess process = lab.weft(lab.fabric(), name, arguments)) {
            return process.awaitEnd(START_LIMIT);
        }
    }

    /** As {@link #weft}, of a command that goes on until it or the demo is ended. */
    WeftProcess follow(String... arguments) {
        return lab.weft(lab.fabric(), "weft-" + ++commands + "-" + arguments[0], arguments);
    }

    /** {@code ip} commands inside a VM, what its owner might do there, or at a host. */
    void in(Place place, String... commands) {
        lab.in(place, commands);
    }

    String fabricNamespace() {
        return lab.fabric().namespace();
    }

    /** Writes a file of this package to the lab's folder under another name, with {@code @KEY@} replaced. */
    Path write(String resource, String name, Map<String, String> values) {
        try (InputStream in = DemoNetwork.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException(resource + " is missing from the build");
            }
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (Map.Entry<String, String> value : values.entrySet()) {
                text = text.replace("@" + value.getKey() + "@", value.getValue());
            }
            return Files.writeString(lab.folder().resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        lab.close();
    }
}
