package dev.weft.it.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.agent.lab.Lab;
import dev.weft.base.Property;
import dev.weft.sim.Topology;
import dev.weft.sim.packet.Frames;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Random networks and packets: Weft decides as bridges, routes and nftables do. */
class KernelOracleIT {
    private static final int NETWORKS = 20;
    private static final int BATCHES = 5;
    private static int networks;

    @Test
    void packetsFareAsInTheKernel() {
        assumeTrue(Lab.obstacle().isEmpty(), Lab.obstacle());
        assumeTrue(KernelNetwork.obstacle().isEmpty(), KernelNetwork.obstacle());
        Property.holds(NETWORKS, KernelOracleIT::compare);
    }

    private static void compare(RandomGenerator random) {
        var plan = new Plan(random);
        var packets = new Packets(random, plan);
        Topology weft = plan.topology();
        String prefix = "wo" + ProcessHandle.current().pid() + "-" + ++networks;
        try (var kernel = new KernelNetwork(prefix, plan, weft::mac)) {
            var both = new Both(plan, weft, kernel);
            for (int batch = 0; batch < BATCHES; batch++) {
                Map<Integer, Fate> questions = new TreeMap<>();
                for (int i = 0; i < KernelNetwork.BATCH; i++) {
                    questions.put(i, packets.next());
                }
                Map<Integer, Pair> first = both.send(questions, false);
                both.answer(first);
                both.send(questions, false).forEach((number, again) -> {
                    if (again.weft().delivered() && first.get(number).weft().delivered()) {
                        assertThat(again.weft())
                                .as("a connection keeps what it got")
                                .isEqualTo(first.get(number).weft());
                    }
                });
            }
        }
    }

    private static boolean isOfRouter(int address) {
        return (address & 0xff) == 1;
    }

    /** What became of a packet here and there. */
    record Pair(Fate weft, Fate kernel) {}

    /** The two, side by side. */
    record Both(Plan plan, Topology weft, KernelNetwork kernel) {
        Map<Integer, Pair> send(Map<Integer, Fate> packets, boolean answers) {
            return send(packets, packets, answers);
        }

        Map<Integer, Pair> answer(Map<Integer, Pair> questions) {
            Map<Integer, Fate> toWeft = new TreeMap<>();
            Map<Integer, Fate> toKernel = new TreeMap<>();
            questions.forEach((number, pair) -> {
                if (pair.weft().delivered() && !isOfRouter(pair.weft().src())) {
                    toWeft.put(number, pair.weft().answer(pair.weft().port()));
                    toKernel.put(number, pair.kernel().answer(pair.weft().port()));
                }
            });
            return send(toWeft, toKernel, true);
        }

        private Map<Integer, Pair> send(Map<Integer, Fate> toWeft, Map<Integer, Fate> toKernel, boolean answers) {
            Map<Integer, Pair> pairs = new TreeMap<>();
            Map<Integer, KernelNetwork.Sent> frames = new LinkedHashMap<>();
            toKernel.forEach((number, packet) -> frames.put(
                    number,
                    new KernelNetwork.Sent(
                            packet.port(), frame(packet, number, answers).bytes())));
            Map<Integer, Fate> fates = kernel.send(frames);
            toWeft.forEach((number, packet) -> {
                Fate here = inject(packet, number, answers);
                Fate there = fates.getOrDefault(number, Fate.DROPPED);
                if (!here.delivered() && there.port().equals(packet.port())) {
                    // Weft sends nothing back to where it came from, see docs/semantics.md; the kernel's routes do.
                    there = here;
                }
                assertThat(here.blurred())
                        .as(
                                "packet from %s\nWeft's trace:\n%s\nrules:\n%s",
                                packet, weft.explain(packet.port(), frame(packet, number, answers)), plan.ruleset())
                        .isEqualTo(there.blurred());
                pairs.put(number, new Pair(here, there));
            });
            return pairs;
        }

        private Fate inject(Fate packet, int number, boolean answers) {
            var sent = weft.inject(packet.port(), frame(packet, number, answers));
            for (String emitted : sent.emitted()) {
                if (emitted.contains("echo-reply")) {
                    return packet.answer(packet.port()).after(emitted.substring(emitted.indexOf("-> ") + 3));
                }
            }
            return packet.after(sent.outcome());
        }

        private Frames frame(Fate packet, int number, boolean answers) {
            String to = plan.vms().stream()
                    .filter(vm -> Plan.subnet(vm) == Plan.subnet(packet.port())
                            && Addresses.of(Plan.address(vm)) == packet.dst())
                    .findFirst()
                    .orElse("r-b" + Plan.subnet(packet.port()));
            return packet.frame(number, answers).from(weft.mac(packet.port())).to(weft.mac(to));
        }
    }
}
