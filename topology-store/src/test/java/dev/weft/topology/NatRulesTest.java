package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Nat;
import org.junit.jupiter.api.Test;

/** What translation rules, pools and balancers are refused for: object, field, value and what to write instead. */
class NatRulesTest {
    private static final String NETWORK = """
            tenant: t
            routers: [{name: r}, {name: other}]
            ports:
              - {name: up, router: r, addresses: [203.0.113.2/24]}
              - {name: down, router: other, addresses: [10.0.0.1/24]}
            """;

    private static TopologySnapshot offline(String text) {
        return ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", NETWORK + text).desired());
    }

    private static String problem(String text) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline(text));
        assertThat(refused).as("refusal of " + text).isNotNull();
        assertThat(refused.problems()).as(text).hasSize(1);
        return refused.problems().getFirst().toString();
    }

    private static String nat(String fields) {
        return problem("nats: [{name: n, router: r, " + fields + "}]\n");
    }

    private static String pool(String fields) {
        return problem("pools: [{name: p, " + fields + "}]\n");
    }

    private static String balancer(String fields) {
        return problem("pools: [{name: p, members: [{address: 10.0.0.5, port: 80}]}]\n"
                + "balancers: [{name: b, router: r, pool: p, " + fields + "}]\n");
    }

    @Test
    void aRuleWithoutAddressesOrWayOutIsRefused() {
        assertThat(nat("type: source, port: up"))
                .contains("nat 'n': addresses: missing: what the source becomes, like 203.0.113.10");
        assertThat(nat("type: source, addresses: [203.0.113.10]"))
                .contains("port: missing: the router's port to the outside");
        assertThat(nat("type: source, port: down, addresses: [203.0.113.10]"))
                .contains("port 'down': is not on the rule's router");
        assertThat(nat("type: destination, addresses: [10.0.0.5]"))
                .contains("destination: missing: which address outside is translated");
        assertThat(nat("type: destination, port: up, destination: 203.0.113.9, addresses: [10.0.0.5]"))
                .contains("a destination rule is about all ports; remove it");
    }

    @Test
    void aRuleThatContradictsItselfIsRefused() {
        assertThat(nat("type: source, port: up, source: \"fd00::/64\", addresses: [203.0.113.10]"))
                .contains("expected the family of 203.0.113.10");
        assertThat(nat("type: source, port: up, addresses: [203.0.113.10], destination_port: 80"))
                .contains("destination_port '80': needs protocol tcp or udp");
        assertThat(nat("type: source, port: up, addresses: [203.0.113.10], ports: 0-100"))
                .contains("expected ports of 1..65535");
        assertThat(nat("type: destination, destination: 203.0.113.9, protocol: tcp, destination_port: 80-89,"
                        + " addresses: [10.0.0.5], ports: 8080-8088"))
                .contains("expected one port, or as many as destination_port 80-89 has");
        assertThat(nat("type: static, port: up, source: 10.0.0.0/28, addresses: [203.0.113.16/29]"))
                .contains("expected one network of the size of source 10.0.0.0/28");
        assertThat(nat("type: static, port: up, source: 10.0.0.5, addresses: [203.0.113.5], protocol: tcp"))
                .contains("translates all of an address");
    }

    @Test
    void aPoolWithoutMembersOrWithOneTwiceIsRefused() {
        assertThat(pool("members: []")).contains("pool 'p': members: missing: a pool has one member at least");
        assertThat(pool("members: [{address: 10.0.0.5, port: 80}, {address: 10.0.0.5, port: 80}]"))
                .contains("members[1].address '10.0.0.5': is there twice");
        assertThat(pool("members: [{address: 10.0.0.5, port: 80, weight: 256}]"))
                .contains("members[0].weight '256': expected 1..255")
                .contains("draining: true");
        assertThat(pool("members: [{address: 10.0.0.5, port: 65536}]")).contains("expected 1..65535");
        assertThat(pool("members: [{address: 10.0.0.5}], health: {type: tcp, path: /x}"))
                .contains("only type: http asks for a path");
        assertThat(pool("members: [{address: 10.0.0.5}], health: {type: tcp, interval: 5}"))
                .contains("expected 100..3600000 milliseconds");
    }

    @Test
    void aBalancerThatNoMemberCanServeIsRefused() {
        assertThat(balancer("address: 203.0.113.80, protocol: icmp, port: 80")).contains("expected tcp or udp");
        assertThat(balancer("address: \"2001:db8::80\", protocol: tcp, port: 80"))
                .contains("expected the family of member 10.0.0.5 of pool 'p'");
    }

    @Test
    void whatIsWellSaidIsTaken() {
        var snapshot = offline("""
                nats:
                  - {name: out, router: r, type: source, port: up, source: 10.0.0.0/8, addresses: [203.0.113.10, 203.0.113.16/28]}
                  - {name: web, router: r, type: destination, destination: 203.0.113.9, protocol: tcp, destination_port: 80, addresses: [10.0.0.5], ports: 8080}
                  - {name: floating, router: r, type: static, port: up, source: 10.0.0.7, addresses: [203.0.113.7]}
                pools: [{name: p, members: [{address: 10.0.0.5, port: 8080, weight: 3}], health: {type: http, path: /up}}]
                balancers: [{name: b, router: r, address: 203.0.113.80, protocol: tcp, port: 80, pool: p, sticky: true}]
                """);
        assertThat(snapshot.all(Nat.class)).hasSize(3);
        assertThat(snapshot.all(Balancer.class)).hasSize(1);
    }
}
