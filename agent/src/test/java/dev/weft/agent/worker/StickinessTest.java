package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Tag;
import dev.weft.sim.Topology;
import dev.weft.sim.packet.Frames;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Two workers of one host: a client's connections are with one of them, its next ones come to the other. */
class StickinessTest {
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";
    private static final String[] BEFORE = {"10.0.1.5:80", "10.0.1.6:80"};
    private static final String[] AFTER = {"10.0.1.5:80", "10.0.1.6:80", "10.0.1.7:80"};

    private final Topology one = build();
    private final Topology other = build();
    private final Backchannel doorOfOne = new Backchannel(4096, 1 << 17, () -> {});
    private final Backchannel doorOfOther = new Backchannel(4096, 1 << 17, () -> {});
    private final Backchannel[] doors = {doorOfOne, doorOfOther};

    private static Topology build() {
        Topology net = Topology.build(t -> t.bridge("b")
                .router("r")
                .join("b", "r", "10.0.1.1/24")
                .uplink("up", "r", "here", "203.0.113.2/24")
                .route("r", "0.0.0.0/0 port up via 203.0.113.1")
                .vm("m1", "b")
                .vm("m2", "b")
                .vm("m3", "b")
                .pool("web", BEFORE)
                .balancer("r", "front", "203.0.113.80 tcp 80 sticky", "web"));
        net.settle("m1", "10.0.1.5");
        net.settle("m2", "10.0.1.6");
        net.settle("m3", "10.0.1.7");
        net.learnNeighbour("r", "203.0.113.1", OUTSIDE_MAC);
        return net;
    }

    private static Map<Integer, String> connect(Topology net, int port) {
        var members = new HashMap<Integer, String>();
        for (int client = 1; client < 100; client++) {
            String outcome = net.inject(
                            "up",
                            Frames.tcp("198.51.100." + client + ":" + port, "203.0.113.80:80")
                                    .flags(2)
                                    .from(OUTSIDE_MAC)
                                    .to(net.mac("up")))
                    .outcome();
            members.put(client, outcome.substring(outcome.indexOf("output ")));
        }
        return members;
    }

    @Test
    void siblingHearsWhereTheClientsOfAChangedPoolStay() {
        Map<Integer, String> before = connect(one, 1000);
        one.change(t -> t.pool("web", AFTER));
        other.change(t -> t.pool("web", AFTER));
        var ofOne = new Stickiness(one.tables(), new Siblings(0, doors, new WorkerCounters()), () -> one.now);
        var ofOther = new Stickiness(other.tables(), new Siblings(1, doors, new WorkerCounters()), () -> other.now);

        ofOne.poolChanged(poolTag(one));
        ofOther.poolChanged(poolTag(other));

        assertThat(doorOfOther.drain(command -> ofOther.heard((Command.ClientStays) command), 4096))
                .isEqualTo(one.tables().stickyClients().size())
                .isPositive();
        assertThat(doorOfOne.isEmpty())
                .as("the other has no connection to speak of")
                .isTrue();
        assertThat(connect(other, 2000)).isEqualTo(before);
    }

    private static long poolTag(Topology net) {
        return Tag.device(net.poolId("web"));
    }
}
