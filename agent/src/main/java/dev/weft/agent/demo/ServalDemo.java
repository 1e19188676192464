package dev.weft.agent.demo;

import dev.weft.agent.lab.Commands.Result;
import dev.weft.agent.lab.SalHost;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.base.NanoClock;
import dev.weft.base.ServiceId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** The story of {@code weft demo serval}: a packet may name a service, and a program may use an address of one. */
final class ServalDemo implements Story {
    private static final Duration SOON = Duration.ofSeconds(20);
    /** Long enough that an answer would have come. */
    private static final Duration SILENCE = Duration.ofMillis(700);

    /** A SYN is repeated after this time: the original's first timer. */
    private static final long REPEAT_NANOS = Duration.ofSeconds(3).toNanos();

    private static final Duration WINDOW = Duration.ofSeconds(3);
    /** Of a brief demo: enough for every replica to get one. */
    private static final int REQUESTS = 80;

    private static final int MANY = 60;
    private static final int KEYS = 64;
    private static final String WEB = "0x00004001";
    private static final String WEB_ADDRESS = "10.96.0.80";
    private static final List<String> PARTITIONS = List.of("10.96.1.0", "10.96.1.1", "10.96.1.2", "10.96.1.3");

    private final DemoNetwork machines;
    private final ServalNetwork network;
    private final Checks checks;
    private final NanoClock clock;
    private final boolean brief;

    /** @param brief measures no throughput, which depends on the machine */
    ServalDemo(DemoNetwork machines, Checks checks, NanoClock clock, boolean brief) {
        this.machines = machines;
        this.checks = checks;
        this.clock = clock;
        this.brief = brief;
        network = new ServalNetwork(machines, clock);
    }

    @Override
    public boolean tell() {
        try (network) {
            build();
            figure();
            discovery();
            startedOnDemand();
            names();
            replicas();
            partitions();
            explained();
        }
        checks.table();
        return checks.allHeld();
    }

    private void build() {
        checks.chapter("Three hosts, a router with a service table, hosts that speak Serval and programs that do not");
        long begin = clock.nanoTime();
        network.build();
        network.describe("");
        checks.check("the network is there", true, since(begin));
    }

    // Native Serval: the figure.

    private void figure() {
        checks.chapter("The service table, entry by entry: SYNs of a host that speaks Serval, to its router");
        leadsTo("a FORWARD A1", 0xa, "a1");
        forwardToMany();
        leadsTo("c DEMUX socket s", 0xc, "s");
        delayed();
        dropped();
        leadsTo("* FORWARD A5, which no other entry has", 0x77, "a5");
    }

    private void leadsTo(String entry, int service, String instance) {
        ServiceId id = ServiceId.of(service);
        SalHost client = network.speaker("n0");
        network.speaker(instance).serve(id);
        int flow = begin(client, id);
        boolean answered = isAnswered(client, flow);
        boolean echoed = isEchoed(client, flow, "5e57");
        String peer = client.peer(flow).orElse("nobody");
        checks.check(
                entry + ": " + instance + " answers, and data goes to it directly",
                answered && echoed && peer.equals(network.speaker(instance).address()),
                "SYN-ACK from " + peer);
    }

    private boolean isAnswered(SalHost client, int flow) {
        long[] asked = {clock.nanoTime()};
        return network.turnUntil(SOON, () -> {
            if (clock.nanoTime() - asked[0] > REPEAT_NANOS) {
                asked[0] = clock.nanoTime();
                client.repeat(flow, ServalNetwork.ROUTER, ServalNetwork.ROUTER_MAC);
            }
            return client.peer(flow).isPresent();
        });
    }

    /** Said again and again, as transports do: what is said first may overtake the end of the handshake. */
    private boolean isEchoed(SalHost client, int flow, String hex) {
        return network.turnUntil(SOON, () -> {
            boolean heard = client.heard(flow).equals(hex);
            if (!heard) {
                client.say(flow, hex);
            }
            return heard;
        });
    }

