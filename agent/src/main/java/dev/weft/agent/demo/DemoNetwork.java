package dev.weft.agent.demo;

import dev.weft.agent.lab.Lab;
import dev.weft.agent.lab.LabHost;
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

/** The machines of the demo: three hosts with an agent each, a store, and six VMs of two tenants. */
final class DemoNetwork implements AutoCloseable {
    private static final List<String> HOSTS = List.of("h1", "h2", "h3");

    static final List<String> TENANTS = List.of("red", "blue");
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

    /** Namespaces and cables, then the store and the agents, all at once; returns when the agents are ready. */
    void build() {
        HOSTS.forEach(lab::host);
        for (String tenant : TENANTS) {
            // The same addresses and MACs for both tenants, on purpose.
            vm(tenant, "a", 0, "02:00:00:00:01:05", "10.0.1.5/24", "fd00:1::5/64", "10.0.1.1", "fd00:1::1");
            vm(tenant, "b", 1, "02:00:00:00:02:09", "10.0.2.9/24", "fd00:2::9/64", "10.0.2.1", "fd00:2::1");
            vm(tenant, "c", 2, "02:00:00:00:01:07", "10.0.1.7/24", "fd00:1::7/64", "10.0.1.1", "fd00:1::1");
        }
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

    private void vm(
            String tenant, String name, int host, String mac, String v4, String v6, String gateway4, String gateway6) {
        String fullName = tenant + "-" + name;
        vms.put(fullName, lab.vm(lab.hosts().get(host), fullName, mac, List.of(v4, v6), List.of(gateway4, gateway6)));
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

    void program(Vm vm, String name, String... command) {
        lab.program(vm, name, command);
    }

    /** Runs a {@code weft} command where the store can be reached, as a process of its own; returns its output. */
    String weft(String... arguments) {
        String name = "weft-" + ++commands + "-" + arguments[0];
        try (WeftProcess process = lab.weft(lab.fabric(), name, arguments)) {
            return process.awaitEnd(START_LIMIT);
        }
    }

    /** {@code ip} commands inside a VM: what its owner might do there. */
    void in(Vm vm, String... commands) {
        lab.in(vm, commands);
    }

    String fabricNamespace() {
        return lab.fabric().namespace();
    }

    /** Writes the tenant's description with this lab's interface names. */
    Path describe(String tenant) {
        try (InputStream in = DemoNetwork.class.getResourceAsStream("tenant.yaml")) {
            if (in == null) {
                throw new IllegalStateException("tenant.yaml is missing from the build");
            }
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .replace("@TENANT@", tenant)
                    .replace("@1@", vm(tenant + "-a").hostInterface())
                    .replace("@2@", vm(tenant + "-b").hostInterface())
                    .replace("@3@", vm(tenant + "-c").hostInterface());
            return Files.writeString(lab.folder().resolve(tenant + ".yaml"), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        lab.close();
    }
}
