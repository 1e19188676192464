package dev.weft.agent.demo;

import dev.weft.agent.lab.Commands.Result;
import dev.weft.agent.lab.Vm;
import dev.weft.base.NanoClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/** The story of {@code weft demo}: two tenants with the same addresses. */
final class Demo implements Story {
    private static final int DOWNLOAD_BYTES = 4 << 20;
    private static final int STILL_READS = 5;
    private static final Duration PROGRAM_LIMIT = Duration.ofSeconds(20);

    private final DemoNetwork network;
    private final Checks checks;
    private final NanoClock clock;

    Demo(DemoNetwork network, Checks checks, NanoClock clock) {
        this.network = network;
        this.checks = checks;
        this.clock = clock;
    }

    @Override
    public boolean tell() {
        build();
        describe();
        firstPackets();
        downloads();
        isolation();
        statefulPort();
        agentsStopped();
        agentKilled();
        checks.table();
        return checks.allHeld();
    }

    private void build() {
        checks.chapter("Three hosts on an IP fabric, an agent on each, a store");
        long begin = clock.nanoTime();
        TwoTenants.build(network);
        String hosts = network.weft("hosts", "--store", network.store());
        hosts.lines().forEach(checks::say);
        checks.check(
                "three agents are alive",
                network.hosts().stream().allMatch(host -> hosts.contains(host.underlay())),
                since(begin));
    }

    private void describe() {
        checks.chapter("Two tenants describe the same network: bridge - router - bridge");
        for (String tenant : TwoTenants.NAMES) {
            long begin = clock.nanoTime();
            Path file = TwoTenants.describe(network, tenant);
            network.weft("apply", "--store", network.store(), "--wait", "-f", file.toString());
            checks.check("weft apply --wait for " + tenant, true, "every host concerned has it, " + since(begin));
        }
    }

    private void firstPackets() {
        checks.chapter("First packets: one ping is one ping");
        for (String tenant : TwoTenants.NAMES) {
            ping(tenant + "-a to b, other host, other bridge, first packet", tenant + "-a", "10.0.2.9", true);
            ping(tenant + "-a to b over IPv6, first packet", tenant + "-a", "fd00:2::9", true);
            ping(tenant + "-c to a, other host, same bridge, first packet", tenant + "-c", "10.0.1.5", true);
        }
        long before = settledUpcalls();
        Result more = network.vm("red-a").run(PROGRAM_LIMIT, "ping", "-c", "5", "-i", "0.2", "-W", "2", "10.0.2.9");
        long caused = settledUpcalls() - before;
        checks.check(
                "five more pings cause no upcall", more.ok() && caused == 0, caused + " upcalls on all hosts together");
        List<Long> egress = network.hosts().stream()
                .map(host -> HostStatus.of(network.socket(host.name())).egressUpcalls())
                .toList();
        // What is flooded to c has to be judged at h3, since c's port is stateful: that is a simulation, and counted.
        checks.check(
                "no upcall at the egress hosts of these pings",
                egress.get(0) == 0 && egress.get(1) == 0,
                "h1 %d, h2 %d; floods judged at h3 for its stateful ports: %d".formatted(egress.toArray()));
    }

    private void downloads() {
        checks.chapter("A TCP download from b to a, checksum verified");
        for (String tenant : TwoTenants.NAMES) {
            Path shop = network.folder().resolve(tenant + "-www");
            String expected = fill(shop.resolve("file"), tenant);
            Vm server = network.vm(tenant + "-b");
            network.program(server, tenant + "-httpd", "busybox", "httpd", "-f", "-p", "80", "-h", shop.toString());
            long begin = clock.nanoTime();
            Result got = network.vm(tenant + "-a")
                    .run(
                            PROGRAM_LIMIT,
                            "sh",
                            "-c",
                            "curl -sS --retry 20 --retry-connrefused --retry-delay 0 --max-time 15 http://10.0.2.9/file"
                                    + " | sha256sum");
            checks.check(
                    tenant + "-a downloads 4 MiB from b, its own tenant's file",
                    got.output().startsWith(expected),
                    got.output().startsWith(expected) ? "sha256 equal, " + since(begin) : got.output());
        }
    }

    private void isolation() {
        checks.chapter("Same addresses, same MACs, no way across");
        network.in(network.vm("blue-b"), "addr add 10.0.2.66/24 dev eth0");
        ping("blue-a reaches 10.0.2.66, which only blue has", "blue-a", "10.0.2.66", true);
        ping("red-a does not", "red-a", "10.0.2.66", false);
    }

    private void statefulPort() {
        checks.chapter("c's port is stateful: only answers come in");
        ping("red-c to b: the answer comes in", "red-c", "10.0.2.9", true);
        ping("red-b to c: refused", "red-b", "10.0.1.7", false);
    }

    private void agentsStopped() {
        boolean survives = HostStatus.of(network.socket("h1")).datapathSurvives();
        checks.chapter("All agents stopped (SIGSTOP): with the "
                + HostStatus.of(network.socket("h1")).datapath() + " datapath "
                + (survives ? "what is established goes on" : "nothing passes"));
        ping("red-a to b before", "red-a", "10.0.2.9", true);
        network.hosts().forEach(host -> network.agent(host.name()).stop());
        ping("red-a to b while the agents are stopped", "red-a", "10.0.2.9", survives);
        network.hosts().forEach(host -> network.agent(host.name()).goOn());
        ping("red-a to b after they go on", "red-a", "10.0.2.9", true);
    }

