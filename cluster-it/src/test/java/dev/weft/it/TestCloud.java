package dev.weft.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.agent.cli.Weft;
import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.Lab;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Place;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.agent.socket.Json;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.Offload;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Hosts with an agent process each, a store process, and VMs, in namespaces of its own. Commands of {@code weft} run in
 * this JVM, on a thread inside the fabric's namespace: a process each would take most of a test's time. One thread.
 */
final class TestCloud implements AutoCloseable {
    /** Every name the cloud gives begins with it; {@link NothingLeftIT} looks for it. */
    static final String PREFIX = "wi";

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration PROGRAM_LIMIT = Duration.ofSeconds(20);
    private static final int STORE_PORT = 2181;
    private static int clouds;

    private final Path folder;
    private final Lab lab;
    private final Duration sessionTimeout;
    private final Map<String, LabHost> hosts = new LinkedHashMap<>();
    private final Map<String, WeftProcess> agents = new HashMap<>();
    private final Map<String, Vm> vms = new HashMap<>();
    private Optional<WeftProcess> store = Optional.empty();
    private String datapath = "userspace";
    private List<String> config = List.of();
    private final List<RoughWire> wires = new ArrayList<>();
    private int starts;

    private TestCloud(Path folder, Lab lab, Duration sessionTimeout) {
        this.folder = folder;
        this.lab = lab;
        this.sessionTimeout = sessionTimeout;
    }

