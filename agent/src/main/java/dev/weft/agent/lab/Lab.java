package dev.weft.agent.lab;

import dev.weft.datapath.Datapaths;
import dev.weft.topology.HostIdentity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/** Builds and takes down namespaces, cables and processes. Not thread safe. */
public final class Lab implements AutoCloseable {
    private static final Path NETNS = Path.of("/run/netns");
    private static final int LONGEST_PREFIX = 12;

    private final String prefix;
    private final Path folder;
    private final Underlay underlay;
    private final Fabric fabric;
    private final List<LabHost> hosts = new ArrayList<>();
    private final Deque<WeftProcess> processes = new ArrayDeque<>();
    private final Deque<String> namespaces = new ArrayDeque<>();
    private int cables;

    /** A fabric of IPv4 without hosts. */
    public Lab(String prefix, Path folder) {
        this(prefix, folder, Underlay.IPV4);
    }

    /**
     * A fabric without hosts.
     *
     * @param prefix of every namespace's name, at most 12 characters; no other lab may use it at the same time
     * @param folder for logs, sockets and state; made when absent, never removed
     */
    public Lab(String prefix, Path folder, Underlay underlay) {
        if (prefix.isEmpty() || prefix.length() > LONGEST_PREFIX) {
            throw new IllegalArgumentException(
                    "lab prefix '" + prefix + "' (expected 1.." + LONGEST_PREFIX + " characters)");
        }
        this.prefix = prefix;
        this.folder = folder;
        this.underlay = underlay;
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        fabric = new Fabric(prefix + "-fabric", underlay.store());
        namespaces.push(fabric.namespace());
        Commands.ipBatch(List.of("netns add " + fabric.namespace()));
        in(
                fabric,
                "link set lo up",
                "link add " + Fabric.BRIDGE + " address " + Fabric.MAC + " mtu " + Underlay.MTU
                        + " type bridge mcast_snooping 0",
                "link set " + Fabric.BRIDGE + " up",
                "addr add " + underlay.assigned(fabric.address()) + " dev " + Fabric.BRIDGE);
    }

    /** Whether this process may build one: the reason why not, or empty. */
    public static String obstacle() {
        for (String program : List.of("ip", "nsenter")) {
            if (Stream.of(System.getenv()
                            .getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                            .split(":"))
                    .noneMatch(dir -> Files.isExecutable(Path.of(dir, program)))) {
                return "'" + program + "' is not installed (packages iproute2, util-linux)";
            }
        }
        try {
            Files.createDirectories(NETNS);
            return Files.isWritable(NETNS) ? "" : NETNS + " is not writable: needs root";
        } catch (IOException e) {
            return NETNS + " cannot be made: needs root (" + e.getMessage() + ")";
        }
    }

    public Fabric fabric() {
        return fabric;
    }

    public Path folder() {
        return folder;
    }

    public List<LabHost> hosts() {
        return List.copyOf(hosts);
    }

    /** A host on the fabric, 172.16.0.N or fd16::N for the Nth. */
    public LabHost host(String name) {
        int number = hosts.size() + 1;
        var host = new LabHost(name, prefix + "-" + name, underlay.host(number));
        namespaces.push(host.namespace());
        Commands.ipBatch(List.of("netns add " + host.namespace()));
        String fabricEnd = "up" + number;
        in(
                host,
                "link set lo up",
                "link add " + LabHost.UNDERLAY_INTERFACE + " mtu " + Underlay.MTU + " type veth peer name " + fabricEnd
                        + " mtu " + Underlay.MTU + " netns " + fabric.namespace(),
                "addr add " + underlay.assigned(host.underlay()) + " dev " + LabHost.UNDERLAY_INTERFACE,
                "link set " + LabHost.UNDERLAY_INTERFACE + " up");
        in(fabric, "link set " + fabricEnd + " master " + Fabric.BRIDGE + " up");
        hosts.add(host);
        return host;
    }

