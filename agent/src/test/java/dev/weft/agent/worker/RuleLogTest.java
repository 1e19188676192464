package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.agent.TestNetwork;
import dev.weft.base.MacAddress;
import dev.weft.datapath.memory.MemoryFabric;
import dev.weft.sim.Outcome;
import dev.weft.sim.packet.Frames;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a worker hands on of what rules want noted. */
class RuleLogTest {
    private static final String A_MAC = "02:00:00:00:01:05";
    private static final String B_MAC = "02:00:00:00:01:09";
    /** Of one rule each second, see {@link WorkerBench}. */
    private static final int BUDGET = 10;

    private final TestNetwork net = new TestNetwork("t")
            .bridge("left")
            .vm("a", "left", WorkerBench.HERE, false)
            .vm("b", "left", WorkerBench.HERE, false)
            .dropsAndLogs("b", "udp");
    private final WorkerBench here = new WorkerBench(new MemoryFabric(), "172.16.0.1", 1, 4096);
    private int a;

    @BeforeEach
    void build() {
        here.build(net);
        a = here.attach(net, "a");
        here.attach(net, "b");
        here.tell(new Command.MacLearned(
                here.network.bridgeIndex(net.bridgeId("left")),
                0,
                MacAddress.parse(B_MAC).bits(),
                here.network.portIndex(net.portId("b"))));
    }

    @AfterEach
    void close() {
        here.close();
    }

    private void send(int port) {
        here.send(
                a,
                Frames.udp("10.0.1.5:" + port, "10.0.1.9:53")
                        .from(A_MAC)
                        .to(B_MAC)
                        .bytes());
    }

    private List<String> drain() {
        var lines = new ArrayList<String>();
        here.ruleLog().drain(entry -> {
            assertThat(entry.kind()).isEqualTo(Outcome.Kind.DROP);
            var rule = entry.network().rule(entry.chain(), entry.position()).orElseThrow();
            lines.add(entry.network().portName(entry.port()) + " " + rule.chain() + " " + rule.rule() + " "
                    + rule.action() + " " + entry.key().l4Src());
        });
        return lines;
    }

    @Test
    void aFlowThatBeginsIsNotedOnce() {
        send(1000);
        send(1000);
        assertThat(drain()).containsExactly("a no-udp 1 drop 1000");
        assertThat(drain()).isEmpty();
        assertThat(here.count(WorkerCounter.RULES_LOGGED)).isOne();
    }

    @Test
    void aRuleHasABudgetAndTheRestIsCounted() {
        for (int port = 1000; port < 1000 + 3 * BUDGET; port++) {
            send(port);
        }
        assertThat(drain()).hasSize(BUDGET);
        assertThat(here.count(WorkerCounter.RULES_LOGGED)).isEqualTo(BUDGET);
        assertThat(here.count(WorkerCounter.RULES_NOT_LOGGED)).isEqualTo(2 * BUDGET);
    }
}
