package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.health.Target;
import dev.weft.agent.worker.Command;
import dev.weft.base.IpAddress;
import dev.weft.base.ServicePrefix;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.topology.MemoryTopologyStore;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TableKind.MemberKey;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Transaction;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.ServiceBlock;
import dev.weft.topology.schema.ServiceCheck;
import dev.weft.topology.schema.ServiceTable;
import dev.weft.topology.schema.Tenant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which instances the workers hear of, as a specification. */
class InstanceGateTest {
    private static final UUID TENANT = new UUID(1, 1);
    private static final UUID TABLE = new UUID(2, 2);
    private static final UUID ROUTER = new UUID(3, 3);
    private static final UUID BRIDGE = new UUID(4, 4);
    private static final UUID PORT = new UUID(5, 5);
    private static final ServicePrefix WEB = ServicePrefix.parse("0x00004001");
    private static final int ADDRESS = 0x0a00020b;
    private static final MemberKey AT_80 = new MemberKey(IpAddress.parse("10.0.2.11"), 80);
    private static final MemberKey AT_81 = new MemberKey(IpAddress.parse("10.0.2.11"), 81);

    private final MemoryTopologyStore store = new MemoryTopologyStore();
    private final List<String> said = new ArrayList<>();
    private final InstanceGate gate = new InstanceGate(
            command -> said.add(command instanceof Command.InstanceUp ? "up" : "down"), new InstanceGate.Listener() {
                @Override
                public void up(ServiceInstance instance) {
                    said.add("event up");
                }

                @Override
                public void down(ServiceInstance instance, boolean failed) {
                    said.add(failed ? "event failed" : "event down");
                }
            });

    @AfterEach
    void close() {
        store.close();
    }

    private static ServiceCheck check(String prefix, int port) {
        return ServiceCheck.newBuilder()
                .setPrefix(prefix)
                .setHealth(Health.newBuilder().setType(Health.Type.TCP).setPort(port))
                .build();
    }

    private TopologySnapshot network(ServiceCheck... checks) {
        store.apply(Transaction.builder()
                .put(Tenant.newBuilder().setId(TENANT.toString()).setName("t").build())
                .put(ServiceBlock.newBuilder()
                        .setId(new UUID(9, 9).toString())
                        .setName("web")
                        .setOwnerId(TENANT.toString())
                        .setPrefix("0x00004000/24")
                        .build())
                .put(ServiceTable.newBuilder()
                        .setId(TABLE.toString())
                        .setName("web")
                        .setTenantId(TENANT.toString())
                        .addAllChecks(List.of(checks))
                        .build())
                .put(Router.newBuilder()
                        .setId(ROUTER.toString())
                        .setName("r")
                        .setTenantId(TENANT.toString())
                        .setServiceTableId(TABLE.toString())
                        .build())
                .put(Bridge.newBuilder()
                        .setId(BRIDGE.toString())
                        .setName("b")
                        .setTenantId(TENANT.toString())
                        .build())
                .put(Port.newBuilder()
                        .setId(PORT.toString())
                        .setName("i1")
                        .setTenantId(TENANT.toString())
                        .setBridgeId(BRIDGE.toString())
                        .build())
                .build());
        return store.snapshot();
    }

    private void follow(ServiceCheck... checks) {
        gate.follow(ServiceChecks.of(network(checks)));
    }

    private void registered() {
        gate.accept(new Command.InstanceUp(new ServiceInstance(WEB, PORT, ADDRESS, 0, 1)));
    }

    private List<String> said() {
        var copy = List.copyOf(said);
        said.clear();
        return copy;
    }

    @Test
    void workersHearOfAnInstanceWithoutACheck() {
        follow();
        registered();
        assertThat(said()).containsExactly("up", "event up");
        registered();
        assertThat(said()).as("nothing is new").isEmpty();
        gate.accept(new Command.InstanceDown(WEB, PORT));
        assertThat(said()).containsExactly("down", "event down");
    }

    @Test
    void anInstanceThatFailsItsCheckIsGoneUntilItPasses() {
        follow(check("0x00004001/32", 80));
        registered();
        assertThat(said()).containsExactly("up", "event up");
        gate.health(TABLE, AT_80, true);
        assertThat(said()).containsExactly("down", "event failed");
        assertThat(gate.failing()).containsExactly(new InstanceKey(WEB, PORT));
        registered();
        assertThat(said()).as("to register again does not heal").isEmpty();
        gate.health(TABLE, AT_80, false);
        assertThat(said()).containsExactly("up", "event up");
        assertThat(gate.failing()).isEmpty();
    }

    @Test
    void theCheckOfTheLongestPrefixCounts() {
        follow(check("0x00004000/24", 81), check("0x00004001/32", 80));
        registered();
        said();
        gate.health(TABLE, AT_81, true);
        assertThat(said()).isEmpty();
        follow(check("0x00004000/24", 81));
        assertThat(said()).containsExactly("down", "event failed");
        follow();
        assertThat(said()).containsExactly("up", "event up");
    }

    @Test
    void asksEachInstanceThroughARouterThatHasTheTable() {
        var checks = ServiceChecks.of(network(check("0x00004000/24", 81)));
        assertThat(checks.tables()).containsExactly(TABLE);
        var targets = checks.targets(Map.of(new InstanceKey(WEB, PORT), new InstanceValue(ADDRESS, 0, 1)));
        assertThat(targets).singleElement().satisfies(target -> {
            assertThat(target.pool()).isEqualTo(TABLE);
            assertThat(target.router()).isEqualTo(ROUTER);
            assertThat(target.address()).isEqualTo(IpAddress.parse("10.0.2.11"));
            assertThat(target.port()).isEqualTo(81);
            assertThat(target.kind()).isEqualTo(Target.Kind.TCP);
        });
        assertThat(checks.targets(Map.of(
                        new InstanceKey(ServicePrefix.parse("0x00005001"), PORT), new InstanceValue(ADDRESS, 0, 1))))
                .isEmpty();
    }
}
