package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weft.topology.schema.Port;
import org.junit.jupiter.api.Test;

class StationRulesTest {
    private static final String HEAD = """
            hosts: [{name: h, underlay: 172.16.0.1}]
            ---
            tenant: t
            bridges: [{name: b}]
            routers: [{name: r}]
            ports:
            """;
    private static final String MAC = "mac: \"02:00:00:00:00:05\"";

    private static TopologySnapshot offline(String ports) {
        return ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", HEAD + ports).desired());
    }

    private static String problem(String ports) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline(ports));
        assertThat(refused).as("refusal of " + ports).isNotNull();
        assertThat(refused.problems()).as(ports).hasSize(1);
        return refused.problems().getFirst().toString();
    }

    private static String vm(String name, String more) {
        return "  - {name: " + name + ", bridge: b, host: h, interface: " + name + ", " + more + "}\n";
    }

    @Test
    void aBridgePortDescribesItsVm() {
        var net = offline(
                vm(
                        "a",
                        MAC + ", addresses: [10.0.1.5/24, \"fd00:1::5/64\"], security: true,"
                                + " allowed_pairs: [{address: 10.0.9.0/24}, {mac: \"00:00:5e:00:01:01\", address: 10.0.1.100}]"));
        Port port = net.ports().iterator().next();
        assertThat(port.getAddressesList()).containsExactly("10.0.1.5/24", "fd00:1::5/64");
        assertThat(port.getAllowedPairs(1).getAddress()).isEqualTo("10.0.1.100");
    }

    @Test
    void securityAndAddressesNeedAMac() {
        assertThat(problem(vm("a", "security: true")))
                .contains("port 'a': mac: missing: security lets in what the VM's MAC sends; or say security: false");
        assertThat(problem(vm("a", "addresses: [10.0.1.5/24]"))).contains("mac: missing: the addresses of a VM");
    }

    @Test
    void pairsWithoutSecurityContradictThemselves() {
        assertThat(problem(vm("a", MAC + ", allowed_pairs: [{address: 10.0.9.0/24}]")))
                .contains("allowed_pairs '10.0.9.0/24': without security all pairs are allowed; say security: true");
        assertThat(problem(vm("a", MAC + ", security: true, allowed_pairs: [{address: 10.0.9.1/24}]")))
                .contains("allowed_pairs[0].address '10.0.9.1/24'", "10.0.9.0/24");
    }

    @Test
    void anAddressIsOneVms() {
        String first = vm("a", MAC + ", addresses: [10.0.1.5/24]");
        assertThat(problem(first + vm("c", "mac: \"02:00:00:00:00:06\", addresses: [10.0.1.5/16]")))
                .contains("is the address of port '", "on the same bridge", "goes into allowed_pairs");
        assertThat(offline(first + vm("c", "mac: \"02:00:00:00:00:06\", addresses: [10.0.1.5/16], vlan: 10"))
                        .ports())
                .as("in another VLAN")
                .hasSize(2);
    }

    @Test
    void portsBetweenDevicesAndRouterPortsHaveNoVm() {
        String router = "  - {name: up, router: r, addresses: [10.0.2.1/24]}\n";
        assertThat(problem(router + "  - {name: a, bridge: b, peer: up, " + MAC + "}\n"))
                .contains("port 'a': mac '02:00:00:00:00:05': only router ports and ports with a host and interface");
        assertThat(problem("  - {name: up, router: r, addresses: [10.0.2.1/24], security: true}\n"))
                .contains("port 'up': security 'true': only bridge ports have it; remove it");
    }
}
