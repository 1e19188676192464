package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import dev.weft.topology.schema.ServiceTable;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServiceRulesTest {
    private static final String HEAD = """
            tenants: [{name: t}, {name: other}]
            service_blocks:
              - {name: ours, owner: t, prefix: 0x00004001/32}
              - {name: theirs, owner: other, prefix: 0x00005000/24}
            ---
            tenant: t
            bridges: [{name: b}]
            ports:
              - {name: plain, bridge: b}
              - {name: web, bridge: b, host: h, interface: tap1, mac: "02:00:00:00:00:01", addresses: [10.0.1.5/24]}
            """;

    private static TopologySnapshot offline(String text) {
        return ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", text).desired());
    }

    private static String table(String entries) {
        return HEAD + "service_tables:\n  - {name: s, entries: [" + entries + "]}\n";
    }

    private static String problem(String text) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline(text));
        assertThat(refused).as("refusal of " + text).isNotNull();
        assertThat(refused.problems()).as(text).hasSize(1);
        return refused.problems().getFirst().toString();
    }

    private static String problemOfRule(String rule) {
        return problem(table("{prefix: 0x00004001, rules: [" + rule + "]}"));
    }

    @Test
    void tablesAreReadAndWrittenBack() {
        var net = offline(table("{prefix: 16385, rules: [{address: 10.0.1.9, weight: 3}, {action: demux, port: web,"
                        + " priority: 5}]}, {prefix: 0x0000400100000001, all: true, rules: [{address: 10.0.1.8}]},"
                        + " {prefix: '*', rules: [{action: drop}]}")
                + "routers: [{name: r, service_table: s}]\n");
        var entries = net.all(ServiceTable.class).iterator().next().getEntriesList();
        assertThat(entries)
                .extracting(entry -> entry.getPrefix())
                .containsExactly("0x00004001/256", "0x0000400100000001/256", "*");
        var all = new ArrayList<Message>();
        Schema.kinds().forEach(kind -> all.addAll(net.all(kind)));
        String yaml = new TopologyWriter(net).yaml(all);
        assertThat(List.copyOf(offline(yaml).all(ServiceTable.class)))
                .isEqualTo(List.copyOf(net.all(ServiceTable.class)));
    }

    @Test
    void aTenantRoutesItsOwnServicesOnly() {
        assertThat(problem(table("{prefix: 0x00005001, rules: [{action: drop}]}")))
                .contains("entries[0].prefix '0x00005001/256': is in no service block of the tenant");
        assertThat(problem(table("{prefix: 0x00004001/31, rules: [{action: drop}]}")))
                .as("more than the block")
                .contains("is in no service block");
    }

    @Test
    void aPortServesWhatItsTenantMayServe() {
        String port = HEAD + "  - {name: p, bridge: b, host: h, interface: tap2, allowed_services: [%s]}\n";
        assertThat(offline(port.formatted("0x00004001/32, 0x0000400100000007")).ports())
                .extracting(each -> String.join(" ", each.getAllowedServicesList()))
                .contains("0x00004001/32 0x0000400100000007/256");
        assertThat(problem(port.formatted("0x00005001"))).contains("allowed_services[0] '0x00005001/256': is in no");
        assertThat(problem(port.formatted("'*'"))).contains("is in no service block");
        assertThat(problem(HEAD + "  - {name: r, router: x, addresses: [10.0.9.1/24], allowed_services: [16385]}\n"
                        + "routers: [{name: x}]\n"))
                .contains("only bridge ports");
    }

    @Test
    void aPortIsAnInstanceOfWhatItsTenantMayServe() {
        String port = HEAD + "  - {name: p, bridge: b, host: h, interface: tap2, mac: '02:00:00:00:00:07',"
                + " addresses: [10.0.1.7/24], instances: [%s]}\n";
        assertThat(offline(port.formatted("{service: 0x00004001/32, weight: 3}"))
                        .ports())
                .anySatisfy(each -> assertThat(each.getInstances(0).getWeight()).isEqualTo(3));
        assertThat(problem(port.formatted("{service: 0x00005001}")))
                .contains("instances[0].service '0x00005001/256': is in no");
        assertThat(problem(port.formatted("{service: 16385}, {service: 16385}")))
                .contains("occurs twice");
        assertThat(problem(port.formatted("{service: 16385, address: 10.0.1.8}")))
                .contains("instances[0].address '10.0.1.8': expected an IPv4 address of the port");
        assertThat(problem(port.formatted("{service: 16385, weight: 65536}"))).contains("expected 1..65535");
        assertThat(problem(port.replace("mac: '02:00:00:00:00:07', addresses: [10.0.1.7/24], ", "")
                        .formatted("{service: 16385}")))
                .contains("a port that says one");
        assertThat(problem(HEAD + "  - {name: r, router: x, addresses: [10.0.9.1/24], instances: [{service: 16385}]}\n"
                        + "routers: [{name: x}]\n"))
                .contains("only bridge ports");
    }

    @Test
    void checksSayHowAndWhere() {
        String check = HEAD + "service_tables:\n  - {name: s, entries: [], checks: [%s]}\n";
        var net = offline(check.formatted(
                "{prefix: 0x00004001/32, health: {type: http, port: 80, path: /up, interval: 20, timeout: 20}}"));
        assertThat(net.all(ServiceTable.class).iterator().next().getChecksCount())
                .isEqualTo(1);
        assertThat(problem(check.formatted("{prefix: 0x00005001/32, health: {type: tcp, port: 80}}")))
                .contains("checks[0].prefix '0x00005001/32': is in no");
        assertThat(problem(check.formatted("{prefix: 0x00004001/32, health: {type: tcp}}")))
                .contains("checks[0].health.port");
        assertThat(problem(check.formatted("{prefix: 0x00004001/32, health: {port: 80}}")))
                .contains("checks[0].health.type 'none': expected tcp, http or udp");
        assertThat(problem(check.formatted("{prefix: 0x00004001/32, health: {type: tcp, port: 80, interval: 19}}")))
                .contains("checks[0].health.interval '19': expected 20..3600000 milliseconds");
    }

    @Test
    void blocksDoNotOverlap() {
        assertThat(problem(HEAD.replace("0x00005000/24", "0x00004000/24")))
                .contains("overlaps")
                .contains("expected services that are nobody's yet");
    }

    @Test
    void rulesSayWhereTheyGo() {
        assertThat(problemOfRule("{}")).contains("entries[0].rules[0].address: expected address or port");
        assertThat(problemOfRule("{address: 10.0.1.5, port: web}")).contains("expected address or port, one of them");
        assertThat(problemOfRule("{address: 'fd00::1'}")).contains("'fd00::1': expected one IPv4 address");
        assertThat(problemOfRule("{address: 224.0.0.1}")).contains("expected one IPv4 address");
        assertThat(problemOfRule("{port: plain}")).contains("port 'plain': has no IPv4 address");
        assertThat(problemOfRule("{action: delay, address: 10.0.1.5}")).contains("'delay': goes nowhere");
        assertThat(problemOfRule("{action: delay}, {action: drop}")).contains("'drop': holds for all packets");
        assertThat(problemOfRule("{address: 10.0.1.5, weight: 65536}")).contains("weight '65536': expected 1..65535");
        assertThat(problem(table("{prefix: 0x00004001}"))).contains("entries[0].rules: missing");
        assertThat(problem(table(
                        "{prefix: 0x00004001, rules: [{action: drop}]}, {prefix: 16385, rules: [{action: drop}]}")))
                .contains("entries[1].prefix '0x00004001/256': occurs twice");
        assertThat(problem(table("{prefix: 0x4001, rules: [{action: drop}]}")))
                .contains("'0x4001': expected a service like 0x00004001 (whole words of 8 digits)");
    }
}
