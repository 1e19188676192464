package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;

/** What security groups are refused for: object, field, value and what to write instead. */
class SecurityGroupRulesTest {
    private static final String NETWORK = """
            tenant: t
            bridges: [{name: b}]
            routers: [{name: r}]
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

    private static String rule(String fields) {
        return problem("security_groups: [{name: g, ingress: [{" + fields + "}]}]\n");
    }

    private static String port(String fields) {
        return problem("security_groups: [{name: g}]\nports: [{name: p, security_groups: [g], " + fields + "}]\n");
    }

    @Test
    void aRuleThatNoPacketMeetsIsRefused() {
        assertThat(rule("port: [80], icmp: [8]"))
                .contains("security_group 'g': ingress[0]: no packet has both ports and an ICMP type");
        assertThat(rule("port: [80], protocol: [icmp]"))
                .contains("ingress[0].protocol 'icmp': has no ports (expected tcp or udp)");
        assertThat(rule("icmp: [8], protocol: [tcp]"))
                .contains("ingress[0].protocol 'tcp': has no ICMP type (expected icmp or icmpv6)");
        assertThat(rule("family: ipv6, remote: [10.0.0.0/8]"))
                .contains("ingress[0].remote '10.0.0.0/8': expected a network of family ipv6");
    }

    @Test
    void egressIsSaidOnce() {
        assertThat(problem("security_groups: [{name: g, deny_egress: true, egress: [{protocol: [udp]}]}]\n"))
                .contains("deny_egress 'true': goes without saying where there are egress rules");
    }

    @Test
    void onlyPortsOfVmsHaveSecurityGroups() {
        assertThat(port("router: r, addresses: [10.0.0.1/24]"))
                .contains("port 'p': security_groups: only bridge ports with a VM behind them have security groups");
        assertThat(port("bridge: b, stateful: true"))
                .contains("stateful 'true': lets in answers only, so that rules of the security groups would never");
    }

    @Test
    void aGroupThatAPortOrARuleNamesCannotGo() {
        TopologySnapshot net = offline("""
                security_groups:
                  - {name: g, ingress: [{remote_groups: [g, other]}]}
                  - {name: other}
                """);
        var kind = Schema.kindOf(dev.weft.topology.schema.SecurityGroup.class);
        var other = net.all(kind).stream()
                .filter(group -> kind.nameOf(group).equals("other"))
                .map(ObjectRef::of)
                .findFirst()
                .orElseThrow();
        var refused = catchThrowableOfType(
                TopologyException.class,
                () -> Draft.check(
                        net,
                        Transaction.builder()
                                .delete(dev.weft.topology.schema.SecurityGroup.class, other.id())
                                .build()));
        assertThat(refused).hasMessageContaining("other");
    }
}
