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
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Members in virtual networks are asked from within these: two tenants have the same addresses, three hosts carry them. */
class HealthIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String BALANCER = "10.0.9.80";

    private TestCloud cloud;

    @AfterEach
    void close() {
        cloud.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "userspace"})
    void aMemberWhoseServerIsKilledLeavesThePoolAndComesBack(String datapath) throws IOException {
        cloud = TestCloud.withHosts(Duration.ofSeconds(2), "h1", "h2", "h3").onDatapath(datapath);
        Vm client = cloud.vm("h1", "client", "02:00:00:00:01:05", "10.0.1.5/24");
        Vm web1 = cloud.vm("h2", "web1", "02:00:00:00:02:0b", "10.0.2.11/24");
        Vm web2 = cloud.vm("h1", "web2", "02:00:00:00:02:0c", "10.0.2.12/24");
        cloud.vm("h1", "twin", "02:00:00:00:03:0b", "10.0.2.11/24");
        WeftProcess server = serve(web1);
        serve(web2);
        cloud.startStore();
        cloud.startAgent("h3"); // the first one asks
        cloud.startAgent("h1");
        cloud.startAgent("h2");
        cloud.apply(network("acme", List.of("client", "web1", "web2"), "10.0.2.11", "10.0.2.12"));
        cloud.apply(network("other", List.of("twin"), "10.0.2.11"));

        awaitServed(client, "web1", "web2");
        server.kill();
        awaitServed(client, "web2");
        server = serve(web1);
        awaitServed(client, "web1", "web2");

        assertThat(healthPorts("h3")).as("one for each tenant's router").hasSize(2);
        cloud.agent("h3").kill();
        await().atMost(SOON)
                .until(() -> healthPorts("h1").size() + healthPorts("h2").size() == 2);
        server.kill();
        awaitServed(client, "web2");
        cloud.startAgent("h3");
        serve(web1);
        awaitServed(client, "web1", "web2");
        assertThat(healthPorts("h3")).as("of one that asks no more").isEmpty();
    }

    private WeftProcess serve(Vm vm) throws IOException {
        Path folder = Files.createDirectories(cloud.folder().resolve("www-" + vm.name()));
        Files.writeString(folder.resolve("index.html"), vm.name());
        return cloud.program(vm, "httpd-" + vm.name(), "busybox", "httpd", "-f", "-p", "80", "-h", folder.toString());
    }

    private String network(String tenant, List<String> vms, String... members) {
        var yaml = new StringBuilder("""
                tenant: %s
                bridges: [{name: clients}, {name: servers}]
                routers: [{name: edge}]
                chains: [{name: strict, rules: [{match: {source: [10.0.1.0/24]}, action: accept},
                  {match: {connection: [answer], destination: [10.0.1.0/24]}, action: accept}, {action: drop}]}]
                pools:
                  - name: web
                    members: [%s]
                    health: {type: http, interval: 200, timeout: 1000, fall: 2, rise: 2}
                balancers: [{name: web, router: edge, address: %s, protocol: tcp, port: 80, pool: web}]
                ports:
                  - {name: clients-up, bridge: clients, peer: clients-gateway}
                  - {name: clients-gateway, router: edge, addresses: [10.0.1.1/24]}
                  - {name: servers-up, bridge: servers, peer: servers-gateway}
                  - {name: servers-gateway, router: edge, addresses: [10.0.2.1/24]}
                """.formatted(
                        tenant,
                        "{address: " + String.join(", port: 80}, {address: ", members) + ", port: 80}",
                        BALANCER)
                .replace("routers: [{name: edge}]", "routers: [{name: edge, forward_chain: strict}]"));
        for (String name : vms) {
            Vm vm = cloud.vm(name);
            yaml.append("  - {name: %s, bridge: %s, host: %s, interface: %s, mac: \"%s\", addresses: [%s/24],"
                    .formatted(
                            name,
                            name.equals("client") ? "clients" : "servers",
                            vm.host().name(),
                            vm.hostInterface(),
                            vm.mac(),
                            addressOf(name)));
            yaml.append(" security: true, stateful: %s}\n".formatted(name.equals("client")));
        }
        return yaml.toString();
    }

    private static String addressOf(String vm) {
        return switch (vm) {
            case "client" -> "10.0.1.5";
            case "web2" -> "10.0.2.12";
            default -> "10.0.2.11";
        };
    }

    private void awaitServed(Vm client, String... members) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(served(client)).as(cloud::logs).isEqualTo(Set.of(members)));
    }

    private static Set<String> served(Vm client) {
        String request = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do curl -s --max-time 2 http://" + BALANCER
                + "/ || echo none; echo; done";
        var answers = new TreeSet<>(List.of(
                TestCloud.run(client, "sh", "-c", request).output().trim().split("\\s+")));
        answers.remove("");
        return answers;
    }

    private List<?> healthPorts(String host) {
        return ((List<?>) cloud.ask(host, "status").get("ports"))
                .stream()
                        .map(port -> (Map<?, ?>) port)
                        .filter(port -> port.get("port").equals("health checks"))
                        .filter(port -> port.get("state").equals("up"))
                        .toList();
    }
}
