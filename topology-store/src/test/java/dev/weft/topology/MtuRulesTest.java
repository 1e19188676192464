package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weft.topology.schema.Host;
import org.junit.jupiter.api.Test;

class MtuRulesTest {
    private static TopologySnapshot offline(String ports) {
        return ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", """
                                hosts:
                                  - {name: h1, underlay: 172.16.0.1, mtu: 9000}
                                  - {name: h2, underlay: 172.16.0.2, mtu: 1500}
                                  - {name: h3, underlay: 172.16.0.3}
                                ---
                                tenant: t
                                bridges: [{name: b}]
                                routers: [{name: r}]
                                ports:
                                """ + ports).desired());
    }

    private static String problem(String port) {
        var refused = catchThrowableOfType(TopologyException.class, () -> offline("  - " + port + "\n"));
        assertThat(refused).as("refusal of " + port).isNotNull();
        assertThat(refused.problems()).as(port).hasSize(1);
        return refused.problems().getFirst().toString();
    }

    @Test
    void anMtuAboveTheUnderlaysIsRefusedWithTheRemedy() {
        assertThat(problem("{name: p, bridge: b, host: h1, interface: p, mtu: 1451}"))
                .contains("port 'p': mtu '1451': expected at most 1450: the underlay of host 'h2' takes 1500")
                .contains("lower it, or raise the underlay's MTU");
        assertThat(offline("  - {name: p, bridge: b, host: h1, interface: p, mtu: 1450}\n")
                        .ports())
                .hasSize(1);
    }

    @Test
    void anMtuIsWhatALinkMayHave() {
        assertThat(problem("{name: p, router: r, addresses: [10.0.0.1/24], mtu: 575}"))
                .contains("expected 576..65535");
        assertThat(problem("{name: p, router: r, addresses: [\"fd00::1/64\"], mtu: 1279}"))
                .contains("expected 1280..65535 where there is IPv6");
    }

    @Test
    void anIpv6UnderlayLeavesLess() {
        var host = Host.newBuilder().setUnderlay("fd00::1").setMtu(1500).build();
        assertThat(MtuRules.insideTunnel(host)).isEqualTo(1430);
    }
}