    private void forwardToMany() {
        ServiceId id = ServiceId.of(0xb);
        SalHost client = network.speaker("n0");
        List<String> instances = List.of("a2", "a3", "a4");
        instances.forEach(name -> network.speaker(name).serve(id));
        int first = begin(client, id);
        for (int i = 1; i < MANY; i++) {
            begin(client, id);
        }
        network.turnUntil(SOON, () -> answered(client, first, MANY) == MANY);
        Map<String, Integer> shares = new TreeMap<>();
        instances.forEach(name -> shares.put(name, network.speaker(name).begun(id)));
        checks.check(
                "b FORWARD A2, A3, A4: " + MANY + " connections spread, twice as many to A4",
                answered(client, first, MANY) == MANY
                        && shares.values().stream().allMatch(share -> share > 0)
                        && shares.get("a4") > shares.get("a2")
                        && shares.get("a4") > shares.get("a3"),
                shares.toString());
    }

    private static int answered(SalHost client, int first, int count) {
        int answered = 0;
        for (int flow = first; flow < first + count; flow++) {
            answered += client.answers(flow) == 1 ? 1 : 0;
        }
        return answered;
    }

    private void delayed() {
        ServiceId id = ServiceId.of(0xd);
        SalHost client = network.speaker("n0");
        network.speaker("a1").serve(id);
        int flow = begin(client, id);
        boolean waits = network.turnUntil(SOON, () -> network.used(id + "/256", "delay") > 0);
        boolean silent = !network.turnUntil(SILENCE, () -> client.peer(flow).isPresent());
        checks.check("d DELAY: the SYN waits", waits && silent, "by the rule, at the client's host");
        long asked = clock.nanoTime();
        network.register("a1", id.toString());
        boolean answered = isAnswered(client, flow);
        checks.check(
                "d: somebody registers, and the SYN goes there", answered, since(asked) + " after 'register' began");
    }

    private void dropped() {
        ServiceId id = ServiceId.of(0xe);
        SalHost client = network.speaker("n0");
        int flow = begin(client, id);
        boolean counted = network.turnUntil(SOON, () -> network.used(id + "/256", "drop") == 1);
        boolean silent = !network.turnUntil(SILENCE, () -> client.peer(flow).isPresent());
        checks.check("e DROP: dropped and counted", counted && silent, "");
    }

    private static int begin(SalHost client, ServiceId service) {
        return client.begin(service, ServalNetwork.ROUTER, ServalNetwork.ROUTER_MAC);
    }

    private void discovery() {
        checks.chapter("Ad hoc: who on this bridge serves 0x000000ad? a2 and a3 registered, a1 did not");
        ServiceId id = ServiceId.of(0xad);
        for (String name : List.of("a1", "a2", "a3")) {
            network.speaker(name).serve(id);
        }
        network.register("a2", id.toString());
        network.register("a3", id.toString());
        SalHost client = network.speaker("n1");
        int[] flow = {0};
        boolean both = network.turnUntil(SOON, () -> {
            if (client.answers(flow[0]) < 2) {
                network.turnUntil(SILENCE, () -> client.answers(flow[0]) == 2);
                flow[0] = client.answers(flow[0]) < 2 ? client.search(id) : flow[0];
            }
            return client.answers(flow[0]) == 2;
        });
        String kept = client.peer(flow[0]).orElse("nobody");
        boolean echoed = isEchoed(client, flow[0], "ad0c");
        checks.check("a SYN to all is answered by both instances, and the client keeps one", both && echoed, kept);
        checks.check(
                "a1, which serves it but did not register, hears nothing",
                network.speaker("a1").begun(id) == 0,
                "");
    }

    // Programs that know nothing of it.

    private void startedOnDemand() {
        checks.chapter("curl asks for the web service; nobody serves it yet, and a controller hears of it");
        String socket = machines.socket("h1").toString();
        try (WeftProcess controller =
                machines.follow("service", "events", "--follow", "-o", "json", "--socket", socket)) {
            boolean listens =
                    Waiting.until(clock, SOON, () -> controller.output().contains("instance-up"));
            CompletableFuture<Result> answer = CompletableFuture.supplyAsync(
                    () -> network.vm("client")
                            .run(
                                    ServalNetwork.PROGRAM_LIMIT,
                                    "curl",
                                    "-sS",
                                    "--max-time",
                                    "25",
                                    "http://" + WEB_ADDRESS),
                    Thread::startVirtualThread);
            String[] event = {""};
            boolean told = Waiting.until(clock, SOON, () -> {
                event[0] = controller
                        .output()
                        .lines()
                        .filter(line -> line.contains("unresolved") && line.contains(WEB))
                        .findFirst()
                        .orElse("");
                return !event[0].isEmpty();
            });
            checks.check(
                    "its SYN waits, by a DELAY rule, and is an event", listens && told && !answer.isDone(), event[0]);
            long begin = clock.nanoTime();
            network.startWeb("web1");
            network.register("web1", WEB);
            Result got = answer.join();
            checks.check(
                    "the controller starts nginx and registers it, and the very same curl is answered",
                    got.output().equals("web1"),
                    got.output() + ", " + since(begin));
        }
        Result v6 = network.vm("client")
                .run(ServalNetwork.PROGRAM_LIMIT, "curl", "-sS", "--max-time", "10", "http://[fd00:96::80]");
        checks.check("over IPv6, too", v6.output().equals("web1"), v6.output());
    }

