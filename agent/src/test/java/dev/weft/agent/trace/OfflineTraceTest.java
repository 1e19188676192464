package dev.weft.agent.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Host;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Which MACs a traced packet gets when it names none: those that its sender would find. */
class OfflineTraceTest {
    private static final UUID HERE = UUID.fromString("00000000-0000-4000-8000-000000000001");
    private static final String ROUTER_OUTSIDE = "02:00:00:00:ff:09";
    private static final String ROUTER_UPLINK = "02:00:00:00:ff:0a";

    private final TestNetwork net = new TestNetwork("t")
            .bridge("inside")
            .bridge("outside")
            .router("r")
            .join("inside", "r", "02:00:00:00:ff:01", "10.0.1.1/24")
            .join("outside", "r", ROUTER_OUTSIDE, "192.0.2.1/24")
            .uplink("up", "r", ROUTER_UPLINK, HERE, "203.0.113.2/24")
            .vm("a", "inside", HERE, port -> port.setMac("02:00:00:00:01:05").addAddresses("10.0.1.5/24"))
            .vm(
                    "guest",
                    "outside",
                    HERE,
                    port -> port.setMac("02:00:00:00:09:09").addAddresses("192.0.2.9/24"))
            .sourceNat("out", "r", "r-outside", "192.0.2.10", "20000-20999")
            .balancer("shop", "r", "203.0.113.40", "10.0.1.5", 80);

    private TraceResult trace(String port, String packet) {
        var store = new MemoryTopologyStore();
        store.apply(Transaction.builder()
                .put(Host.newBuilder()
                        .setId(HERE.toString())
                        .setName("here")
                        .setUnderlay("172.16.0.1")
                        .build())
                .build());
        store.apply(net.transaction());
        TopologySnapshot snapshot = store.snapshot();
        return new OfflineTrace(snapshot).run(snapshot.port(net.portId(port)).orElseThrow(), packet);
    }

    @Test
    void publicAddressOfARouterIsBehindTheRoutersMac() {
        assertThat(trace("guest", "udp 192.0.2.9:1000 > 192.0.2.10:20000").packet())
                .contains("dst-mac " + ROUTER_OUTSIDE);
        assertThat(trace("up", "tcp 203.0.113.1:1000 > 203.0.113.40:80 flags syn")
                        .packet())
                .contains("dst-mac " + ROUTER_UPLINK);
    }

    @Test
    void balancersAddressIsTracedToItsMember() {
        assertThat(trace("up", "tcp 203.0.113.1:1000 > 203.0.113.40:80 flags syn")
                        .actions())
                .contains("10.0.1.5");
    }

    @Test
    void otherAddressesOfTheSubnetAreNotTheRouters() {
        assertThat(trace("guest", "udp 192.0.2.9:1000 > 192.0.2.11:20000").packet())
                .doesNotContain(ROUTER_OUTSIDE);
        assertThat(trace("guest", "udp 192.0.2.9:1000 > 203.0.113.40:80").packet())
                .as("of another subnet: by the gateway all the same")
                .contains("dst-mac " + ROUTER_OUTSIDE);
    }
}
