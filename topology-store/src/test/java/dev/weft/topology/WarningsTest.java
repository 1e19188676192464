package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Conditions;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Rule;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is allowed and warned about: object, field and what to do instead. */
class WarningsTest {
    private static final String NETWORK = """
            tenant: t
            bridges: [{name: b}]
            routers: [{name: r}]
            ports:
              - {name: vm, bridge: b, inbound_chain: c}
              - {name: up, router: r, addresses: [203.0.113.2/24]}
            """;

    private static List<String> warnings(String text) {
        return ChangeSet.plan(
                        TopologySnapshot.EMPTY,
                        new TopologyReader().text("net.yaml", NETWORK + text).desired())
                .warnings()
                .stream()
                .map(Problem::toString)
                .toList();
    }

    private static List<String> chain(String... rules) {
        return warnings("chains: [{name: c, rules: [" + String.join(", ", rules) + "]}]\n");
    }

    private static void assertNever(String earlier, String later) {
        assertThat(chain(earlier, later))
                .as("%s before %s", earlier, later)
                .singleElement()
                .asString()
                .startsWith("net.yaml:7:")
                .contains(
                        "chain 'c': rules[1]: is never reached: rules[0] takes all its packets; move it up or remove");
    }

    private static void assertFine(String earlier, String later) {
        assertThat(chain(earlier, later)).as("%s before %s", earlier, later).isEmpty();
    }

    @Test
    void aRuleBehindOneThatTakesItsPacketsIsNamed() {
        assertNever(
                "{match: {protocol: [tcp]}, action: drop}",
                "{match: {protocol: [tcp], destination_port: [80]}, action: accept}");
        assertNever(
                "{match: {destination: [10.0.0.0/8]}, action: drop}",
                "{match: {destination: [10.1.0.0/16]}, action: accept}");
        assertNever(
                "{match: {destination: [10.0.0.0/8, 192.0.2.0/24]}, action: drop}",
                "{match: {destination: [10.1.0.0/16], source: [192.0.2.1]}, action: accept}");
        assertNever(
                "{match: {destination_port: [1-100, 101-200]}, action: drop}",
                "{match: {destination_port: [50-150]}, action: accept}");
        assertNever(
                "{match: {source_mac: [\"02:00:00:00:00:00/ff:00:00:00:00:00\"]}, action: drop}",
                "{match: {source_mac: [\"02:00:00:00:00:07\"]}, action: accept}");
        assertNever("{not: {source: [10.1.0.0/16]}, action: drop}", "{not: {source: [10.0.0.0/8]}, action: accept}");
        assertNever("{not: {source: [10.1.0.0/16]}, action: drop}", "{match: {source: [10.2.0.0/16]}, action: accept}");
        assertNever("{match: {icmp: [8]}, action: drop}", "{match: {protocol: [icmp], icmp: [8/0]}, action: accept}");
    }

    @Test
    void aRuleThatSomePacketsReachIsNotNamed() {
        assertFine(
                "{match: {protocol: [tcp], destination_port: [80]}, action: drop}",
                "{match: {protocol: [tcp]}, action: accept}");
        assertFine(
                "{match: {destination: [10.0.0.0/9, 10.128.0.0/9]}, action: drop}",
                "{match: {destination: [0.0.0.0/0]}, action: accept}");
        assertFine(
                "{match: {destination: [\"::/0\"]}, action: drop}",
                "{match: {destination: [10.0.0.0/8]}, action: accept}");
        assertFine("{not: {source: [10.0.0.0/8]}, action: drop}", "{match: {protocol: [tcp]}, action: accept}");
        assertFine(
                "{not: {destination_port: [22]}, action: drop}",
                "{match: {protocol: [tcp], fragments: later}, action: accept}");
        assertFine(
                "{match: {protocol: [tcp]}, log: true}",
                "{match: {protocol: [tcp], destination_port: [80]}, action: accept}");
        assertFine(
                "{invert: true, match: {protocol: [tcp]}, action: drop}",
                "{match: {protocol: [udp], source: [10.0.0.1]}, action: accept}");
        assertFine("{match: {fragments: header}, action: drop}", "{match: {ethertype: [arp]}, action: accept}");
    }

