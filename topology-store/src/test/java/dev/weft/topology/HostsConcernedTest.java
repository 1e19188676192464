package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class HostsConcernedTest {
    private static final String NET = """
            tenant: a
            bridges: [{name: left}, {name: right}, {name: alone}]
            routers: [{name: r}]
            ports:
              - {name: vm1, bridge: left, host: h1, interface: e1}
              - {name: vm2, bridge: right, host: h2, interface: e1}
              - {name: vm3, bridge: alone, host: h3, interface: e1}
              - {name: left-r, bridge: left, peer: r-left}
              - {name: r-left, router: r, addresses: [10.0.1.1/24]}
              - {name: right-r, bridge: right, peer: r-right}
              - {name: r-right, router: r, addresses: [10.0.2.1/24]}
            """;

    private static MemoryTopologyStore store() {
        var store = new MemoryTopologyStore();
        for (int i = 1; i <= 4; i++) {
            store.apply(Transaction.builder()
                    .put(Samples.host("h" + i, "10.255.0." + i))
                    .build());
        }
        apply(store, NET);
        return store;
    }

    /** Names of the hosts concerned by applying the file. */
    private static Set<String> apply(MemoryTopologyStore store, String file) {
        TopologySnapshot before = store.snapshot();
        Transaction change = ChangeSet.plan(
                        before, new TopologyReader().text("f.yaml", file).desired())
                .transaction();
        store.apply(change);
        return names(store, HostsConcerned.of(before, store.snapshot(), change));
    }

    private static Set<String> names(MemoryTopologyStore store, Set<UUID> hosts) {
        return hosts.stream()
                .map(id -> store.snapshot().host(id).orElseThrow().getName())
                .collect(Collectors.toSet());
    }

    @Test
    void allHostsOfTheConnectedPartAreConcerned() {
        assertThat(apply(store(), "tenant: a\nroutes: [{router: r, destination: 10.9.0.0/16, action: reject}]\n"))
                .containsExactlyInAnyOrder("h1", "h2");
        assertThat(apply(store(), "tenant: a\nports: [{name: vm3, stateful: true}]\n"))
                .containsExactly("h3");
    }

    @Test
    void aChainConcernsTheDevicesThatComeToIt() {
        var store = store();
        apply(store, """
                tenant: a
                address_groups: [{name: web}]
                chains:
                  - {name: inner, rules: [{match: {source_groups: [web]}, action: drop}]}
                  - {name: outer, rules: [{jump: inner}]}
                ports: [{name: vm3, inbound_chain: outer}]
                """);
        assertThat(apply(store, "tenant: a\naddress_groups: [{name: web, addresses: [10.0.0.5]}]\n"))
                .containsExactly("h3");
        assertThat(apply(store, "tenant: a\nchains: [{name: inner, rules: [{action: accept}]}]\n"))
                .containsExactly("h3");
    }

    @Test
    void aServiceConcernsAllOfItsTenant() {
        assertThat(apply(store(), """
                service_blocks: [{name: web, owner: a, prefix: 0x00004001/32}]
                ---
                tenant: a
                service_tables: [{name: t}]
                routers: [{name: other, service_table: t}]
                services: [{name: web, router: other, service: 0x00004001, addresses: [10.96.0.80], ports: [{protocol: tcp, port: 80}]}]
                """)).as("all may ask for its name").containsExactlyInAnyOrder("h1", "h2", "h3");
    }

    @Test
    void aMemberOfASecurityGroupConcernsThoseWhoseRulesLookAtIt() {
        var store = store();
        apply(store, """
                tenant: a
                security_groups:
                  - {name: apps}
                  - {name: databases, ingress: [{remote_groups: [apps]}]}
                ports: [{name: vm3, security_groups: [databases]}]
                """);
        assertThat(apply(store, "tenant: a\nports: [{name: vm1, security_groups: [apps]}]\n"))
                .contains("h1", "h3");
        assertThat(apply(store, "tenant: a\nsecurity_groups: [{name: databases, ingress: []}]\n"))
                .containsExactly("h3");
    }

    @Test
    void whoWasConcernedBeforeStillIs() {
        assertThat(apply(store(), "tenant: a\nports: [{name: vm1, host: h4}]\n"))
                .containsExactlyInAnyOrder("h1", "h2", "h4");
        assertThat(apply(store(), "tenant: a\nports: [{name: left-r, peer: null}]\n"))
                .containsExactlyInAnyOrder("h1", "h2");
    }

    @Test
    void anUnconnectedDeviceConcernsNobody() {
        assertThat(apply(store(), "tenant: b\nbridges: [{name: left}]\n")).isEmpty();
    }

    @Test
    void deletionsConcernWhoHadIt() {
        var store = store();
        TopologySnapshot before = store.snapshot();
        var router = before.routers().iterator().next();
        Transaction change = Transaction.builder()
                .delete(router.getClass(), UUID.fromString(router.getId()))
                .build();
        store.apply(change);
        assertThat(names(store, HostsConcerned.of(before, store.snapshot(), change)))
                .containsExactlyInAnyOrder("h1", "h2");
    }
}
