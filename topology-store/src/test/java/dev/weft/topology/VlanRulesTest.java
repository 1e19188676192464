package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import dev.weft.topology.TableKind.TunnelTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class VlanRulesTest {
    private static final String HEAD = "tenant: t\nbridges: [{name: b}]\nrouters: [{name: r}]\nports:\n";

    private static TopologySnapshot offline(String text) {
        return ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", text).desired());
    }

    private static String problem(String port) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline(HEAD + "  - " + port + "\n"));
        assertThat(refused).as("refusal of " + port).isNotNull();
        assertThat(refused.problems()).as(port).hasSize(1);
        return refused.problems().getFirst().toString();
    }

    @Test
    void accessAndTrunkPortsAreReadAndWrittenBack() {
        var net = offline(HEAD + """
                  - {name: access, bridge: b, vlan: 10}
                  - {name: trunk, bridge: b, trunk: [10, 100-199], native_vlan: 4094}
                """);
        var all = new ArrayList<Message>();
        Schema.kinds().forEach(kind -> all.addAll(net.all(kind)));
        String yaml = new TopologyWriter(net).yaml(all);
        assertThat(yaml).contains("vlan: 10\n", "trunk: [\"10\", 100-199]\n", "native_vlan: 4094\n");
        assertThat(List.copyOf(offline(yaml).ports())).isEqualTo(List.copyOf(net.ports()));
        assertThat(net.ports())
                .extracting(port -> String.join(" ", port.getTrunkList()))
                .contains("10 100-199");
    }

    @Test
    void vlanIdsOutOfRangeAreRefused() {
        assertThat(problem("{name: p, bridge: b, vlan: 4095}"))
                .isEqualTo("net.yaml:5:32: port 'p': vlan '4095': expected a VLAN id 1..4094");
        assertThat(problem("{name: p, bridge: b, trunk: [0]}")).contains("trunk[0] '0': expected a VLAN id 1..4094");
        assertThat(problem("{name: p, bridge: b, trunk: [20-10]}")).contains("trunk[0] '20-10': expected");
        assertThat(problem("{name: p, bridge: b, trunk: [1-4095]}")).contains("or a range of them, like 100-199");
    }

    @Test
    void whatContradictsItselfIsRefusedWithTheRemedy() {
        assertThat(problem("{name: p, bridge: b, vlan: 10, trunk: [20]}"))
                .contains("net.yaml:5:43: port 'p': trunk '20': a port is an access port (vlan) or a trunk, not both")
                .contains("say native_vlan");
        assertThat(problem("{name: p, bridge: b, native_vlan: 10}"))
                .contains("port 'p': trunk: missing: native_vlan is of a trunk port")
                .contains("or say vlan for an access port");
        assertThat(problem("{name: p, router: r, addresses: [10.0.0.1/24], vlan: 10}"))
                .contains("vlan '10': only bridge ports have VLANs; put a bridge between");
    }

    @Test
    void seededNeighboursKeepToVlanIds() {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline("""
                        tenant: t
                        bridges:
                          - {name: b, neighbours: [{address: 10.0.0.5, mac: "02:00:00:00:00:05", vlan: 4095}]}
                        """));
        assertThat(refused.problems())
                .singleElement()
                .asString()
                .contains("bridge 'b': neighbours[0].vlan '4095': expected a VLAN id 1..4094, or 0 for untagged");
    }

    @Test
    void floodKeysOfOneVlanAreStoredBesideThoseOfAll() {
        var host = new UUID(1, 2);
        var bridge = new UUID(3, 4);
        for (int vlan : new int[] {0, 1, 4094}) {
            var target = new TunnelTarget(TunnelTarget.What.FLOOD, bridge, host, vlan);
            byte[] stored = TableKind.TUNNEL_KEYS.keys().encode(target);
            assertThat(TableKind.TUNNEL_KEYS.keys().decode(stored)).contains(target);
        }
        assertThat(TableKind.TUNNEL_KEYS.keys().decode(new byte[34])).isEmpty();
    }
}