    /**
     * A VM on a host.
     *
     * @param addresses with prefix length; IPv6 ones are usable at once (no duplicate address detection)
     * @param gateways default routes, one a family at most
     */
    public Vm vm(LabHost host, String name, String mac, List<String> addresses, List<String> gateways) {
        var vm = new Vm(name, prefix + "-" + name, host, "vm" + ++cables, mac);
        namespaces.push(vm.namespace());
        Commands.ipBatch(List.of("netns add " + vm.namespace()));
        vm.run(Duration.ofSeconds(5), "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/addr_gen_mode");
        in(
                host,
                "link add " + vm.hostInterface() + " type veth peer name " + Vm.INTERFACE + " netns " + vm.namespace());
        beQuiet(vm);
        host.run(
                Duration.ofSeconds(5),
                "sh",
                "-c",
                "echo 1 > /proc/sys/net/ipv6/conf/" + vm.hostInterface() + "/disable_ipv6");
        in(host, "link set " + vm.hostInterface() + " up");
        var lines = new ArrayList<String>();
        lines.add("link set lo up");
        lines.add("link set " + Vm.INTERFACE + " address " + mac + " up");
        for (String address : addresses) {
            lines.add("addr add " + address + " dev " + Vm.INTERFACE + (address.contains(":") ? " nodad" : ""));
        }
        for (String gateway : gateways) {
            lines.add("route add default via " + gateway);
        }
        in(vm, lines.toArray(String[]::new));
        return vm;
    }

    /**
     * A quiet VM: no link-local chatter before the first packet that counts, and a neighbour it has just used is not
     * asked again five seconds later (RFC 4861 section 7.3.3), when somebody may be counting upcalls.
     */
    private static void beQuiet(Vm vm) {
        String neighbours = "/proc/sys/net/ipv$f/neigh/" + Vm.INTERFACE;
        vm.run(
                Duration.ofSeconds(5),
                "sh",
                "-c",
                "for f in 4 6; do echo 300 > " + neighbours + "/delay_first_probe_time; done");
    }

    /** Runs {@code weft} with these arguments inside a place, as a process of its own. */
    public WeftProcess weft(Place place, String name, String... arguments) {
        return weft(place, name, WeftProcess.SMALL, arguments);
    }

    /** As {@link #weft(Place, String, String...)}, its JVM as large as it is elsewhere. */
    public WeftProcess weft(Place place, String name, List<String> flags, String... arguments) {
        var process = WeftProcess.start(place, name, folder.resolve(name + ".log"), flags, List.of(arguments));
        processes.push(process);
        return process;
    }

    /** Runs another program inside a place until the lab closes. */
    public WeftProcess program(Place place, String name, String... command) {
        var process = WeftProcess.program(place, name, folder.resolve(name + ".log"), List.of(command));
        processes.push(process);
        return process;
    }

    /** {@code ip} commands inside a place. */
    public void in(Place place, String... commands) {
        // "ip -n NS -batch" enters the namespace once for all lines.
        var result = Commands.run(
                Duration.ofSeconds(30),
                String.join("\n", commands) + "\n",
                List.of("ip", "-n", place.namespace(), "-batch", "-"));
        if (!result.ok()) {
            throw new LabException("in " + place.namespace() + ": " + result.output());
        }
    }

    /**
     * Ends every process, takes away what agents kept in the kernel (their state is in the folder of their host's name),
     * then removes every namespace (and with it its cables).
     */
    @Override
    public void close() {
        processes.forEach(WeftProcess::close);
        processes.clear();
        hosts.forEach(this::removeKept);
        while (!namespaces.isEmpty()) {
            remove(namespaces.pop());
        }
    }

    private void removeKept(LabHost host) {
        Path id = folder.resolve(host.name()).resolve("host-id");
        if (Files.exists(id)) {
            Datapaths.remove(HostIdentity.loadOrCreate(id));
        }
    }

    /** Ends what runs in namespaces with this prefix and removes them. Returns their names. */
    public static List<String> removeLeftovers(String prefix) {
        var found = new ArrayList<String>();
        try (Stream<Path> entries = Files.isDirectory(NETNS) ? Files.list(NETNS) : Stream.empty()) {
            entries.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(prefix + "-"))
                    .forEach(found::add);
        } catch (IOException e) {
            throw new LabException("cannot list " + NETNS + ": " + e.getMessage(), e);
        }
        found.forEach(Lab::remove);
        return found;
    }

    private static void remove(String namespace) {
        if (!Files.exists(NETNS.resolve(namespace))) {
            return;
        }
        for (String pid : Commands.expect("ip", "netns", "pids", namespace).split("\\s+")) {
            if (!pid.isEmpty()) {
                ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
            }
        }
        Commands.expect("ip", "netns", "delete", namespace);
    }
}
