package dev.weft.agent.demo;

import dev.weft.agent.lab.Commands.Result;
import dev.weft.agent.lab.SalHost;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.agent.socket.ControlClient;
import dev.weft.base.NanoClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** The machines of the Serval demo: programs that know nothing of services, and hosts that speak Serval. */
final class ServalNetwork implements AutoCloseable {
    static final String ROUTER = "10.0.1.1";
    static final String ROUTER_MAC = "02:00:00:00:ff:01";
    static final Duration PROGRAM_LIMIT = Duration.ofSeconds(30);

    /** Answers a second of a web replica. */
    static final int RATE = 20;

    private static final Map<String, Integer> HOST_OF = new LinkedHashMap<>();
    private static final Map<String, Integer> NATIVE_HOST_OF = new LinkedHashMap<>();
    private static final Map<String, String> NUMBER_OF = new HashMap<>();

    static {
        place(HOST_OF, "web1", 1, "11");
        place(HOST_OF, "web2", 2, "12");
        place(HOST_OF, "web3", 1, "13");
        place(HOST_OF, "cache1", 1, "21");
        place(HOST_OF, "cache2", 2, "22");
        place(NATIVE_HOST_OF, "n1", 0, "40");
        place(NATIVE_HOST_OF, "a1", 1, "31");
        place(NATIVE_HOST_OF, "a2", 1, "32");
        place(NATIVE_HOST_OF, "a3", 2, "33");
        place(NATIVE_HOST_OF, "a4", 2, "34");
        place(NATIVE_HOST_OF, "a5", 1, "35");
        place(NATIVE_HOST_OF, "s", 2, "36");
    }

    private final DemoNetwork network;
    private final NanoClock clock;
    private final Map<String, SalHost> natives = new LinkedHashMap<>();

    ServalNetwork(DemoNetwork network, NanoClock clock) {
        this.network = network;
        this.clock = clock;
    }

    private static void place(Map<String, Integer> where, String name, int host, String number) {
        where.put(name, host);
        NUMBER_OF.put(name, number);
    }

    void build() {
        network.addHosts();
        network.addVm(
                "client", 0, "02:00:00:00:01:05", List.of("10.0.1.5/24", "fd00:1::5/64"), List.of(ROUTER, "fd00:1::1"));
        HOST_OF.forEach((name, host) -> network.addVm(
                name,
                host,
                "02:00:00:00:02:" + NUMBER_OF.get(name),
                List.of("10.0.2." + NUMBER_OF.get(name) + "/24", "fd00:2::" + NUMBER_OF.get(name) + "/64"),
                List.of("10.0.2.1", "fd00:2::1")));
        speaker("n0", 0, "02:00:00:00:01:40", "10.0.1.40");
        NATIVE_HOST_OF.forEach((name, host) ->
                speaker(name, host, "02:00:00:00:02:" + NUMBER_OF.get(name), "10.0.2." + NUMBER_OF.get(name)));
        network.start();
    }

    private void speaker(String name, int host, String mac, String address) {
        natives.put(name, SalHost.in(network.addVm(name, host, mac, List.of(), List.of()), address));
    }

    /** Applies the description, with more entries in the service table. */
    void describe(String more) {
        Map<String, String> values = new HashMap<>(Map.of("MORE", more));
        values.put("client", vm("client").hostInterface());
        HOST_OF.keySet().forEach(name -> values.put(name, vm(name).hostInterface()));
        natives.keySet().forEach(name -> values.put(name, vm(name).hostInterface()));
        Path file = network.write("serval.yaml", "serval.yaml", values);
        network.weft("apply", "--store", network.store(), "--wait", "-f", file.toString());
    }

    /** Starts a web replica in its VM; returns when it listens. */
    WeftProcess startWeb(String name) {
        Path folder = network.folder().resolve(name);
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("name"), name + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Path configuration = network.write(
                "nginx.conf", name + ".conf", Map.of("FOLDER", folder.toString(), "RATE", Integer.toString(RATE)));
        WeftProcess nginx = network.program(
                vm(name), name, "nginx", "-p", folder.toString(), "-c", configuration.toString(), "-e", "stderr");
        awaitListening(name, nginx, 8080);
        return nginx;
    }

    void startCache(String name) {
        WeftProcess memcached = network.program(
                vm(name),
                name,
                "memcached",
                "-u",
                "root",
                "-m",
                "8",
                "-U",
                "0",
                "-p",
                Integer.toString(Memcached.PORT));
        awaitListening(name, memcached, Memcached.PORT);
    }