    @Test
    void conditionsThatNoPacketMeetsAreNamed() {
        assertThat(chain("{match: {destination_port: [80]}, not: {destination_port: [1-1000]}, action: drop}"))
                .singleElement()
                .asString()
                .contains("rules[0]: contradicts itself: no packet meets all its conditions");
        assertThat(chain("{match: {ethertype: [arp], protocol: [tcp]}, action: drop}"))
                .singleElement()
                .asString()
                .contains("rules[0]: contradicts itself");
        assertThat(warnings("""
                        address_groups: [{name: none}]
                        chains: [{name: c, rules: [{match: {source_groups: [none]}, action: drop}]}]
                        """))
                .singleElement()
                .asString()
                .contains("rules[0]: is met by no packet now: the groups that it asks for have no addresses; add some");
    }

    @Test
    void aChainThatNobodyConsultsIsNamed() {
        assertThat(warnings("chains: [{name: c, rules: [{jump: d}]}, {name: d}, {name: e, rules: [{jump: d}]}]\n"))
                .singleElement()
                .asString()
                .contains("chain 'e': nobody consults it: name it as inbound_chain or outbound_chain of a port");
    }

    @Test
    void aPoolThatOnlyDrainsAndATranslationBehindItsTwinAreNamed() {
        assertThat(warnings("""
                        chains: [{name: c}]
                        pools: [{name: p, members: [{address: 10.0.0.5, port: 80, draining: true}]}]
                        """))
                .singleElement()
                .asString()
                .contains("pool 'p': members: all drain: connections that begin are refused; add a member");
        assertThat(warnings("""
                        chains: [{name: c}]
                        nats:
                          - {name: one, router: r, type: source, port: up, source: 10.0.0.0/8, addresses: [203.0.113.5]}
                          - {name: two, router: r, type: source, port: up, source: 10.0.0.0/8, addresses: [203.0.113.6]}
                        """))
                .singleElement()
                .asString()
                .contains(
                        "nat 'two': is never used: nat 'one' takes the very same packets and comes before it by name");
    }

    @Test
    void aSecurityGroupThatLooksForNobodyIsNamed() {
        String groups =
                "chains: [{name: c}]\nsecurity_groups: [{name: g, ingress: [{remote_groups: [h]}]}, {name: h}]\n";
        assertThat(warnings(groups))
                .singleElement()
                .asString()
                .contains(
                        "ingress[0].remote_groups: lets nothing through now: no port in these groups declares addresses");
        assertThat(warnings(
                        groups + "---\ntenant: t\nports: [{name: m, bridge: b, host: null, mac: \"02:00:00:00:00:01\","
                                + " addresses: [10.0.0.1/24], security_groups: [h]}]\n"))
                .isEmpty();
    }

    @Test
    void anMtuThatAHostWhichCameLaterDoesNotTakeIsNamed() {
        TopologySnapshot before = ChangeSet.offlineSnapshot(new TopologyReader()
                .text("net.yaml", "tenant: t\nbridges: [{name: b}]\nports: [{name: vm, bridge: b, mtu: 8950}]\n")
                .desired());
        assertThat(Warnings.aboutMtus(before)).isEmpty();
        var later = Host.newBuilder()
                .setId(Samples.id("host", "late").toString())
                .setName("late")
                .setUnderlay("172.16.0.9")
                .setMtu(1500)
                .build();
        TopologySnapshot after = before.after(
                2, Draft.check(before, Transaction.builder().put(later).build()));
        assertThat(Warnings.aboutMtus(after))
                .singleElement()
                .asString()
                .contains("port 'vm': mtu '8950': the tunnels of host 'late' take 1450: longer packets to and from it");
    }

    @Test
    void looksAtFewRulesForEachWhereRulesNameDestinations() {
        var chain =
                Chain.newBuilder().setId(Samples.id("chain", "c").toString()).setName("c");
        IntStream.range(0, 100_000)
                .mapToObj(i -> Rule.newBuilder()
                        .setMatch(Conditions.newBuilder()
                                .addDestination("10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255)))
                        .setAction(Rule.Action.DROP))
                .forEach(chain::addRules);
        chain.addRules(Rule.newBuilder()
                .setMatch(Conditions.newBuilder().addDestination("10.1.2.3").addProtocol("tcp"))
                .setAction(Rule.Action.ACCEPT));
        var said = new java.util.ArrayList<String>();
        var warnings = new ChainWarnings(TopologySnapshot.EMPTY, (field, value, what) -> said.add(field));
        warnings.check(chain.build());
        assertThat(said).containsExactly("rules[100000]");
        assertThat(warnings.compared()).isLessThan(1000);
    }
}