    private void agentKilled() {
        checks.chapter("SIGKILL for the agent of h2");
        if (HostStatus.of(network.socket("h1")).datapathSurvives()) {
            agentOfKernelKilled();
            return;
        }
        Path h1 = network.socket("h1");
        String h2 = network.hosts().get(1).underlay();
        long remotePorts = HostStatus.of(h1).remotePorts();
        boolean sendsBefore = HostStatus.of(h1).sendsTo(h2);
        long killed = clock.nanoTime();
        network.agent("h2").kill();
        Duration limit = Duration.ofSeconds(DemoNetwork.SESSION_TIMEOUT_SECONDS + 1);
        boolean stopped = await(limit, () -> !HostStatus.of(h1).sendsTo(h2));
        checks.check(
                "h1 stops sending to h2 within session time-out + 1 s",
                sendsBefore && stopped,
                sendsBefore ? since(killed) + " after the kill" : "it did not send before");
        ping("red-a to b while h2's agent is dead", "red-a", "10.0.2.9", false);
        ping("red-c to a, not of h2, goes on", "red-c", "10.0.1.5", true);
        long begin = clock.nanoTime();
        network.restartAgent("h2");
        boolean back = await(PROGRAM_LIMIT, () -> HostStatus.of(h1).remotePorts() == remotePorts);
        checks.check("h2's agent is back without help", back, since(begin) + " from its start");
        ping("red-a to b after the restart", "red-a", "10.0.2.9", true);
    }

    /** The kernel goes on: nobody has to notice. */
    private void agentOfKernelKilled() {
        Path h1 = network.socket("h1");
        String h2 = network.hosts().get(1).underlay();
        ping("red-a to b before", "red-a", "10.0.2.9", true);
        network.agent("h2").kill();
        ping("red-a to b while h2's agent is dead", "red-a", "10.0.2.9", true);
        Duration longer = Duration.ofSeconds(DemoNetwork.SESSION_TIMEOUT_SECONDS + 2);
        boolean stopped = await(longer, () -> !HostStatus.of(h1).sendsTo(h2));
        checks.check("h1 still sends to h2 when the session of its agent is over", !stopped, longer.toSeconds() + " s");
        ping("red-a to b when the session is over", "red-a", "10.0.2.9", true);
        long begin = clock.nanoTime();
        network.restartAgent("h2");
        boolean adopted =
                await(PROGRAM_LIMIT, () -> HostStatus.of(network.socket("h2")).adoptedFlows() > 0);
        checks.check("h2's agent is back and has taken its flows over", adopted, since(begin) + " from its start");
        ping("red-a to b after the restart", "red-a", "10.0.2.9", true);
    }

    private void ping(String claim, String vm, String to, boolean expected) {
        Result result = network.vm(vm).run(PROGRAM_LIMIT, "ping", "-n", "-c", "1", "-W", expected ? "3" : "1", to);
        String detail = result.output()
                .lines()
                .filter(line -> line.contains("time=") || line.contains("packet loss"))
                .findFirst()
                .orElse(result.output());
        checks.check(claim, result.ok() == expected, detail);
    }

    /** A packet arrives before its upcall is done with: the count is read once it stands still. */
    private long settledUpcalls() {
        long[] read = {upcalls(), 0};
        await(PROGRAM_LIMIT, () -> {
            long earlier = read[0];
            read[0] = upcalls();
            read[1] = read[0] == earlier ? read[1] + 1 : 0;
            return read[1] == STILL_READS;
        });
        return read[0];
    }

    private long upcalls() {
        return network.hosts().stream()
                .mapToLong(host -> HostStatus.of(network.socket(host.name())).upcalls())
                .sum();
    }

    private boolean await(Duration limit, BooleanSupplier condition) {
        return Waiting.until(clock, limit, condition);
    }

    private String since(long begin) {
        return "%.1f s".formatted((clock.nanoTime() - begin) / 1e9);
    }

    /** A file that no other tenant has; returns its SHA-256 in hexadecimal. */
    private static String fill(Path file, String tenant) {
        byte[] content = new byte[DOWNLOAD_BYTES];
        new Random(tenant.hashCode()).nextBytes(content);
        byte[] mark = ("this is the file of " + tenant + "\n").getBytes(StandardCharsets.UTF_8);
        System.arraycopy(mark, 0, content, 0, mark.length);
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, content);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    @Override
    public List<String> whatToTryNext() {
        String a = network.vm("red-a").namespace();
        return List.of(
                "ip netns exec " + a + " ping 10.0.2.9",
                "./weft flows --socket " + network.socket("h1"),
                "./weft status --socket " + network.socket("h1"),
                "./weft trace --socket " + network.socket("h1")
                        + " --port red/a 'icmp echo-request 10.0.1.5 > 10.0.2.9'",
                "nsenter --net=/run/netns/" + network.fabricNamespace() + " ./weft get ports --store "
                        + network.store());
    }
}
