package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.cli.Weft;
import dev.weft.agent.socket.ControlClient;
import dev.weft.agent.socket.Json;
import dev.weft.sim.trace.PacketExpression;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A controller that reads the events of services and writes rules and shares, over the control socket. */
class ServiceControllerTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String NETWORK = """
            tenants: [{name: red}]
            service_blocks: [{name: web, owner: red, prefix: 0x00004001/32}]
            ---
            tenant: red
            service_tables: [{name: web, instances: true, entries: [{prefix: 0x00004001/32, rules: [{action: delay}]}]}]
            bridges: [{name: left}, {name: right}]
            routers: [{name: r, service_table: web}]
            ports:
              - {name: c, bridge: left, host: h1, interface: c, mac: "02:00:00:00:01:05", addresses: [10.0.1.5/24]}
              - {name: i1, bridge: right, host: h2, interface: i1, mac: "02:00:00:00:02:01", addresses: [10.0.2.11/24], allowed_services: [0x00004001/32]}
              - {name: i2, bridge: right, host: h2, interface: i2, mac: "02:00:00:00:02:02", addresses: [10.0.2.12/24], instances: [{service: 0x0000400100000002}]}
              - {name: left-r, bridge: left, peer: r-left}
              - {name: right-r, bridge: right, peer: r-right}
              - {name: r-left, router: r, mac: "02:00:00:00:01:01", addresses: [10.0.1.1/24]}
              - {name: r-right, router: r, addresses: [10.0.2.1/24]}
            """;

    @TempDir
    Path folder;

    private MemoryCloud cloud;
    private final List<Map<?, ?>> heard = new ArrayList<>();
    private int flow = 1;

    @BeforeEach
    void start() {
        cloud = MemoryCloud.start(folder, "h1", "h2");
        cloud.apply(NETWORK);
        await().atMost(SOON)
                .until(() -> cloud.port("h1", "c").isPresent()
                        && cloud.port("h2", "i1").isPresent()
                        && cloud.port("h2", "i2").isPresent());
    }

    @AfterEach
    void stop() {
        cloud.close();
    }

    private Path socket(String host) {
        return folder.resolve(host).resolve("agent.sock");
    }

    private void ask(String command, Map<String, String> arguments) {
        try (var client = ControlClient.connect(socket("h2"))) {
            client.call(command, arguments);
        }
    }

    private void syn(String service) {
        byte[] frame = PacketExpression.parse("sal 10.0.1.5:" + ++flow + " > 10.0.1.1:0 flags syn verno " + flow
                + " service " + service + " src-mac 02:00:00:00:01:05 dst-mac 02:00:00:00:01:01");
        cloud.datapath("h1").send(cloud.port("h1", "c").orElseThrow(), frame);
    }

    private boolean receives(String instance, String service) {
        byte[] frame = cloud.datapath("h2").receive(cloud.port("h2", instance).orElseThrow());
        return frame != null && PacketExpression.print(frame).contains(" service " + service + " ");
    }

    /** Reads until there is such an event. */
    private void awaitEvent(ControlClient agent, Map<String, String> id, Map<String, Object> fields) {
        await().atMost(SOON).untilAsserted(() -> {
            Object events = agent.call("service-events-read", id).get("events");
            ((List<?>) events).forEach(event -> heard.add((Map<?, ?>) event));
            assertThat(heard)
                    .anySatisfy(event -> fields.forEach(
                            (name, value) -> assertThat(event.get(name)).isEqualTo(value)));
        });
    }

    @Test
    void aServiceThatPacketsWaitForIsStartedByItsController() {
        try (var agent = ControlClient.connect(socket("h2"))) {
            var id = Map.of(
                    "id",
                    String.valueOf(agent.call("service-events-start", Map.of()).get("id")));
            awaitEvent(agent, id, Map.of("event", "instance-up", "port", "i2", "address", "10.0.2.12"));
            syn("0x00004001");
            awaitEvent(agent, id, Map.of("event", "unresolved", "service", "0x00004001", "table", "web", "host", "h1"));
            syn("0x00004001");
            ask("register", Map.of("port", "i1", "service", "0x00004001/32"));
            awaitEvent(agent, id, Map.of("event", "instance-up", "port", "i1", "service", "0x00004001/32"));
            await().atMost(SOON).until(() -> {
                syn("0x00004001");
                return receives("i1", "0x00004001");
            });
            ask("unregister", Map.of("port", "i1", "service", "0x00004001/32"));
            awaitEvent(agent, id, Map.of("event", "instance-down", "port", "i1", "reason", "gone"));
            cloud.apply("tenant: red\nports: [{name: i1, host: null, interface: null}]\n");
            awaitEvent(agent, id, Map.of("event", "interface", "port", "i1", "state", "gone"));
            awaitEvent(agent, id, Map.of("event", "settled", "service", "0x00004001"));
        }
    }

    @Test
    void aRuleIsAVerdictForWhatWaits() {
        syn("0x00004001");
        ask("service-rule", Map.of("table", "web", "service", "0x00004001/32", "action", "forward", "to", "i1"));
        await().atMost(SOON).until(() -> {
            syn("0x00004001");
            return receives("i1", "0x00004001");
        });
        assertThatThrownBy(() -> ask("service-rule", Map.of("table", "web", "service", "0x00005001", "action", "drop")))
                .hasMessageContaining("is in no service block of the tenant");
        assertThatThrownBy(() -> ask(
                        "service-rule",
                        Map.of("table", "web", "service", "0x00004001", "action", "drop", "remove", "true")))
                .hasMessageContaining("has no such rule");
        assertThatThrownBy(() -> ask("service-rule", Map.of("table", "no", "service", "16385", "action", "drop")))
                .hasMessageContaining("service table 'no' does not exist");
    }

    @Test
    void whatIsDrainedGetsNothingNew() {
        String service = "0x0000400100000002";
        await().atMost(SOON).until(() -> {
            syn(service);
            return receives("i2", service);
        });
        ask("service-share", Map.of("table", "web", "service", service, "port", "i2", "drain", "true"));
        assertThat(cli("service", "rules", "--socket", socket("h2").toString()))
                .doesNotContain("instance at 10.0.2.12");
        ask("service-share", Map.of("table", "web", "service", service, "port", "i2", "weight", "7"));
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(cli(
                                "service",
                                "rules",
                                "-o",
                                "json",
                                "--socket",
                                socket("h1").toString()))
                        .contains("\"rule\":\"instance at 10.0.2.12\",\"priority\":0,\"weight\":7"));
    }

    @Test
    void theReferenceControllerMakesOneGroupActive() {
        try (var agent = ControlClient.connect(socket("h2"))) {
            var id = Map.of(
                    "id",
                    String.valueOf(agent.call("service-events-start", Map.of("statistics", "50"))
                            .get("id")));
            awaitEvent(agent, id, Map.of("event", "statistics"));
            awaitEvent(agent, id, Map.of("event", "topology"));
            agent.call("service-events-stop", id);
            assertThatThrownBy(() -> agent.call("service-events-read", id)).hasMessageContaining("have ended");
        }
        String said = cli(
                "service",
                "controller",
                "--policy",
                "drain",
                "--table",
                "web",
                "--service",
                "0x0000400100000002",
                "--port",
                "i2",
                "--interval",
                "20",
                "--socket",
                socket("h2").toString());
        assertThat(said).contains("drain=true").endsWith("done\n");
        assertThat(cli("service", "rules", "--socket", socket("h2").toString()))
                .doesNotContain("instance at 10.0.2.12");
    }

    @Test
    void eventsAreLinesOfJson() {
        await().atMost(SOON).untilAsserted(() -> {
            String lines = cli(
                    "service", "events", "-o", "json", "--socket", socket("h1").toString());
            assertThat(lines.lines().map(Json::readObject).map(event -> event.get("event")))
                    .contains("topology", "instance-up");
        });
    }

    private static String cli(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int code = Weft.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
        assertThat(code).as(err.toString()).isZero();
        return out.toString();
    }
}