    private void names() {
        checks.chapter("Names: DHCP tells the client whom to ask, and its router answers");
        String told = network.askDhcp();
        checks.check(
                "DHCP gives the router as DNS server, and acme.svc to search in",
                told.equals("10.0.1.1 acme.svc"),
                told);
        String found = network.withResolver(told, "getent ahosts web.acme.svc");
        checks.check(
                "getent finds web.acme.svc",
                found.contains("10.96.0.80 ") && found.contains("fd00:96::80 "),
                found.lines().findFirst().orElse(""));
        String page = network.withResolver(told, "curl -sS --max-time 10 http://web/");
        checks.check("curl http://web/", page.equals("web1"), page);
        checks.check("dig: p0.cache.acme.svc", dig("p0.cache.acme.svc").equals("NOERROR 10.96.1.0"), "");
        String secret = dig("secret.rival.svc");
        checks.check("another tenant's service does not exist here", secret.equals("NXDOMAIN"), secret);
        String world = dig("example.org");
        checks.check("other names are refused, so that the next server is asked", world.equals("REFUSED"), world);
    }

    /** {@code NOERROR 10.96.1.0}: what dig says of a name. */
    private String dig(String name) {
        Result result = network.vm("client")
                .run(ServalNetwork.PROGRAM_LIMIT, "dig", "+tries=2", "@" + ServalNetwork.ROUTER, name, "A");
        String text = result.output();
        int at = text.indexOf("status: ");
        String status = at < 0 ? text : text.substring(at + 8, text.indexOf(',', at));
        return text.lines()
                .filter(line -> line.startsWith(name + ".") && line.contains("\tA\t"))
                .map(line -> " " + line.substring(line.lastIndexOf('\t') + 1))
                .reduce(status, String::concat);
    }

    private void replicas() {
        checks.chapter("Web replicas under load, each good for " + ServalNetwork.RATE + " answers a second");
        network.startWeb("web2");
        network.startWeb("web3");
        try (var load = WebLoad.start(network.vm("client"), WEB_ADDRESS, 80, clock)) {
            int one = window(load, "one replica", Set.of("web1"));
            join("web2", 2);
            int two = window(load, "a second one joins", Set.of("web1", "web2"));
            join("web3", 3);
            int three = window(load, "a third one joins", Set.of("web1", "web2", "web3"));
            if (!brief) {
                checks.check(
                        "throughput follows the living",
                        two * 10 > one * 14 && three * 10 > one * 20,
                        "%d, %d, %d answers in %d s".formatted(one, two, three, WINDOW.toSeconds()));
            }
            network.unregister("web3", WEB);
            network.awaitInstances(WEB + "/256", 2);
            window(load, "the third one leaves, and nobody notices", Set.of("web1", "web2"));
            kill(load);
        }
    }

    private void join(String name, int count) {
        network.register(name, WEB);
        network.awaitInstances(WEB + "/256", count);
    }

    private void kill(WebLoad load) {
        long killed = clock.nanoTime();
        network.kill("web2");
        boolean gone = network.awaitInstances(WEB + "/256", 1);
        long noticed = clock.nanoTime();
        window(load, "the second one is killed: the first one serves alone", Set.of("web1"));
        checks.check(
                "all clients know of nothing but the living, soon after",
                gone && load.lastFailureAfter(noticed) == 0,
                "gone from the table after %d ms; the last request that failed began %d ms after the kill"
                        .formatted(
                                Duration.ofNanos(noticed - killed).toMillis(),
                                Duration.ofNanos(load.lastFailureAfter(killed)).toMillis()));
    }

