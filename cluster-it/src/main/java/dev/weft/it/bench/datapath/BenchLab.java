package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.Fabric;
import dev.weft.agent.lab.Lab;
import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Place;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The namespaces of one run of the benchmark, with whatever else has to be taken down with them. Named by the process,
 * so that what a killed run left behind is told from what another run is using. Closed on Ctrl-C too. Not thread safe,
 * but for closing.
 */
final class BenchLab implements AutoCloseable {
    private static final String PREFIX = "wb";
    private static final Pattern NAMES = Pattern.compile(PREFIX + "(\\d+)-.*");
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Lab lab;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final Thread hook = new Thread(this::takeDown, "bench-lab-removal");
    private int hosts;
    private int vms;
    private int numbers;

    BenchLab(Path folder) {
        removeLeftovers();
        lab = new Lab(PREFIX + ProcessHandle.current().pid(), folder);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Why no lab can be built here, or empty. */
    static String obstacle() {
        return Lab.obstacle();
    }

    private static void removeLeftovers() {
        leftovers().forEach(Lab::removeLeftovers);
    }

    /** The labs whose namespaces are there but whose process is not, or is this one. */
    static Set<String> leftovers() {
        long self = ProcessHandle.current().pid();
        try (Stream<Path> names = Files.isDirectory(NetworkNamespace.DIRECTORY)
                ? Files.list(NetworkNamespace.DIRECTORY)
                : Stream.empty()) {
            return names.map(path -> NAMES.matcher(path.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(matched -> Long.parseLong(matched.group(1)))
                    .filter(pid -> pid == self || ProcessHandle.of(pid).isEmpty())
                    .map(pid -> PREFIX + pid)
                    .collect(Collectors.toSet());
        } catch (IOException unreadable) {
            throw new MeasureException(
                    NetworkNamespace.DIRECTORY + " cannot be listed: " + unreadable.getMessage(), unreadable);
        }
    }

    LabHost host() {
        return lab.host("h" + ++hosts);
    }

    /** The sender of every path: 10.0.1.5 and fd00:1::5. */
    Vm sender(LabHost host) {
        return vm(host, Address.SENDER);
    }

    Vm vm(LabHost host, Address address) {
        return lab.vm(
                host,
                "v" + ++vms,
                address.mac(),
                List.of(address.v4() + "/24", address.v6() + "/64"),
                address.gateways());
    }

    Vm vm(LabHost host, String mac, String address, String gateway) {
        return lab.vm(host, "v" + ++vms, mac, List.of(address + "/24"), List.of(gateway));
    }

    /** {@code ip} commands in a host's namespace. */
    void in(LabHost host, String... commands) {
        lab.in(host, commands);
    }

    Path folder() {
        return lab.folder();
    }

    /** A program in a VM or host until the lab is taken down; its output goes to a file of this name. */
    WeftProcess program(Place place, String name, String... command) {
        return lab.program(place, name, command);
    }

    /** {@code weft} as a process of its own, until the lab is taken down. */
    WeftProcess weft(Place place, String name, List<String> flags, String... arguments) {
        return lab.weft(place, name, flags, arguments);
    }

    WeftProcess weft(Place place, String name, String... arguments) {
        return lab.weft(place, name, arguments);
    }

    Fabric fabric() {
        return lab.fabric();
    }

    /** For names that must differ. */
    int nextNumber() {
        return ++numbers;
    }

    /** Closed before the namespaces go, the last first. */
    synchronized <T extends AutoCloseable> T own(T part) {
        parts.push(part);
        return part;
    }

    /** Both ways, both families: a path that loses its first packets would be measured wrongly. */
    void check(dev.weft.it.bench.datapath.Path path) {
        checkThere(path);
        checkThere(path.back());
    }

    /** As {@link #check}, begun by the sender only. */
    void checkThere(dev.weft.it.bench.datapath.Path path) {
        Address to = Address.of(path.receiver());
        for (String address : List.of(to.v4(), to.v6())) {
            Commands.Result said = path.sender().run(LIMIT, "ping", "-n", "-c", "1", "-W", "5", address);
            if (!said.ok()) {
                throw new MeasureException(path + " carries no ping from "
                        + path.sender().name() + " to " + address + ": " + said.output());
            }
        }
    }

    private synchronized void takeDown() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) { // AutoCloseable says Exception; the namespaces must go all the same.
                System.err.println("bench: something could not be closed: " + e);
            }
        }
        lab.close();
    }

    @Override
    public void close() {
        takeDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            // The hook runs or has run, and found nothing left to do.
        }
    }
}