    /** Without agents and store yet. Skips the calling test class where namespaces cannot be made. */
    static TestCloud withHosts(Duration sessionTimeout, String... names) {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
        try {
            Path folder = Files.createTempDirectory("weft-it-");
            var lab = new Lab(PREFIX + ProcessHandle.current().pid() + "-" + ++clouds, folder);
            var cloud = new TestCloud(folder, lab, sessionTimeout);
            for (String name : names) {
                cloud.hosts.put(name, lab.host(name));
            }
            return cloud;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Instead of {@code userspace}, for agents started from now on. */
    TestCloud onDatapath(String kind) {
        datapath = kind;
        return this;
    }

    /** More than options can say, as HOCON, for agents started from now on. */
    TestCloud configured(String hocon) {
        try {
            config = List.of(
                    "--config",
                    Files.writeString(folder.resolve("agent.conf"), hocon).toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /**
     * From now on what a host sends to the fabric, and gets from it, goes over such a wire, in whole frames with their
     * checksums: the first host's number is 1.
     */
    RoughWire roughen(String host, int number, RoughWire.Nature nature) {
        String namespace = fabricNamespace();
        String end = "up" + number;
        String near = "rough" + number;
        lab.in(
                lab.fabric(),
                "link set " + end + " nomaster",
                "link set " + end + " arp off",
                "link add " + near + " mtu 1600 type veth peer name " + near + "f mtu 1600",
                "link set " + near + " up arp off",
                "link set " + near + "f master fabric0 up");
        sendWhole(namespace, near + "f");
        sendWhole(host(host).namespace(), "underlay0");
        var wire = RoughWire.between(namespace, end, near, nature);
        wires.add(wire);
        return wire;
    }

    private static void sendWhole(String namespace, String interfaceName) {
        try (var links = Links.in(NetworkNamespace.named(namespace))) {
            for (Offload each : List.of(Offload.TSO, Offload.GSO, Offload.TX_CHECKSUM)) {
                links.setOffload(interfaceName, each, false);
            }
        }
    }

    /** The store first, then all agents at once; returns when they are ready. */
    TestCloud start() {
        startStore();
        hosts.keySet().forEach(this::launchAgent);
        agents.values().forEach(agent -> agent.awaitOutput("ready", START_LIMIT));
        return this;
    }

    /** With the data of the last run, if there was one. */
    void startStore() {
        WeftProcess process = lab.weft(
                lab.fabric(),
                "store-" + ++starts,
                "store",
                "--bind",
                lab.fabric().address(),
                "--port",
                Integer.toString(STORE_PORT),
                "--data",
                folder.resolve("store").toString());
        process.awaitOutput("ready", START_LIMIT);
        store = Optional.of(process);
    }

    void killStore() {
        store.orElseThrow().kill();
    }

    private void launchAgent(String host) {
        LabHost place = host(host);
        List<String> arguments = new ArrayList<>(List.of(
                "agent",
                "--name",
                host,
                "--underlay",
                place.underlay(),
                "--store",
                storeAddress(),
                "--state-dir",
                folder.resolve(host).toString(),
                "--socket",
                socket(host).toString(),
                "--datapath",
                datapath,
                "--session-timeout",
                sessionTimeout.toMillis() + "ms"));
        arguments.addAll(config);
        agents.put(host, lab.weft(place, "agent-" + host + "-" + ++starts, arguments.toArray(String[]::new)));
    }

    void startAgent(String host) {
        launchAgent(host);
        agent(host).awaitOutput("ready", START_LIMIT);
    }

    WeftProcess agent(String host) {
        return agents.get(host);
    }

    LabHost host(String name) {
        LabHost host = hosts.get(name);
        if (host == null) {
            throw new IllegalArgumentException("host '" + name + "' (expected one of " + hosts.keySet() + ")");
        }
        return host;
    }

    Path socket(String host) {
        return folder.resolve(host + ".sock");
    }

    String storeAddress() {
        return lab.fabric().address() + ":" + STORE_PORT;
    }

    String fabricNamespace() {
        return lab.fabric().namespace();
    }

    Duration sessionTimeout() {
        return sessionTimeout;
    }

    Path folder() {
        return folder;
    }

    /** A VM that knows its gateways: the first address of each of its subnets. */
    Vm vm(String host, String name, String mac, String... addresses) {
        List<String> gateways = new ArrayList<>();
        for (String address : addresses) {
            int last = address.lastIndexOf(address.contains(":") ? ':' : '.');
            gateways.add(address.substring(0, last + 1) + "1");
        }
        Vm vm = lab.vm(host(host), name, mac, List.of(addresses), gateways);
        vms.put(name, vm);
        return vm;
    }

    Vm vm(String name) {
        Vm vm = vms.get(name);
        if (vm == null) {
            throw new IllegalArgumentException("VM '" + name + "' (expected one of " + vms.keySet() + ")");
        }
        return vm;
    }

    /** {@code ip} commands inside a place. */
    void in(Place place, String... commands) {
        lab.in(place, commands);
    }

    /** Left running until the cloud closes. */
    WeftProcess program(Place place, String name, String... command) {
        return lab.program(place, name + "-" + ++starts, command);
    }

    /** To its end, whatever it is. */
    static Commands.Result run(Place place, String... command) {
        return place.run(PROGRAM_LIMIT, command);
    }

    /** One echo request, one chance. */
    static boolean ping(Vm from, String to) {
        return run(from, "ping", "-n", "-c", "1", "-W", "3", to).ok();
    }

    /** How a {@code weft} command ended. */
    record Answer(int exitCode, String out, String err) {
        Answer expectOk() {
            if (exitCode != 0) {
                throw new AssertionError("weft exited with " + exitCode + ": " + err + out);
            }
            return this;
        }
    }

    /** A {@code weft} command beside the store, which it is told of. */
    Answer weft(String... arguments) {
        String[] all = Stream.concat(Stream.of(arguments), Stream.of("--store", storeAddress()))
                .toArray(String[]::new);
        return NetworkNamespace.named(lab.fabric().namespace()).call(() -> runHere(all));
    }

    /** A {@code weft} command in this JVM and namespace. */
    static Answer runHere(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int code = Weft.run(new PrintWriter(out), new PrintWriter(err), arguments);
        return new Answer(code, out.toString(), err.toString());
    }

    /** Applies a text as a file, and waits until every host concerned has it. */
    void apply(String yaml) {
        try {
            Path file = Files.createTempFile(folder, "net-", ".yaml");
            Files.writeString(file, yaml);
            weft("apply", "--wait", "-f", file.toString()).expectOk();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A {@code weft} command that asks a host's agent; its answer as JSON. */
    Map<String, Object> ask(String host, String... arguments) {
        String[] all = Stream.concat(
                        Stream.of(arguments), Stream.of("--socket", socket(host).toString(), "-o", "json"))
                .toArray(String[]::new);
        return Json.readObject(runHere(all).expectOk().out());
    }

    /** What {@code weft status} shows of a host. */
    AgentStatus status(String host) {
        return new AgentStatus(ask(host, "status"));
    }

    /** What a test should show when it fails. */
    String logs() {
        try (Stream<Path> files = Files.list(folder)) {
            var text = new StringBuilder();
            files.filter(file -> file.toString().endsWith(".log")).sorted().forEach(file -> {
                try {
                    text.append("== ").append(file.getFileName()).append('\n').append(Files.readString(file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            return text.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        wires.forEach(RoughWire::close);
        lab.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the cloud's folder stays behind", e);
        }
    }
}
