package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Vm;
import dev.weft.sim.sal.SalPackets;
import dev.weft.sim.trace.PacketExpression;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Packet-level Serval hosts at two hosts of the fabric: who may end and move whose connections, and who registers. */
class ServalGuardIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String A = "02:00:00:00:01:05";
    private static final String B = "02:00:00:00:01:06";
    private static final String C = "02:00:00:00:01:07";
    private static final String ROUTER = "02:00:00:00:01:01";
    private static final String CLIENT = " nonce 00000000000000c1";
    private static final String SERVER = " nonce 00000000000000e1";
    private static final String NETWORK = """
            tenants: [{name: acme}]
            service_blocks: [{name: web, owner: acme, prefix: 0x00004001/32}]
            ---
            tenant: acme
            service_tables: [{name: web, instances: true}]
            routers: [{name: edge, service_table: web}]
            bridges: [{name: lan}]
            ports:
              - {name: up, bridge: lan, peer: gateway}
              - {name: gateway, router: edge, mac: "02:00:00:00:01:01", addresses: [10.0.1.1/24]}
            """;

    private TestCloud cloud;
    private Capture a;
    private Capture b;
    private Capture c;

    @AfterEach
    void close() {
        for (Capture each : List.of(a, b, c)) {
            each.close();
        }
        cloud.close();
    }

    private void start(String datapath) {
        cloud = TestCloud.withHosts(Duration.ofSeconds(2), "h1", "h2").onDatapath(datapath);
        Vm vmA = cloud.vm("h1", "a", A, "10.0.1.5/24");
        Vm vmB = cloud.vm("h2", "b", B, "10.0.1.6/24");
        Vm vmC = cloud.vm("h1", "c", C, "10.0.1.7/24");
        a = Capture.at(vmA, Vm.INTERFACE);
        b = Capture.at(vmB, Vm.INTERFACE);
        c = Capture.at(vmC, Vm.INTERFACE);
        cloud.start();
        cloud.apply(NETWORK
                + port(vmA, "10.0.1.5", "")
                + port(vmC, "10.0.1.7", "")
                + port(vmB, "10.0.1.6", ", serval_guard: true, allowed_services: [0x00004001/32]"));
        for (Vm from : List.of(vmA, vmC)) {
            await().atMost(SOON).until(() -> TestCloud.ping(from, "10.0.1.6"));
        }
    }

    private static String port(Vm vm, String address, String more) {
        return "  - {name: %s, bridge: lan, host: %s, interface: %s, mac: \"%s\", addresses: [%s/24], security: true%s}\n"
                .formatted(vm.name(), vm.host().name(), vm.hostInterface(), vm.mac(), address, more);
    }

    private static void send(Capture from, String srcMac, String dstMac, String words) {
        from.send(PacketExpression.parse("sal " + words + " src-mac " + srcMac + " dst-mac " + dstMac));
    }

    private void awaitFrame(Capture at, String words) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(at.frames().stream().map(PacketExpression::print))
                        .as(cloud::logs)
                        .anyMatch(text -> text.contains(words)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "userspace"})
    void onlyThePeerEndsAConnection(String datapath) {
        start(datapath);
        send(a, A, B, "10.0.1.5:2 > 10.0.1.6:0 flags syn verno 7" + CLIENT + " service 0x00004001");
        awaitFrame(b, "sal 10.0.1.5:2 > 10.0.1.6:0 ");
        send(b, B, A, "10.0.1.6:9 > 10.0.1.5:2 flags syn,ack verno 50 ackno 8" + SERVER);
        awaitFrame(a, "sal 10.0.1.6:9 > 10.0.1.5:2 ");
        send(a, A, B, "10.0.1.5:2 > 10.0.1.6:9 flags ack" + CLIENT + " service 0x00004001");
        send(a, A, B, "10.0.1.5:2 > 10.0.1.6:9 length 33");
        awaitFrame(b, " length 33");
        for (String forged : List.of("rst", "fin", "rsyn")) {
            send(c, C, B, "10.0.1.7:2 > 10.0.1.6:9 flags " + forged + " nonce 00000000000000aa");
        }
        send(c, C, B, "10.0.1.7:2 > 10.0.1.6:9 flags rsyn verno 8" + CLIENT);
        awaitFrame(b, "sal 10.0.1.7:2 > 10.0.1.6:9 ");
        send(a, A, B, "10.0.1.5:2 > 10.0.1.6:9 flags fin verno 9" + CLIENT);
        awaitFrame(b, " flags fin ");
        assertThat(b.frames().stream().map(PacketExpression::print))
                .noneMatch(text -> text.contains("00000000000000aa"));
        for (String reason : List.of("sal-forged-rst", "sal-forged-fin", "sal-forged-rsyn")) {
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(cloud.status("h2").counter("drops", reason))
                            .as(reason)
                            .isEqualTo(1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "userspace"})
    void aNativeHostIsAnInstanceFromItsOwnDatagramOn(String datapath) {
        start(datapath);
        byte[] frame = SalPackets.registration("10.0.1.6", "10.0.1.1", 0, 32, SalPackets.SERVICE);
        byte[] macs = HexFormat.of().parseHex((ROUTER + B).replace(":", ""));
        System.arraycopy(macs, 0, frame, 0, macs.length);
        b.send(frame);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                                (List<?>) cloud.ask("h1", "service", "list").get("instances"))
                        .as(cloud::logs)
                        .singleElement()
                        .satisfies(row ->
                                assertThat(((Map<?, ?>) row).get("address")).isEqualTo("10.0.1.6")));
        await().atMost(SOON)
                .until(() -> !((List<?>) cloud.ask("h1", "service", "rules").get("services")).isEmpty());
        send(a, A, ROUTER, "10.0.1.5:5 > 10.0.1.1:0 flags syn verno 7" + CLIENT + " service 0x00004001");
        awaitFrame(b, " source 10.0.1.5,10.0.1.1");
    }
}
