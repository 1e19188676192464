package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weft.base.Property;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopologyReaderTest {
    static final String NET = """
            tenant: acme
            bridges:
              - name: left
                neighbours: [{address: 10.0.1.5, mac: "02:00:00:00:00:05"}]
              - {name: right}
            routers:
              - name: r
            ports:
              - {name: left-vm1, bridge: left, host: h1, interface: vm1, namespace: acme-vm1}
              - {name: left-r, bridge: left, peer: r-left}
              - {name: r-left, router: r, addresses: [10.0.1.1/24, "fd00:1::1/64"]}
              - {name: r-right, router: r, peer: right-r, addresses: [10.0.2.1/24]}
              - {name: right-r, bridge: right}
            routes:
              - {router: r, destination: 0.0.0.0/0, port: r-right, gateway: 10.0.2.9, weight: 2}
              - {router: r, destination: 10.9.0.0/16, action: blackhole}
            """;

    static final String CHAINS = """
            tenant: acme
            bridges: [{name: b}]
            ports: [{name: vm, bridge: b, host: h1, interface: vm, inbound_chain: web, port_groups: [all]}]
            port_groups: [{name: all}]
            chains:
              - name: web
                rules:
                  - {match: {in_ports: [vm], source: [10.0.0.0/8, 192.0.2.1/32]}, not: {protocol: [tcp], destination_port: [22, 8000-8080]}, action: accept}
                  - {jump: rest, match: {in_groups: [all]}}
              - name: rest
                rules: [{match: {protocol: [6]}, action: reject}]
            """;

    private static DesiredTopology read(String text) {
        return new TopologyReader().text("net.yaml", text).desired();
    }

    private static TopologySnapshot offline(String text) {
        return ChangeSet.offlineSnapshot(read(text));
    }

    private static List<String> problems(String text) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline(text));
        assertThat(refused).as("refusal of " + text).isNotNull();
        return refused.problems().stream().map(Problem::toString).toList();
    }

    private static String problem(String text) {
        List<String> all = problems(text);
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    @Test
    void refusesNestingThatTheComposersStackWouldNotHold() {
        assertThat(problem("[".repeat(20_000))).startsWith("net.yaml:1:51: ").contains("at most 50 levels");
    }

    @Test
    void saysPlainlyThatAFileIsMissing(@TempDir Path folder) {
        var refused = catchThrowableOfType(
                TopologyException.class,
                () -> ChangeSet.offlineSnapshot(
                        new TopologyReader().file(folder.resolve("nope.yaml")).desired()));
        assertThat(refused.problems().getFirst().toString()).endsWith("nope.yaml:1:1: there is no such file");
    }

    @Test
    void readsAWholeNetwork() {
        TopologySnapshot net = offline(NET);
        UUID tenant = UUID.fromString(net.tenants().iterator().next().getId());
        Port vm = net.named(Port.class, tenant, "left-vm1").orElseThrow();
        assertThat(net.host(UUID.fromString(vm.getHostId())).orElseThrow().getName())
                .isEqualTo("h1");
        assertThat(vm.getInterface()).isEqualTo("vm1");
        Port left = net.named(Port.class, tenant, "left-r").orElseThrow();
        Port router = net.named(Port.class, tenant, "r-left").orElseThrow();
        assertThat(router.getPeerId()).as("the side not written").isEqualTo(left.getId());
        assertThat(router.getAddressesList()).containsExactly("10.0.1.1/24", "fd00:1::1/64");
        assertThat(net.bridges()).hasSize(2);
        assertThat(net.routes())
                .extracting(Route::getName)
                .containsExactlyInAnyOrder("r-0.0.0.0-0-r-right-10.0.2.9", "r-10.9.0.0-16");
        assertThat(net.routes())
                .extracting(Route::getAction)
                .containsExactlyInAnyOrder(Route.Action.FORWARD, Route.Action.BLACKHOLE);
    }

    @Test
    void givesTheSameIdsForTheSameFile() {
        assertThat(List.copyOf(offline(NET).ports()))
                .isEqualTo(List.copyOf(offline(NET).ports()));
    }

    @Test
    void readsJsonWithTabs() {
        TopologySnapshot net = offline("{\n\t\"tenant\": \"acme\",\n\t\"bridges\": [\n\t\t{\"name\": \"b\"}\n\t]\n}\n");
        assertThat(net.bridges()).hasSize(1);
    }

    @Test
    void readsSeveralDocuments() {
        TopologySnapshot net = offline("""
                hosts: [{name: h1, underlay: 192.168.0.1}]
                ---
                tenant: a
                bridges: [{name: b}]
                ---
                tenant: b
                bridges: [{name: b}]
                """);
        assertThat(net.tenants()).hasSize(2);
        assertThat(net.bridges()).hasSize(2);
        assertThat(net.hosts().iterator().next().getUnderlay()).isEqualTo("192.168.0.1");
    }

    @Test
    void malformedYamlIsAnsweredWithItsPlace() {
        assertThat(problem("tenant: acme\nbridges: [{name: b\n")).startsWith("net.yaml:3:1: malformed YAML:");
    }

    @Test
    void unknownFieldsNameTheNearest() {
        assertThat(problem("tenant: acme\nbridges:\n  - {name: b, neighbors: []}\n"))
                .startsWith("net.yaml:3:15: bridge 'b': neighbors: unknown field (expected id, name, neighbours,")
                .endsWith("did you mean 'neighbours'?");
    }

    /** Lists of references, and those inside nested messages, are as others: by name, and checked. */
    @Test
    void readsChainsWithWhatTheyReferTo() {
        TopologySnapshot net = offline(CHAINS);
        UUID tenant = UUID.fromString(net.tenants().iterator().next().getId());
        Chain web = net.named(Chain.class, tenant, "web").orElseThrow();
        Port vm = net.named(Port.class, tenant, "vm").orElseThrow();
        assertThat(web.getRules(0).getMatch().getInPortIdsList()).containsExactly(vm.getId());
        assertThat(web.getRules(0).getMatch().getSourceList()).containsExactly("10.0.0.0/8", "192.0.2.1");
        assertThat(web.getRules(0).getNot().getDestinationPortList()).containsExactly("22", "8000-8080");
        assertThat(web.getRules(1).getJumpId())
                .isEqualTo(net.named(Chain.class, tenant, "rest").orElseThrow().getId());
        assertThat(vm.getInboundChainId()).isEqualTo(web.getId());
        assertThat(problem(CHAINS.replace("in_ports: [vm]", "in_ports: [vmm]")))
                .startsWith("net.yaml:8:")
                .contains("chain 'web': rules[0].match.in_ports[0] 'vmm': there is no such port")
                .endsWith("did you mean 'vm'?");
        assertThat(problem(CHAINS.replace("8000-8080", "8080-8000")))
                .endsWith("'8080-8000': expected a port of 0..65535 or a range like 8000-8080");
    }

    @Test
    void refusesRulesThatMeanNothing() {
        assertThat(rule("{match: {protocol: [tcp]}}")).contains("rules[0]: does nothing");
        assertThat(rule("{action: accept, jump: other}")).contains("rules[0]: says several things");
        assertThat(rule("{match: {fragments: later, destination_port: [80]}, action: drop}"))
                .contains("rules[0].match.fragments 'later': later fragments have no ports");
        assertThat(rule("{not: {fragments: header}, action: drop}")).contains("rules[0].not.fragments 'header'");
        assertThat(rule("{match: {protocol: [icmp], source_port: [80]}, action: drop}"))
                .contains("rules[0].match.protocol 'icmp': has no ports (expected tcp or udp)");
        assertThat(rule("{match: {icmp: [8], source_port: [80]}, action: drop}"))
                .contains("both ports and an ICMP");
        assertThat(rule("{match: {source: [10.0.0.0/8], destination: ['fd00::/8']}, action: drop}"))
                .contains("rules[0] 'fd00::/8': is of another family than 10.0.0.0/8");
        assertThat(rule("{match: {source: [10.1.0.0/16]}, not: {source: [10.0.0.0/8]}, action: drop}"))
                .contains("rules[0].not.source '10.1.0.0/16': is all that match asks for");
        assertThat(rule("{action: drop}, {match: {protocol: [tcp]}, action: accept}"))
                .contains("rules[1]: is never reached: rules[0] takes every packet");
        assertThat(rule("{match: {vlan: [5]}, action: drop}, {match: {vlan: [5]}, action: accept}"))
                .contains("rules[1]: is never reached: rules[0] takes the very same packets");
    }

    @Test
    void refusesJumpsInACircle() {
        assertThat(problems(CHAINS.replace("{match: {protocol: [6]}, action: reject", "{jump: web}, {action: reject")))
                .anySatisfy(
                        problem -> assertThat(problem).contains("chain 'web': rules[1].jump 'rest': leads in a circle"))
                .anySatisfy(problem ->
                        assertThat(problem).contains("chain 'rest': rules[0].jump 'web': leads in a circle"));
    }

    private static String rule(String rules) {
        return problem("tenant: acme\nchains:\n  - {name: other}\n  - {name: c, rules: [" + rules + "]}\n");
    }

    @Test
    void unknownKindsNameTheNearest() {
        assertThat(problem("tenant: acme\nbriges: []\n"))
                .startsWith("net.yaml:2:1: 'briges': unknown key (expected tenant, ")
                .contains(" bridges, ", " ports, ")
                .endsWith("; did you mean 'bridges'?");
    }

    @Test
    void danglingReferencesNameTheCandidates() {
        assertThat(problem("tenant: acme\nbridges: [{name: left}]\nports:\n  - {name: p, bridge: lift}\n"))
                .isEqualTo("net.yaml:4:23: port 'p': bridge 'lift': there is no such bridge in tenant 'acme' (expected"
                        + " one of left); did you mean 'left'?");
    }

    @Test
    void badPrefixesAreReported() {
        String routers = "tenant: t\nrouters: [{name: r}]\n";
        assertThat(problem(routers + "ports:\n  - {name: p, router: r, addresses: [10.0.0.1/33]}\n"))
                .startsWith("net.yaml:4:38: port 'p': addresses[0] '10.0.0.1/33': expected a unicast address");
        assertThat(problem(routers + "routes:\n  - {router: r, destination: 10.0.1.5/24, action: reject}\n"))
                .startsWith("net.yaml:4:30: route: destination '10.0.1.5/24'")
                .contains("like 10.0.1.0/24");
    }

    @Test
    void overlappingSubnetsOnOneRouterAreRefused() {
        assertThat(problem("""
                        tenant: acme
                        routers: [{name: r}]
                        ports:
                          - {name: a, router: r, addresses: [10.0.0.1/16]}
                          - {name: b, router: r, addresses: [10.0.3.1/24]}
                        """)).startsWith("net.yaml:").contains("overlaps").contains("on the same router");
    }

    @Test
    void anInterfaceBoundTwiceIsRefusedEvenAcrossTenants() {
        assertThat(problem("""
                        tenant: a
                        bridges: [{name: b}]
                        ports: [{name: p, bridge: b, host: h, interface: eth1}]
                        ---
                        tenant: b
                        bridges: [{name: b}]
                        ports:
                          - {name: q, bridge: b, host: h, interface: eth1}
                        """))
                .startsWith("net.yaml:8:46: port 'q': interface 'eth1': is already that of port 'p' of another tenant");
    }

    @Test
    void aPeerOfAnotherTenantIsRefused() {
        String first = "tenant: a\nbridges: [{name: b}]\nports: [{name: p, bridge: b}]\n---\n";
        String second = "tenant: b\nbridges: [{name: b}]\nports: [{name: q, bridge: b, peer: ";
        assertThat(problem(first + second + "p}]\n"))
                .startsWith("net.yaml:7:36: port 'q': peer 'p': there is no such port in tenant 'b'")
                .contains("another tenant has one, but references stay within a tenant");
        String id = offline(first).ports().iterator().next().getId();
        assertThat(problem(first + second + id + "}]\n")).contains("belongs to another tenant");
    }

    @Test
    void reportsAllProblemsTogether() {
        assertThat(problems("""
                        tenant: acme
                        bridges:
                          - {name: left}
                          - {name: left}
                          - {nam: x}
                        routers: [{name: r}]
                        ports:
                          - {name: a, bridge: nowhere}
                          - {name: b, bridge: left, router: r}
                          - {name: c, router: r}
                          - {name: d, bridge: left, addresses: [10.0.0.1/24]}
                          - {name: e, bridge: left, stateful: maybe}
                          - {name: f, bridge: left, host: h}
                        routes:
                          - {router: r, destination: 10.0.0.0/8}
                          - {router: r, destination: 10.0.0.0/9, port: d}
                          - {router: r, destination: 10.0.0.0/7, weight: 300, action: reject, gateway: 10.0.0.1}
                        """))
                .extracting(text -> text.substring("net.yaml:".length(), text.indexOf(": ")))
                .containsExactlyInAnyOrder(
                        "4:5", "5:6", "5:5", "8:23", "9:37", "10:5", "11:5", "12:39", "13:5", "15:5", "16:48", "17:80",
                        "17:50");
    }

    @Test
    void routesKeepToOneFamilyAndToKnownActions() {
        String base =
                "tenant: t\nrouters: [{name: r}]\nports: [{name: p, router: r, addresses: [10.0.0.1/24]}]\nroutes:\n";
        assertThat(problem(base + "  - {router: r, destination: \"::/0\", port: p, gateway: 10.0.0.9}\n"))
                .contains("net.yaml:5:56: route 'r----0-p-10.0.0.9': gateway '10.0.0.9': expected an IPv6 address");
        assertThat(problem(base + "  - {router: r, destination: 0.0.0.0/0, source: \"::/0\", port: p}\n"))
                .contains("source '::/0': expected an IPv4 address");
        assertThat(problem(base + "  - {router: r, destination: 0.0.0.0/0, action: bounce}\n"))
                .contains("action 'bounce': expected forward, blackhole, reject");
    }

    @Test
    void structureErrorsNeverEscapeAsOtherExceptions() {
        for (String text : List.of(
                "- a\n- b\n",
                "just text",
                "tenant: [x]\n",
                "tenant: UPPER\nbridges: [{name: b}]\n",
                "bridges: [{name: b}]\n",
                "tenant: a\nhosts: [{name: h, underlay: 10.0.0.1}]\n",
                "tenant: a\nbridges: {name: b}\n",
                "tenant: a\nbridges: [5]\n",
                "tenant: a\nbridges: [{name: [b]}]\n",
                "tenant: a\nbridges: [{name: b, name: c}]\n",
                "tenant: a\nbridges: [{name: b, neighbours: [{address: 10.0.0.1}]}]\n",
                "tenant: a\nbridges: [{name: b, neighbours: [{address: 10.0.0.1, mac: \"01:00:00:00:00:00\"}]}]\n",
                "tenant: a\nbridges: [{name: b, neighbours: {address: 10.0.0.1}}]\n",
                "tenant: a\nbridges: [{name: b, neighbours: [{address: null, mac: 5}]}]\n",
                "tenant: a\nbridges: [{name: b, id: nonsense}]\n",
                "tenant: a\nbridges: [{? [x] : y, name: b}]\n",
                "tenant: a\nbridges: *nothing\n",
                "tenant: a\nbridges: &a [*a]\n",
                "tenant: a\nbridges: [{name: null}]\n",
                "\u0001")) {
            assertThat(problems(text)).as(text).allMatch(p -> p.matches("(?s)net\\.yaml:\\d+:\\d+: .*"));
        }
    }

    @Test
    void filesThatCannotBeReadAreProblems(@TempDir Path dir) throws Exception {
        Path binary = Files.write(dir.resolve("bad.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        var desired =
                new TopologyReader().file(dir.resolve("none.yaml")).file(binary).desired();
        assertThat(desired.problems()).hasSize(2);
        Path good = Files.writeString(dir.resolve("good.yaml"), NET, StandardCharsets.UTF_8);
        assertThat(new TopologyReader().file(good).desired().problems()).isEmpty();
    }

    private static MemoryTopologyStore storeWith(String... files) {
        var store = new MemoryTopologyStore();
        store.apply(Transaction.builder().put(Samples.host("h1", "10.255.0.1")).build());
        for (String file : files) {
            store.apply(ChangeSet.plan(store.snapshot(), read(file)).transaction());
        }
        return store;
    }

    private static Port port(MemoryTopologyStore store, String name) {
        UUID tenant =
                UUID.fromString(store.snapshot().tenants().iterator().next().getId());
        return store.snapshot().named(Port.class, tenant, name).orElseThrow();
    }

    @Test
    void applyingTwiceWritesOnce() {
        var store = storeWith();
        ChangeSet first = ChangeSet.plan(store.snapshot(), read(NET));
        assertThat(first.changes()).hasSize(11);
        store.apply(first.transaction());
        ChangeSet second = ChangeSet.plan(store.snapshot(), read(NET));
        assertThat(second.changes()).isEmpty();
        assertThat(second.unchanged()).isEqualTo(11);
        assertThat(second.transaction().isEmpty()).isTrue();
    }

    @Test
    void aFieldNotMentionedKeepsItsValueAndNullClearsIt() {
        var store = storeWith(NET);
        String head = "tenant: acme\nports:\n";
        assertThat(ChangeSet.plan(store.snapshot(), read(head + "  - {name: left-vm1}\n"))
                        .changes())
                .isEmpty();
        String unbind = head + "  - {name: left-vm1, host: null, interface: ~, namespace: null}\n";
        store.apply(ChangeSet.plan(store.snapshot(), read(unbind)).transaction());
        Port port = port(store, "left-vm1");
        assertThat(port.getHostId() + port.getInterface() + port.getNamespace()).isEmpty();
    }

    @Test
    void movesAPeerByOneSideOnly() {
        String head = "tenant: t\nbridges: [{name: a}, {name: b}, {name: c}]\nports:\n";
        var store = storeWith(
                head + "  - {name: a, bridge: a, peer: b}\n  - {name: b, bridge: b}\n  - {name: c, bridge: c}\n",
                head + "  - {name: a, bridge: a, peer: c}\n  - {name: b, bridge: b, stateful: true}\n");
        assertThat(port(store, "a").getPeerId()).isEqualTo(port(store, "c").getId());
        assertThat(port(store, "c").getPeerId()).isEqualTo(port(store, "a").getId());
        assertThat(port(store, "b").getPeerId()).isEmpty();
        assertThat(port(store, "b").getStateful()).isTrue();
    }

    @Test
    void refusesHostsInAFileAppliedToACluster() {
        var store = new MemoryTopologyStore();
        assertThatThrownBy(() -> ChangeSet.plan(store.snapshot(), read("hosts: [{name: h, underlay: 10.0.0.1}]\n")))
                .hasMessageContaining("net.yaml:1:9: host 'h': cannot be applied: a host registers itself");
        assertThatThrownBy(() -> ChangeSet.plan(store.snapshot(), read(NET)))
                .hasMessageContaining("net.yaml:9:42: port 'left-vm1': host 'h1': there is no such host");
    }

    /** Broken files of any kind are answered, never by another exception. */
    @Test
    void survivesMutatedFiles() {
        String noise = "{}[]:,-&*!|>'\"%@`#\n \t~0/.?\u0001\u00e9x";
        Property.holds(2_000, random -> {
            var text = new StringBuilder(NET);
            for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(4)) {
                    case 0 -> text.deleteCharAt(at);
                    case 1 -> text.insert(at, noise.charAt(random.nextInt(noise.length())));
                    case 2 -> text.setCharAt(at, noise.charAt(random.nextInt(noise.length())));
                    default -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(60)));
                }
            }
            try {
                ChangeSet.offlineSnapshot(read(text.toString()));
            } catch (TopologyException refused) {
                assertThat(refused.problems()).isNotEmpty();
            }
        });
    }
}
