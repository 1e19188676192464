package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import dev.weft.it.bench.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/** What a million flows of IPv6, set up by traffic, take of a machine: the agent's process and its maps. */
final class MemoryRow {
    private static final int MANY_FLOWS = 1_000_000;
    private static final int FEW_FLOWS = 10_000;
    private static final int TUPLES = 1 << 22;
    private static final int ROUNDS = 60;
    private static final Generator.Pace PACE = new Generator.Pace(60_000, true);
    private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** Longer than the agent keeps memory that it does not use. */
    private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(45);

    private static final double MEGA = 1e6;
    /** The first line about an area of the address space. */
    private static final Pattern AREA = Pattern.compile("^[0-9a-f]+-[0-9a-f]+ ");

    /** As the launcher starts an agent. */
    private static final List<String> JVM = List.of("-XX:+UseZGC", "-XX:ZUncommitDelay=10", "-XX:SoftMaxHeapSize=512m");

    private static final String CONFIG =
            "weft.agent.limits {flows = 1100000, flow-idle = 1 h, upcalls-per-second = 10000000}";

    private static final String NETWORK = """
            tenant: bench
            bridges: [{name: left}, {name: right, neighbours: [{address: "fd00:2::9", mac: "%2$s"}]}]
            routers: [{name: router}]
            ports:
              - {name: sender, bridge: left, host: %3$s, namespace: %4$s, interface: %5$s, inbound_chain: by-ports}
              - {name: routed, bridge: right, host: %3$s, namespace: %4$s, interface: %6$s}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: right-up, bridge: right, peer: right-gateway}
              - {name: left-gateway, router: router, mac: "%1$s", addresses: ["fd00:1::1/64"]}
              - {name: right-gateway, router: router, mac: "%7$s", addresses: ["fd00:2::1/64"]}
            """;

    private MemoryRow() {}

    static Row millionFlows(Ground ground) {
        BenchLab lab = ground.lab();
        LabHost host = lab.host();
        Vm sender = lab.sender(host);
        Vm routed = lab.vm(host, Address.ROUTED);
        var agent = HostProcess.start(lab, host, JVM, CONFIG, "--datapath", ground.kind(), "--workers", "1");
        long idle = resident(agent.pid());
        agent.applyAndWait(NETWORK.formatted(
                        WeftPaths.ROUTER_MAC,
                        Address.ROUTED.mac(),
                        host.name(),
                        host.namespace(),
                        sender.hostInterface(),
                        routed.hostInterface(),
                        WeftPaths.FAR_ROUTER_MAC)
                + WeftPaths.chain());
        long flows = setUp(
                agent, new Path("Weft, routed", sender, routed), ground.plan().full() ? MANY_FLOWS : FEW_FLOWS);
        if (ground.plan().full()) {
            LockSupport.parkNanos(SETTLE_NANOS);
        }
        long resident = resident(agent.pid());
        long maps = MapMemory.bytes(agent.pid());
        return Row.of(
                "million-flows-memory",
                List.of(
                        new Row.Figure((resident + maps) / MEGA, "MB, agent and maps", Row.Bar.atMost(1000)),
                        new Row.Figure(resident / MEGA, "MB, the agent's resident memory", null),
                        new Row.Figure(maps / MEGA, "MB, memory of its maps", null),
                        new Row.Figure(idle / MEGA, "MB, the agent's before it had any flow", null),
                        new Row.Figure(flows, "flows", null)),
                "flows of IPv6 through a rule on ports, set up by traffic; an agent's process as the launcher starts it");
    }

    /** Sends new pairs of ports until there are so many flows. */
    private static long setUp(HostProcess agent, Path path, int wanted) {
        List<byte[]> v6 = Collections.nCopies(Frames.BATCH, Workload.routed(2).get(1));
        try (var cost = PacketCost.open(path);
                var frames = Frames.withNewPorts(v6, TUPLES)) {
            for (int round = 0; round < ROUNDS && agent.flows() < wanted; round++) {
                cost.attempt(frames, ROUND_NANOS, PACE);
            }
        }
        long flows = agent.flows();
        if (flows < wanted) {
            throw new MeasureException(flows + " flows (expected " + wanted + ") after " + ROUNDS + " rounds");
        }
        return flows;
    }

    /** Without the pages of maps that it looks at, which are in the memory of its maps: proc(5), smaps. */
    private static long resident(long pid) {
        var smaps = java.nio.file.Path.of("/proc", Long.toString(pid), "smaps");
        try {
            long bytes = 0;
            boolean ofMap = false;
            for (String line : Files.readAllLines(smaps)) {
                if (AREA.matcher(line).find()) {
                    ofMap = line.endsWith("anon_inode:bpf-map");
                } else if (line.startsWith("Rss:") && !ofMap) {
                    bytes += 1024 * Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
            return bytes;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(smaps + " cannot be read", unreadable);
        }
    }
}