    private void awaitListening(String name, WeftProcess program, int port) {
        String end = ":%04X 00000000:0000 0A".formatted(port);
        String ending = ":%04X 00000000000000000000000000000000:0000 0A".formatted(port);
        boolean listens = Waiting.until(clock, PROGRAM_LIMIT, () -> {
            Result sockets = vm(name).run(PROGRAM_LIMIT, "cat", "/proc/net/tcp", "/proc/net/tcp6");
            return sockets.output().contains(end) || sockets.output().contains(ending) || !program.isAlive();
        });
        if (!listens || !program.isAlive()) {
            throw new IllegalStateException(name + " does not listen at port " + port + ": " + program.output());
        }
    }

    void register(String port, String service) {
        network.weft("service", "register", "acme/" + port, service, "--socket", socketOf(port));
    }

    void unregister(String port, String service) {
        network.weft("service", "unregister", "acme/" + port, service, "--socket", socketOf(port));
    }

    private String socketOf(String vm) {
        return network.socket(vm(vm).host().name()).toString();
    }

    /** What DHCP tells the client: servers to ask for names, and a domain to search in. */
    String askDhcp() {
        Path script = network.folder().resolve("dhcp.sh");
        try {
            Files.writeString(script, "#!/bin/sh\n[ \"$1\" = bound ] && echo \"told $dns $domain\"\nexit 0\n");
            Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Result answer = vm("client")
                .run(PROGRAM_LIMIT, "busybox", "udhcpc", "-n", "-q", "-f", "-i", Vm.INTERFACE, "-s", script.toString());
        return answer.output()
                .lines()
                .filter(line -> line.startsWith("told "))
                .map(line -> line.substring(5))
                .findFirst()
                .orElse(answer.output());
    }

    /** Runs a command in the client, with its own resolver's settings: {@code 10.0.1.1 acme.svc}. */
    String withResolver(String told, String command) {
        String[] words = told.split(" ");
        Path settings = network.folder().resolve("resolv.conf");
        try {
            Files.writeString(
                    settings,
                    "nameserver " + words[0] + "\nsearch " + words[words.length - 1] + "\noptions timeout:2\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return vm("client")
                .run(
                        PROGRAM_LIMIT,
                        "unshare",
                        "--mount",
                        "sh",
                        "-c",
                        "mount --bind " + settings + " /etc/resolv.conf && " + command)
                .output();
    }

    /** The rules that h1, where the clients are, has of a service: as {@code weft service rules} shows them. */
    List<Map<?, ?>> rules(String prefix) {
        try (var agent = ControlClient.connect(network.socket("h1"))) {
            return ((List<?>) agent.call("services", Map.of("table", "table")).getOrDefault("services", List.of()))
                    .stream()
                            .<Map<?, ?>>map(row -> (Map<?, ?>) row)
                            .filter(row -> prefix.equals(row.get("prefix")))
                            .toList();
        }
    }

    /** Packets that h1 treated by a rule, on all its workers. */
    long used(String prefix, String rule) {
        return rules(prefix).stream()
                .filter(row -> String.valueOf(row.get("rule")).startsWith(rule))
                .mapToLong(row -> ((Number) row.get("packets")).longValue())
                .sum();
    }

    boolean awaitInstances(String prefix, int count) {
        return Waiting.until(clock, PROGRAM_LIMIT, () -> instances(prefix) == count);
    }

    private long instances(String prefix) {
        return rules(prefix).stream()
                .map(row -> String.valueOf(row.get("rule")))
                .filter(rule -> rule.startsWith("instance at"))
                .distinct()
                .count();
    }

    SalHost speaker(String name) {
        SalHost host = natives.get(name);
        if (host == null) {
            throw new IllegalArgumentException("host '" + name + "' (expected one of " + natives.keySet() + ")");
        }
        return host;
    }

    /** Lets all that speak Serval do what they have to, until the condition holds or the time is up. */
    boolean turnUntil(Duration limit, BooleanSupplier condition) {
        return Waiting.until(clock, limit, () -> {
            natives.values().forEach(SalHost::turn);
            return condition.getAsBoolean();
        });
    }

    /** The VM is gone, its interface at the host with it. */
    void kill(String vm) {
        network.in(vm(vm).host(), "link delete " + vm(vm).hostInterface());
    }

    Vm vm(String name) {
        return network.vm(name);
    }

    @Override
    public void close() {
        natives.values().forEach(SalHost::close);
        natives.clear();
    }
}
