package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.socket.ControlClient;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.sim.packet.Frames;
import dev.weft.sim.sal.SalPackets;
import dev.weft.sim.trace.PacketExpression;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Instances of a service come and go at one host; a client at another is sent to those that are there. */
class InstancesTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String GATE = "02:00:00:00:01:01";
    private static final String GATE_RIGHT = "02:00:00:00:02:ff";
    private static final String NETWORK = """
            tenants: [{name: red}, {name: blue}]
            service_blocks: [{name: web, owner: red, prefix: 0x00004001/32}]
            ---
            tenant: red
            service_tables: [{name: web, instances: true, entries: [{prefix: 0x00004001/32, rules: [{action: drop}]}]}]
            services: [{name: web, router: r, service: 0x00004001, addresses: [10.96.0.80], ports: [{protocol: tcp, port: 80}]}]
            bridges: [{name: left}, {name: right}]
            routers: [{name: r, service_table: web}]
            ports:
              - {name: c, bridge: left, host: h1, interface: c, mac: "02:00:00:00:01:05", addresses: [10.0.1.5/24], security: true}
              - {name: i1, bridge: right, host: h2, interface: i1, mac: "02:00:00:00:02:01", addresses: [10.0.2.11/24], security: true, allowed_services: [0x00004001/32]}
              - {name: i2, bridge: right, host: h2, interface: i2, mac: "02:00:00:00:02:02", addresses: [10.0.2.12/24], security: true, allowed_services: [0x00004001/32]}
              - {name: plain, bridge: right, host: h2, interface: p, mac: "02:00:00:00:02:03", addresses: [10.0.2.13/24]}
              - {name: left-r, bridge: left, peer: r-left}
              - {name: right-r, bridge: right, peer: r-right}
              - {name: r-left, router: r, mac: "02:00:00:00:01:01", addresses: [10.0.1.1/24]}
              - {name: r-right, router: r, mac: "02:00:00:00:02:ff", addresses: [10.0.2.1/24]}
            """;

    @TempDir
    Path folder;

    private MemoryCloud cloud;
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

    private Map<String, Object> ask(String command, Map<String, String> arguments) {
        try (var client = ControlClient.connect(folder.resolve("h2").resolve("agent.sock"))) {
            return client.call(command, arguments);
        }
    }

    private void register(String port) {
        ask("register", Map.of("port", port, "service", "0x00004001"));
    }

    /** A new connection of the client. */
    private void syn() {
        byte[] frame = PacketExpression.parse("sal 10.0.1.5:" + ++flow + " > 10.0.1.1:0 flags syn verno " + flow
                + " service 0x00004001 src-mac 02:00:00:00:01:05 dst-mac " + GATE);
        cloud.datapath("h1").send(cloud.port("h1", "c").orElseThrow(), frame);
    }

    private boolean receives(String instance) {
        MemoryDatapath datapath = cloud.datapath("h2");
        byte[] frame = datapath.receive(cloud.port("h2", instance).orElseThrow());
        return frame != null && PacketExpression.print(frame).contains(" service 0x00004001 ");
    }

    private void awaitSyn(String instance) {
        await().atMost(SOON).until(() -> {
            syn();
            return receives(instance);
        });
    }

    private void drain() {
        for (String port : List.of("i1", "i2")) {
            int number = cloud.port("h2", port).orElseThrow();
            await().atMost(SOON).until(() -> cloud.datapath("h2").receive(number) == null);
        }
    }

    @Test
    void connectionsFollowTheInstancesThatAreThere() {
        syn();
        register("i1");
        awaitSyn("i1");
        register("i2");
        awaitSyn("i2");
        assertThat((List<?>) ask("instances", Map.of()).get("instances")).hasSize(2);
        ask("unregister", Map.of("port", "i1", "service", "0x00004001"));
        await().atMost(SOON).until(() -> ((List<?>) ask("instances", Map.of()).get("instances")).size() == 1);
        await().atMost(SOON).until(() -> {
            drain();
            for (int i = 0; i < 20; i++) {
                syn();
            }
            return receives("i2") && !receives("i1");
        });
    }

    /** A packet of a connection that does not speak Serval. */
    private void tcp(int port, int flags) {
        cloud.datapath("h1")
                .send(
                        cloud.port("h1", "c").orElseThrow(),
                        Frames.tcp("10.0.1.5:" + port, "10.96.0.80:80")
                                .flags(flags)
                                .from("02:00:00:00:01:05")
                                .to(GATE)
                                .bytes());
    }

    private boolean receivesTcp(String instance, int port) {
        byte[] frame = cloud.datapath("h2").receive(cloud.port("h2", instance).orElseThrow());
        return frame != null && PacketExpression.print(frame).startsWith("tcp 10.0.1.5:" + port + " > ");
    }

    @Test
    void programsThatDoNotSpeakServalFollowThemToo() {
        tcp(1000, 16); // a flow comes of it that drops, until the rules change
        register("i1");
        await().atMost(SOON).until(() -> {
            tcp(1000, 16);
            return receivesTcp("i1", 1000);
        });
        register("i2");
        await().atMost(SOON).until(() -> {
            tcp(++flow, 2);
            return receivesTcp("i2", flow);
        });
        ask("unregister", Map.of("port", "i1", "service", "0x00004001"));
        await().atMost(SOON).until(() -> {
            tcp(1000, 16);
            return receivesTcp("i1", 1000);
        });
        await().atMost(SOON).until(() -> {
            drain();
            for (int i = 0; i < 20; i++) {
                tcp(++flow, 2);
            }
            boolean there = receivesTcp("i2", flow - 19);
            return there && cloud.datapath("h2").receive(cloud.port("h2", "i1").orElseThrow()) == null;
        });
    }

    /** As a native host's daemon does it. */
    private void say(String port, String mac, String address, int type, String service) {
        byte[] frame = SalPackets.registration(address, "10.0.2.1", type, 32, service);
        byte[] macs = HexFormat.of().parseHex((GATE_RIGHT + mac).replace(":", ""));
        System.arraycopy(macs, 0, frame, 0, macs.length);
        cloud.datapath("h2").send(cloud.port("h2", port).orElseThrow(), frame);
    }

    @Test
    void aNativeHostRegistersByItsOwnDatagram() {
        say("i1", "02:00:00:00:02:01", "10.0.2.11", 0, SalPackets.SERVICE);
        awaitSyn("i1");
        var row = (Map<?, ?>) ((List<?>) ask("instances", Map.of()).get("instances")).getFirst();
        assertThat(row.get("service")).isEqualTo("0x00004001/32");
        assertThat(row.get("port")).isEqualTo("i1");
        assertThat(row.get("address")).isEqualTo("10.0.2.11");
        say("i1", "02:00:00:00:02:01", "10.0.2.11", 1, SalPackets.SERVICE);
        await().atMost(SOON).until(() -> ((List<?>) ask("instances", Map.of()).get("instances")).isEmpty());
    }

    @Test
    void aNativeHostRegistersOnlyWhatItMay() {
        await().atMost(SOON).until(() -> cloud.port("h2", "p").isPresent());
        say("p", "02:00:00:00:02:03", "10.0.2.13", 0, SalPackets.SERVICE);
        say("i1", "02:00:00:00:02:01", "10.0.2.11", 0, SalPackets.SERVICE.replace("4001", "4002"));
        await().atMost(SOON)
                .until(() -> ((Map<?, ?>) ask("status", Map.of()).get("table-counters"))
                        .get("registrations-refused")
                        .equals(2L));
        assertThat((List<?>) ask("instances", Map.of()).get("instances")).isEmpty();
    }

    @Test
    void anInstanceGoesWithItsPort() {
        register("i1");
        awaitSyn("i1");
        cloud.apply("tenant: red\nports: [{name: i1, host: null, interface: null}]\n");
        await().atMost(SOON).until(() -> ((List<?>) ask("instances", Map.of()).get("instances")).isEmpty());
    }

    @Test
    void aPortServesOnlyWhatItMay() {
        assertThatThrownBy(() -> register("plain")).hasMessageContaining("may not serve 0x00004001/256");
        assertThatThrownBy(() -> ask("register", Map.of("port", "i1", "service", "0x00004002")))
                .hasMessageContaining("may not serve");
        assertThatThrownBy(() -> ask("register", Map.of("port", "i1", "service", "0x00004001", "address", "10.0.2.12")))
                .hasMessageContaining("at an address of the port");
        assertThatThrownBy(() -> register("c")).hasMessageContaining("not bound to this host");
        assertThatThrownBy(() -> ask("register", Map.of("port", "i1", "service", "0x4001")))
                .hasMessageContaining("0x00004001");
        assertThatThrownBy(() -> ask("unregister", Map.of("port", "i1", "service", "0x00004001")))
                .hasMessageContaining("has not registered");
    }
}
