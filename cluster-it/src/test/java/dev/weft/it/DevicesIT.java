package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.Vm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Stateful devices across three hosts, over the best datapath of this machine, with real programs: translation, a
 * balancer, a firewall of rules. The tests share the set-up.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DevicesIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String OUTSIDER = "192.0.2.9";
    private static final String PUBLIC = "192.0.2.10";
    private static final String SHOP = "192.0.2.20";
    private static final String FLOATING = "192.0.2.30";
    private static final String BALANCER = "192.0.2.40";

    private static final String GUARDED = "10.0.2.13";
    private static final String DATABASE = "10.0.2.15";

    private static TestCloud cloud;
    private static Vm client;
    private static Vm floating;
    private static Vm guarded;
    private static Vm outsider;
    private static Vm app;

    @BeforeAll
    static void build() throws IOException {
        cloud = TestCloud.withHosts(Duration.ofSeconds(6), "h1", "h2", "h3").onDatapath("auto");
        client = cloud.vm("h1", "client", "02:00:00:00:01:05", "10.0.1.5/24");
        floating = cloud.vm("h2", "floating", "02:00:00:00:01:06", "10.0.1.6/24");
        Vm web1 = cloud.vm("h2", "web1", "02:00:00:00:02:0b", "10.0.2.11/24");
        Vm web2 = cloud.vm("h3", "web2", "02:00:00:00:02:0c", "10.0.2.12/24");
        guarded = cloud.vm("h3", "guarded", "02:00:00:00:02:0d", GUARDED + "/24");
        outsider = cloud.vm("h3", "outsider", "02:00:00:00:09:09", OUTSIDER + "/24");
        app = cloud.vm("h1", "app", "02:00:00:00:02:0e", "10.0.2.14/24");
        Vm database = cloud.vm("h3", "database", "02:00:00:00:02:0f", DATABASE + "/24");
        serve(web1);
        serve(web2);
        cloud.program(guarded, "allowed", "busybox", "nc", "-ll", "-p", "7000", "-e", "echo", "allowed");
        cloud.program(guarded, "refused", "busybox", "nc", "-ll", "-p", "7001", "-e", "echo", "refused");
        cloud.program(database, "rows", "busybox", "nc", "-ll", "-p", "5432", "-e", "echo", "rows");
        cloud.program(database, "admin", "busybox", "nc", "-ll", "-p", "22", "-e", "echo", "admin");
        cloud.program(outsider, "iperf3", "iperf3", "-s");
        cloud.start();
        cloud.apply(network());
    }

    private static void serve(Vm vm) throws IOException {
        Path shop = Files.createDirectories(cloud.folder().resolve("www-" + vm.name()));
        Files.writeString(shop.resolve("index.html"), vm.name());
        cloud.program(vm, "httpd-" + vm.name(), "busybox", "httpd", "-f", "-p", "80", "-h", shop.toString());
    }

    private static String network() {
        return """
                tenant: acme
                bridges:
                  - {name: clients}
                  - {name: servers}
                  - {name: outside}
                routers: [{name: edge}]
                security_groups:
                  - {name: apps}
                  - name: databases
                    ingress: [{protocol: [tcp], port: [5432], remote_groups: [apps]}]
                    deny_egress: true
                    log: dropped
                chains:
                  - name: guard
                    rules:
                      - {match: {connection: [answer, related]}, action: accept}
                      - {match: {ethertype: [arp]}, action: accept}
                      - {match: {protocol: [tcp], destination_port: [7000]}, action: accept}
                      - {action: reject}
                nats:
                  - {name: out, router: edge, type: source, port: outer, source: 10.0.0.0/8, addresses: [192.0.2.10]}
                  - {name: shop, router: edge, type: destination, destination: 192.0.2.20, protocol: tcp,
                     destination_port: 8080, addresses: [10.0.2.11], ports: 80}
                  - {name: floating, router: edge, type: static, port: outer, source: 10.0.1.6,
                     addresses: [192.0.2.30]}
                pools:
                  - name: web
                    members: [{address: 10.0.2.11, port: 80}, {address: 10.0.2.12, port: 80}]
                balancers: [{name: web, router: edge, address: 192.0.2.40, protocol: tcp, port: 80, pool: web}]
                ports:
                  - {name: clients-up, bridge: clients, peer: clients-gateway}
                  - {name: clients-gateway, router: edge, addresses: [10.0.1.1/24]}
                  - {name: servers-up, bridge: servers, peer: servers-gateway}
                  - {name: servers-gateway, router: edge, addresses: [10.0.2.1/24]}
                  - {name: outside-up, bridge: outside, peer: outer}
                  - {name: outer, router: edge, mac: "02:00:00:00:ff:09", addresses: [192.0.2.1/24], mtu: 1400}
                """
                + port("client", "clients", "10.0.1.5/24", "stateful: true")
                + port("floating", "clients", "10.0.1.6/24", "security: true")
                + port("web1", "servers", "10.0.2.11/24", "security: true")
                + port("web2", "servers", "10.0.2.12/24", "security: true")
                + port("guarded", "servers", GUARDED + "/24", "outbound_chain: guard")
                + port("app", "servers", "10.0.2.14/24", "security: true, security_groups: [apps]")
                + port("database", "servers", DATABASE + "/24", "security: true, security_groups: [databases]")
                + port("outsider", "outside", OUTSIDER + "/24", "security: true");
    }

    private static String port(String name, String bridge, String address, String more) {
        Vm vm = cloud.vm(name);
        return "  - {name: %s, bridge: %s, host: %s, interface: %s, mac: \"%s\", addresses: [%s], %s}\n"
                .formatted(name, bridge, vm.host().name(), vm.hostInterface(), vm.mac(), address, more);
    }

    @AfterAll
    static void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @Test
    @Order(1)
    void aShopBehindDestinationTranslationIsReachedFromOutside() {
        assertThat(get(outsider, "http://" + SHOP + ":8080/")).as(cloud::logs).isEqualTo("web1");
    }

    @Test
    @Order(2)
    void aPingLeavesWithThePublicAddress() {
        try (var atOutsider = Capture.at(outsider, Vm.INTERFACE)) {
            assertThat(TestCloud.ping(client, OUTSIDER)).as(cloud::logs).isTrue();
            assertThat(sources(atOutsider)).containsOnly(PUBLIC);
        }
    }

    @Test
    @Order(3)
    void aLinkBehindTranslationTellsItsMtu() {
        assertThat(TestCloud.run(client, "ping", "-n", "-c", "2", "-W", "2", "-M", "do", "-s", "1472", OUTSIDER)
                        .output())
                .as(cloud::logs)
                .containsPattern("mtu ?= ?1400");
        assertThat(TestCloud.run(client, "ping", "-n", "-c", "1", "-W", "2", "-M", "do", "-s", "1372", OUTSIDER))
                .returns(true, Commands.Result::ok);
    }

    @Test
    @Order(4)
    void aFloatingAddressWorksBothWays() {
        assertThat(TestCloud.ping(outsider, FLOATING)).as(cloud::logs).isTrue();
        assertTracedAsInstalled("h3", "outsider", "icmp echo-request " + OUTSIDER + " > " + FLOATING);
        try (var atOutsider = Capture.at(outsider, Vm.INTERFACE)) {
            assertThat(TestCloud.ping(floating, OUTSIDER)).isTrue();
            assertThat(sources(atOutsider)).containsOnly(FLOATING);
        }
    }

    @Test
    @Order(5)
    void aServerReachesItsNeighbourByThePublicAddress() {
        assertThat(get(guarded, "http://" + SHOP + ":8080/")).as(cloud::logs).isEqualTo("web1");
    }

    @Test
    @Order(6)
    void rulesAllowOnePortAndRefuseTheOthersAtOnce() {
        assertThat(talk(client, GUARDED, 7000)).as(cloud::logs).isEqualTo("allowed");
        assertThat(TestCloud.run(floating, "curl", "-sS", "--max-time", "5", "http://" + GUARDED + ":7001/")
                        .output())
                .containsAnyOf("refused", "Couldn't connect");
        assertThat(TestCloud.run(floating, "ping", "-n", "-c", "1", "-W", "2", GUARDED)
                        .output())
                .containsAnyOf("filtered", "rohibited");
        assertThat(TestCloud.ping(guarded, OUTSIDER))
                .as("what it begins itself is answered")
                .isTrue();
        assertThat(cloud.status("h2").counter("drops", "refused")).isPositive();
    }

    private static String talk(Vm from, String to, int port) {
        return TestCloud.run(from, "sh", "-c", "busybox nc -w 3 %s %d </dev/null".formatted(to, port))
                .output();
    }

    @Test
    @Order(7)
    void theBridgeAnswersArpAndDoesNotAskTheVm() {
        try (var atFloating = Capture.at(floating, Vm.INTERFACE)) {
            var result = TestCloud.run(client, "busybox", "arping", "-c", "1", "-w", "3", "-I", "eth0", "10.0.1.6");
            assertThat(result.output()).containsIgnoringCase(floating.mac());
            assertThat(atFloating.frames()).noneMatch(DevicesIT::isArp);
        }
    }

    @Test
    @Order(8)
    void bulkPassesTheFirewallAndTheTranslation() {
        for (String direction : List.of("--no-delay", "--reverse")) {
            var result = TestCloud.run(client, "iperf3", "-c", OUTSIDER, "-t", "1", direction);
            assertThat(result).as(result.output()).returns(true, Commands.Result::ok);
        }
    }

    @Test
    @Order(9)
    void aBalancerServesFromTwoHosts() {
        assertThat(served(20)).as(cloud::logs).containsOnlyKeys("web1", "web2");
    }

    @Test
    @Order(10)
    void aDatabaseIsReachedByThoseOfAnotherSecurityGroupOnly() {
        assertThat(talk(app, DATABASE, 5432)).as(cloud::logs).isEqualTo("rows");
        TestCloud.run(app, "curl", "--local-port", "40000", "--max-time", "2", "http://" + DATABASE + ":22/");
        assertTracedAsInstalled("h1", "app", "tcp 10.0.2.14:40000 > " + DATABASE + ":22 flags syn");
        assertThat(talk(app, DATABASE, 22)).isNotEqualTo("admin");
        assertThat(talk(floating, DATABASE, 5432)).isNotEqualTo("rows");
        assertThat(cloud.status("h2").counter("drops", "security-group")).isPositive();
        assertLogged("h2", "10.0.1.6");
        cloud.apply("tenant: acme\nports: [{name: floating, security_groups: [apps]}]\n");
        assertThat(talk(floating, DATABASE, 5432)).as(cloud::logs).isEqualTo("rows");
        cloud.apply("tenant: acme\nports: [{name: floating, security_groups: []}]\n");
        assertThat(talk(floating, DATABASE, 5432)).isNotEqualTo("rows");
    }

    private static void assertLogged(String host, String source) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                                (List<?>) cloud.ask(host, "log", "rules").get("rules"))
                        .map(line -> ((Map<?, ?>) line).get("outcome") + " " + ((Map<?, ?>) line).get("packet"))
                        .anyMatch(line -> line.startsWith("dropped: security-group tcp " + source + ":")
                                && line.endsWith("> " + DATABASE + ":5432")));
        assertThat(cloud.folder().resolve(host).resolve("rules.log"))
                .content()
                .contains("security groups databases, ingress");
    }

    private static Map<String, Long> served(int requests) {
        return IntStream.range(0, requests)
                .mapToObj(i -> get(outsider, "http://" + BALANCER + "/"))
                .collect(Collectors.groupingBy(answer -> answer, Collectors.counting()));
    }

    private static String get(Vm from, String... arguments) {
        var command = Stream.concat(Stream.of("curl", "-sS", "--max-time", "5"), Arrays.stream(arguments));
        return TestCloud.run(from, command.toArray(String[]::new)).output();
    }

    /** What a trace says of a packet is what the datapath does with it: the same bits count, to the same effect. */
    private static void assertTracedAsInstalled(String host, String port, String packet) {
        await().atMost(Duration.ofSeconds(3)).untilAsserted(() -> {
            Map<String, Object> trace = cloud.ask(host, "trace", "--port", "acme/" + port, packet);
            assertThat((List<?>)
                            cloud.ask(host, "flows", "--port", "acme/" + port).get("flows"))
                    .as("flows of %s; its trace: %s", port, trace)
                    .map(flow -> ((Map<?, ?>) flow).get("match") + " -> " + ((Map<?, ?>) flow).get("actions"))
                    .contains(trace.get("mask") + " -> " + trace.get("actions"));
        });
    }

    private static boolean isArp(byte[] frame) {
        return frame.length > 14 && frame[12] == 0x08 && frame[13] == 0x06;
    }

    /** The IPv4 sources of what arrived. */
    private static List<String> sources(Capture capture) {
        return capture.frames().stream()
                .filter(frame -> frame.length > 34 && frame[12] == 0x08 && frame[13] == 0)
                .map(frame -> IntStream.range(26, 30)
                        .mapToObj(at -> Integer.toString(Byte.toUnsignedInt(frame[at])))
                        .collect(Collectors.joining(".")))
                .distinct()
                .toList();
    }
}
