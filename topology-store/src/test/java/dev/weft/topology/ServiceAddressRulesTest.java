package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Service;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServiceAddressRulesTest {
    private static final String HEAD = """
            tenants: [{name: t}, {name: other}]
            service_blocks:
              - {name: ours, owner: t, prefix: 0x00004001/32}
              - {name: theirs, owner: other, prefix: 0x00005000/24}
            ---
            tenant: t
            service_tables: [{name: s, instances: true}]
            routers: [{name: r, service_table: s}, {name: plain}]
            """;
    private static final String WEB = "name: web, router: r, service: 0x00004001, addresses: [10.96.0.80],"
            + " ports: [{protocol: tcp, port: 80, target_port: 8080}]";

    private static TopologySnapshot offline(String text) {
        return ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", text).desired());
    }

    private static String service(String fields) {
        return problem("services: [{" + fields + "}]\n");
    }

    private static String problem(String text) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline(HEAD + text));
        assertThat(refused).as("refusal of " + text).isNotNull();
        assertThat(refused.problems()).as(text).hasSize(1);
        return refused.problems().getFirst().toString();
    }

    @Test
    void addressesAreReadAndWrittenBack() {
        var net = offline(HEAD + "services: [{" + WEB + "}]\n"
                + "balancers: [{name: b, router: r, address: 10.96.0.81, protocol: tcp, port: 80, service: 16385}]\n");
        var service = net.all(Service.class).iterator().next();
        assertThat(service.getService()).isEqualTo("0x00004001/256");
        assertThat(service.getPorts(0).getTargetPort()).isEqualTo(8080);
        assertThat(net.all(Balancer.class).iterator().next().getService()).isEqualTo("0x00004001/256");
        var all = new ArrayList<Message>();
        Schema.kinds().forEach(kind -> all.addAll(net.all(kind)));
        String yaml = new TopologyWriter(net).yaml(all);
        assertThat(List.copyOf(offline(yaml).all(Service.class))).isEqualTo(List.copyOf(net.all(Service.class)));
    }

    @Test
    void anAddressStandsForOneServiceOfTheTenant() {
        assertThat(service(WEB.replace("0x00004001", "0x00004001/32")))
                .contains("expected one service, not a prefix, like 0x00004001");
        assertThat(service(WEB.replace("0x00004001", "0x00005001"))).contains("is in no service block of the tenant");
        assertThat(service(WEB.replace("router: r", "router: plain"))).contains("has no service table");
    }

    @Test
    void aServiceThatCannotBeAskedIsRefused() {
        assertThat(service(WEB.replace("addresses: [10.96.0.80]", "addresses: []")))
                .contains("addresses: missing: what stands for the service");
        assertThat(service(WEB.replace("10.96.0.80", "10.96.0.80, 10.96.0.80")))
                .contains("addresses[1] '10.96.0.80': is there twice");
        assertThat(service(WEB.replace("10.96.0.80", "224.0.0.9"))).contains("is a group address");
        assertThat(service(WEB.replace("tcp", "icmp"))).contains("ports[0].protocol 'icmp': expected tcp or udp");
        assertThat(service(WEB.replace("8080", "65536"))).contains("ports[0].target_port '65536': expected 1..65535");
        assertThat(service(WEB.substring(0, WEB.indexOf(", ports")))).contains("ports: missing");
    }

    @Test
    void aBalancerHasAPoolOrAService() {
        String balancer = "balancers: [{name: b, router: r, address: 10.96.0.81, protocol: tcp, port: 80%s}]\n";
        assertThat(problem(balancer.formatted(""))).contains("missing: pool or service, one of them");
        assertThat(problem("pools: [{name: p, members: [{address: 10.0.0.5}]}]\n"
                        + balancer.formatted(", pool: p, service: 16385")))
                .contains("expected pool or service, one of them");
    }
}
