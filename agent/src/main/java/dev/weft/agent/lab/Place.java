package dev.weft.agent.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A namespace of the lab where programs run: a host, a VM or the fabric. */
public sealed class Place permits LabHost, Vm, Fabric {
    private final String name;
    private final String namespace;

    Place(String name, String namespace) {
        this.name = name;
        this.namespace = namespace;
    }

    /** As the lab calls it: {@code h1}. */
    public final String name() {
        return name;
    }

    /** As {@code ip netns} calls it: the lab's prefix and the name. */
    public final String namespace() {
        return namespace;
    }

    /** Runs a program here, to its end. */
    public final Commands.Result run(Duration limit, String... command) {
        return Commands.run(limit, "", inside(List.of(command)));
    }

    /** Starts a program here and leaves it running until the lab closes. */
    final Process start(Path log, List<String> command) {
        return Commands.start(log, inside(command));
    }

    // nsenter and not "ip netns exec": the latter mounts its own /sys, which hides the BPF file system.
    private List<String> inside(List<String> command) {
        var all = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace, "--"));
        all.addAll(command);
        return all;
    }
}
