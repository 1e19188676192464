package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Instances that the topology declares: asked for their health from within their tenant's network, and by their ports. */
class ServiceHealthIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String BLOCKS = """
            tenants: [{name: acme}]
            service_blocks: [{name: web, owner: acme, prefix: 0x00004001/32}]
            """;
    private static final String NETWORK = """
            tenant: acme
            service_tables:
              - name: web
                instances: true
                checks: [{prefix: 0x00004001/32, health: {type: http, port: 80, interval: 100, timeout: 500, fall: 2, rise: 1}}]
            bridges: [{name: servers}]
            routers: [{name: edge, service_table: web}]
            ports:
              - {name: servers-up, bridge: servers, peer: servers-gateway}
              - {name: servers-gateway, router: edge, addresses: [10.0.2.1/24]}
            """;

    private final TestCloud cloud = TestCloud.withHosts(Duration.ofSeconds(2), "h1", "h2");

    @AfterEach
    void close() {
        cloud.close();
    }

    @Test
    void anInstanceWhoseServerIsKilledIsGoneAndComesBack() throws IOException {
        Vm web1 = cloud.vm("h1", "web1", "02:00:00:00:02:0b", "10.0.2.11/24");
        Vm web2 = cloud.vm("h2", "web2", "02:00:00:00:02:0c", "10.0.2.12/24");
        WeftProcess server = serve(web1);
        serve(web2);
        cloud.start();
        cloud.apply(BLOCKS);
        cloud.apply(NETWORK + port(web1, "10.0.2.11") + port(web2, "10.0.2.12"));
        awaitInstances("up", "up");
        awaitRules("10.0.2.11", "10.0.2.12");
        server.kill();
        awaitInstances("down", "up");
        awaitRules("10.0.2.12");
        serve(web1);
        awaitInstances("up", "up");
        awaitRules("10.0.2.11", "10.0.2.12");
    }

    @Test
    void anInstanceGoesWhileItsPortIsDownOrHasNoCarrier() throws IOException {
        Vm web1 = cloud.vm("h1", "web1", "02:00:00:00:02:0b", "10.0.2.11/24");
        Vm web2 = cloud.vm("h2", "web2", "02:00:00:00:02:0c", "10.0.2.12/24");
        cloud.start();
        cloud.apply(BLOCKS);
        cloud.apply(NETWORK.replaceFirst(" +checks: .*\n", "") + port(web1, "10.0.2.11") + port(web2, "10.0.2.12"));
        awaitRules("10.0.2.11", "10.0.2.12");
        Object port = portOf(web1).get("datapath-port");
        cloud.in(web1, "link set eth0 down");
        awaitRules("10.0.2.12");
        assertThat(portOf(web1)).containsEntry("state", "no carrier");
        cloud.in(web1, "link set eth0 up");
        awaitRules("10.0.2.11", "10.0.2.12");
        cloud.in(web1.host(), "link set " + web1.hostInterface() + " down");
        awaitRules("10.0.2.12");
        assertThat(portOf(web1)).containsEntry("state", "interface down");
        cloud.in(web1.host(), "link set " + web1.hostInterface() + " up");
        awaitRules("10.0.2.11", "10.0.2.12");
        assertThat(portOf(web1)).containsEntry("datapath-port", port).containsEntry("state", "up");
    }

    private Map<Object, Object> portOf(Vm vm) {
        return rows(vm.host().name(), "ports", "status").stream()
                .filter(row -> vm.hostInterface().equals(row.get("interface")))
                .map(row -> Map.<Object, Object>copyOf(row))
                .findFirst()
                .orElseThrow();
    }

    private WeftProcess serve(Vm vm) throws IOException {
        Path folder = Files.createDirectories(cloud.folder().resolve("www-" + vm.name()));
        Files.writeString(folder.resolve("index.html"), vm.name());
        return cloud.program(vm, "httpd-" + vm.name(), "busybox", "httpd", "-f", "-p", "80", "-h", folder.toString());
    }

    private static String port(Vm vm, String address) {
        return ("  - {name: %s, bridge: servers, host: %s, interface: %s, mac: \"%s\", addresses: [%s/24], security: true,"
                        + " instances: [{service: 0x00004001}]}\n")
                .formatted(vm.name(), vm.host().name(), vm.hostInterface(), vm.mac(), address);
    }

    private void awaitInstances(String... health) {
        for (String host : List.of("h1", "h2")) {
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(rows(host, "instances", "service", "list").stream()
                                    .map(row -> String.valueOf(row.get("health"))))
                            .as(cloud::logs)
                            .containsExactly(health));
        }
    }

    private void awaitRules(String... addresses) {
        Set<String> expected = Set.of(addresses).stream()
                .map(address -> "instance at " + address)
                .collect(Collectors.toSet());
        for (String host : List.of("h1", "h2")) {
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(rows(host, "services", "service", "rules").stream()
                                    .map(row -> String.valueOf(row.get("rule")))
                                    .collect(Collectors.toSet()))
                            .as(cloud::logs)
                            .isEqualTo(expected));
        }
    }

    private List<? extends Map<?, ?>> rows(String host, String what, String... command) {
        return ((List<?>) cloud.ask(host, command).get(what))
                .stream().map(row -> (Map<?, ?>) row).toList();
    }
}