    /** Answers within a while, all of them from exactly these replicas. */
    private int window(WebLoad load, String claim, Set<String> living) {
        long from = clock.nanoTime();
        if (brief) {
            int before = load.requests();
            Waiting.until(clock, ServalNetwork.PROGRAM_LIMIT, () -> load.requests() >= before + REQUESTS);
        } else {
            Waiting.until(clock, WINDOW, () -> false);
        }
        long end = clock.nanoTime();
        WebLoad.Tally tally = load.between(from, end);
        checks.check(
                claim,
                tally.served().keySet().equals(living) && tally.failed() == 0,
                "%s, %d too many, %d failed".formatted(tally.served(), tally.busy(), tally.failed()));
        return tally.answers();
    }

    private void partitions() {
        checks.chapter("Memcached, partitions by prefix: a key's first bits are bits of the service it is asked of");
        network.startCache("cache1");
        network.startCache("cache2");
        fill();
        int[] first = count("10.0.2.21");
        int[] second = count("10.0.2.22");
        checks.check(
                "0x0000ca00/25 at cache1, 0x0000ca80/25 at cache2: each has its half",
                first[0] > 0
                        && first[1] > 0
                        && first[2] + first[3] == 0
                        && second[2] > 0
                        && second[3] > 0
                        && second[0] + second[1] == 0,
                "keys of p0..p3: %s, %s"
                        .formatted(
                                List.of(first[0], first[1], first[2], first[3]),
                                List.of(second[0], second[1], second[2], second[3])));
        network.describe("- {prefix: 0x0000ca40/26, rules: [{port: cache2}]}");
        fill();
        int[] moved = count("10.0.2.22");
        checks.check(
                "0x0000ca40/26 goes to cache2: a longer prefix moves one partition, and only that",
                moved[1] == first[1] && moved[0] == 0 && moved[2] == second[2] && moved[3] == second[3],
                "at cache2 " + List.of(moved[0], moved[1], moved[2], moved[3]));
    }

    private static int partition(int key) {
        return (key * 0x9e3779b1) >>> 30;
    }

    private void fill() {
        for (int partition = 0; partition < PARTITIONS.size(); partition++) {
            try (var cache = Memcached.connect(network.vm("client"), PARTITIONS.get(partition))) {
                for (int key = 0; key < KEYS; key++) {
                    if (partition(key) == partition) {
                        cache.set("key" + key, "value" + key);
                    }
                }
            }
        }
    }

    /** How many keys of each partition a server has. */
    private int[] count(String server) {
        var counts = new int[PARTITIONS.size()];
        try (var cache = Memcached.connect(network.vm("client"), server)) {
            for (int key = 0; key < KEYS; key++) {
                counts[partition(key)] += cache.has("key" + key) ? 1 : 0;
            }
        }
        return counts;
    }

    private void explained() {
        checks.chapter("weft trace says which service, which entry and which instance");
        Path socket = machines.socket("h1");
        String trace = machines.weft(
                "trace",
                "--socket",
                socket.toString(),
                "--port",
                "acme/client",
                "tcp 10.0.1.5:999 > " + WEB_ADDRESS + ":80 flags syn");
        trace.lines()
                .filter(line -> line.contains("service") || line.contains("rule:"))
                .forEach(checks::say);
        checks.check(
                "of a connection to " + WEB_ADDRESS,
                trace.contains("service web")
                        && trace.contains("service " + WEB + " has entry " + WEB + "/256")
                        && trace.contains("rule: instance at 10.0.2.11"),
                "");
    }

    private String since(long begin) {
        return "%.1f s".formatted((clock.nanoTime() - begin) / 1e9);
    }

    @Override
    public List<String> whatToTryNext() {
        String client = network.vm("client").namespace();
        return List.of(
                "ip netns exec " + client + " curl http://" + WEB_ADDRESS,
                "./weft service rules --socket " + machines.socket("h1"),
                "./weft service list --socket " + machines.socket("h1"),
                "./weft connections --socket " + machines.socket("h1"),
                "./weft trace --socket " + machines.socket("h1") + " --port acme/n0"
                        + " 'sal 10.0.1.40:9 > 10.0.1.1:0 flags syn service 0x0000000b'");
    }
}
