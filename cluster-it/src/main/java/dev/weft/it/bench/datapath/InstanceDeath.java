package dev.weft.it.bench.datapath;

import dev.weft.agent.lab.LabHost;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.base.NanoClock;
import dev.weft.it.bench.Row;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How long after an instance of a service was killed the last connection is sent to it. Two instances at two hosts share
 * the SYNs of one client by halves; the SYNs that the survivor does not get were sent to the killed one.
 */
public final class InstanceDeath implements AutoCloseable {
    private static final String ROW = "instance-death";
    private static final int SESSION_SECONDS = 6;
    private static final double WITH_CHECKS_MILLIS = 200;
    private static final long WARM_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long AFTER_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long LONG_AFTER_NANOS = TimeUnit.SECONDS.toNanos(SESSION_SECONDS + 3L);
    private static final double MILLI = 1e6;
    private static final List<String> JVM = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m");

    private static final String BLOCKS = """
            tenants: [{name: bench}]
            service_blocks: [{name: web, owner: bench, prefix: 0x00004001/32}]
            """;
    private static final String NETWORK = """
            tenant: bench
            service_tables: [{name: web, instances: true, checks: [%s]}]
            bridges: [{name: left}, {name: right}]
            routers: [{name: edge, service_table: web}]
            ports:
              - {name: client, bridge: left, host: %s, interface: %s}
              - {name: survivor, bridge: right, host: %s, interface: %s, mac: "02:00:00:00:02:0b",
                 addresses: [10.0.2.11/24], instances: [{service: 0x00004001}]}
              - {name: victim, bridge: right, host: %s, interface: %s, mac: "02:00:00:00:02:0c",
                 addresses: [10.0.2.12/24], instances: [{service: 0x00004001}]}
              - {name: left-up, bridge: left, peer: left-gateway}
              - {name: right-up, bridge: right, peer: right-gateway}
              - {name: left-gateway, router: edge, mac: "02:00:00:00:ff:01", addresses: [10.0.1.1/24]}
              - {name: right-gateway, router: edge, mac: "02:00:00:00:ff:02", addresses: [10.0.2.1/24]}
            """;
    private static final String CHECK =
            "{prefix: 0x00004001/32, health: {type: tcp, port: 80, interval: 40," + " timeout: 100, fall: 2, rise: 1}}";

    private final BenchLab lab;
    private final LabHost far;
    private final Vm client;
    private final Vm survivor;
    private final Vm victim;
    private final HostProcess near;
    private final HostProcess killed;
    private WeftProcess server;
    private int servers;
    private int flows = 1;

    private InstanceDeath(Path folder) {
        lab = new BenchLab(folder);
        LabHost host = lab.host();
        far = lab.host();
        client = lab.vm(host, "02:00:00:00:01:05", "10.0.1.5", "10.0.1.1");
        survivor = lab.vm(host, "02:00:00:00:02:0b", "10.0.2.11", "10.0.2.1");
        victim = lab.vm(far, "02:00:00:00:02:0c", "10.0.2.12", "10.0.2.1");
        serve(survivor);
        server = serve(victim);
        near = HostProcess.start(lab, host, JVM, "", "--workers", "1", "--session-timeout", SESSION_SECONDS + "s");
        killed = near.another(far);
        near.applyAndWait(BLOCKS);
        near.applyAndWait(network(CHECK));
        awaitInstances(2);
    }

    /** Why the row cannot run here, or empty. */
    public static String obstacle() {
        return BenchLab.obstacle();
    }

    /** @param kills of the server behind an instance with a health check; of these the slowest counts */
    public static Row measure(Path folder, int kills) {
        try (var death = new InstanceDeath(folder)) {
            return death.row(kills);
        } catch (MeasureException failed) {
            return Row.couldNotRun(ROW, String.valueOf(failed.getMessage()));
        }
    }

    private Row row(int kills) {
        List<Double> checked = new ArrayList<>();
        for (int i = 0; i < kills; i++) {
            checked.add(millis(server::kill, AFTER_NANOS));
            server = serve(victim);
            awaitInstances(2);
        }
        near.applyAndWait(network(""));
        double agent = millis(killed::kill, LONG_AFTER_NANOS);
        killed.startAgain();
        awaitInstances(2);
        double port = millis(() -> lab.in(far, "link del " + victim.hostInterface()), AFTER_NANOS);
        Row.Bar session = Row.Bar.atMost(TimeUnit.SECONDS.toMillis(SESSION_SECONDS));
        return Row.of(
                ROW,
                List.of(
                        new Row.Figure(
                                checked.stream().mapToDouble(each -> each).max().orElseThrow(),
                                "ms, its server killed, with checks",
                                Row.Bar.atMost(WITH_CHECKS_MILLIS)),
                        new Row.Figure(port, "ms, its interface gone, without", session),
                        new Row.Figure(agent, "ms, its agent killed, without", session)),
                "connections begun by one client, 500 a second, two instances at two hosts; TCP checks each 40 ms, down after"
                        + " 2; " + kills + " kills with checks, the slowest counts");
    }

    private String network(String checks) {
        return NETWORK.formatted(
                checks,
                client.host().name(),
                client.hostInterface(),
                survivor.host().name(),
                survivor.hostInterface(),
                victim.host().name(),
                victim.hostInterface());
    }

    private WeftProcess serve(Vm vm) {
        return lab.program(vm, "httpd-" + ++servers, "busybox", "httpd", "-f", "-p", "80");
    }

    /** Until so many instances count at the client's host. */
    private void awaitInstances(int count) {
        WeftHosts.await(
                count + " instances",
                () -> ((List<?>) near.ask("services").getOrDefault("services", List.of()))
                                .stream()
                                        .filter(row -> row instanceof Map<?, ?> rule
                                                && String.valueOf(rule.get("rule"))
                                                        .startsWith("instance at "))
                                        .count()
                        == count);
    }

    /** From the kill to the last SYN that the survivor did not get; 0 when there was none. */
    private double millis(Runnable kill, long afterNanos) {
        try (var syns = SynStream.open(flows, client, survivor)) {
            syns.run(WARM_NANOS);
            if (syns.missed() == 0) {
                throw new MeasureException("all connections went to one of the two instances before any was killed: "
                        + near.ask("services") + near.ask("instances"));
            }
            long before = NanoClock.SYSTEM.nanoTime();
            var killing = Thread.ofPlatform().start(kill);
            syns.run(afterNanos);
            try {
                killing.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MeasureException("interrupted", e);
            }
            flows += syns.sent();
            return Math.max(0, syns.lastMissedAt() - before) / MILLI;
        }
    }

    @Override
    public void close() {
        lab.close();
    }
}
