package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.sim.packet.Frames;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A balancer's address in any subnet, asked by a client in any: the question finds a member, the answer its way back. */
class VipScenariosTest {
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";
    private static final String OUTSIDER = "198.51.100.7";

    private final Topology net = Topology.build(t -> t.bridge("members")
            .bridge("clients")
            .bridge("empty")
            .router("r")
            .join("members", "r", "10.0.1.1/24")
            .join("clients", "r", "10.0.2.1/24")
            .join("empty", "r", "10.0.3.1/24")
            .uplink("up", "r", "here", "203.0.113.2/24")
            .route("r", "0.0.0.0/0 port up via 203.0.113.1")
            .vm("m1", "members")
            .vm("m2", "members")
            .vm("beside", "members")
            .vm("client", "clients")
            .pool("web", "10.0.1.5:8080", "10.0.1.6:8080"));

    VipScenariosTest() {
        net.settle("m1", "10.0.1.5");
        net.settle("m2", "10.0.1.6");
        net.settle("beside", "10.0.1.9");
        net.settle("client", "10.0.2.9");
        net.learnNeighbour("r", "203.0.113.1", OUTSIDE_MAC);
    }

    private Frames from(String port, Frames frame) {
        return switch (port) {
            case "up" -> frame.from(OUTSIDE_MAC).to(net.mac("up"));
            case "client" -> frame.from(net.mac(port)).to(net.mac("r-clients"));
            default -> frame.from(net.mac(port)).to(net.mac("r-members"));
        };
    }

    @ParameterizedTest(name = "VIP in the {0} subnet, client in the {1} subnet")
    @CsvSource({
        "members, members", "members, clients", "members, outside",
        "clients, members", "clients, clients", "clients, outside",
        "empty, members", "empty, clients", "empty, outside",
        "outside, members", "outside, clients", "outside, outside"
    })
    void aClientReachesAMemberAndHearsTheVip(String vipIn, String clientIn) {
        String vip =
                switch (vipIn) {
                    case "members" -> "10.0.1.100";
                    case "clients" -> "10.0.2.100";
                    case "empty" -> "10.0.3.100";
                    default -> "203.0.113.100";
                };
        net.change(t -> t.balancer("r", "front", vip + " tcp 80", "web"));
        net.network().natPools().stream()
                .filter(pool -> pool.name().equals("hairpin at r-members")
                        && pool.address(0).isV4())
                .forEach(pool -> net.tables()
                        .blocks()
                        .grant(pool.tag(), 0, IpAddress.parse("10.0.1.1").low(), 40000, 64));
        String port = clientIn.equals("members") ? "beside" : clientIn.equals("clients") ? "client" : "up";
        String client = clientIn.equals("members") ? "10.0.1.9" : clientIn.equals("clients") ? "10.0.2.9" : OUTSIDER;

        if (vipIn.equals(clientIn) && !clientIn.equals("outside")) {
            var asks = Frames.arpRequest(client, vip).from(net.mac(port));
            assertThat(net.inject(port, asks).emitted())
                    .as("the router answers for the VIP")
                    .singleElement()
                    .asString()
                    .contains("arp reply " + vip + " > " + client);
        }
        String there = net.inject(
                        port,
                        from(port, Frames.tcp(client + ":4000", vip + ":80").flags(2)))
                .outcome();
        assertThat(there).contains("set-dst 10.0.1.", "set-l4-dst 8080").containsPattern("output m[12]$");

        String member = there.substring(there.lastIndexOf(' ') + 1);
        String seen = word(there, "set-src", client);
        String seenPort = word(there, "set-l4-src", "4000");
        var back = net.inject(
                member,
                from(
                        member,
                        Frames.tcp(word(there, "set-dst", "") + ":8080", seen + ":" + seenPort)
                                .flags(18)));
        assertThat(back.outcome()).contains("set-src " + vip, "set-l4-src 80").endsWith("output " + port);
        assertThat(word(back.outcome(), "set-dst", client)).isEqualTo(client);
    }

    private static String word(String actions, String action, String otherwise) {
        return Arrays.stream(actions.split(", "))
                .filter(each -> each.startsWith(action + " "))
                .map(each -> each.substring(action.length() + 1))
                .findFirst()
                .orElse(otherwise);
    }
}
