package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.packet.Frames;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How a router spreads connections over the members of a pool, as a specification. */
class BalancerTest {
    private static final String OUTSIDE_MAC = "02:00:00:00:99:01";
    private static final String VIP = "203.0.113.80";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .uplink("up", "r", "here", "203.0.113.2/24", "2001:db8::2/64")
            .route("r", "0.0.0.0/0 port up via 203.0.113.1")
            .route("r", "::/0 port up via 2001:db8::1")
            .vm("m1", "b1")
            .vm("m2", "b1")
            .vm("m3", "b2")
            .vm("c", "b1")
            .pool("web", "10.0.1.5:8080", "10.0.1.6:8080", "10.0.2.7:8080")
            .balancer("r", "front", VIP + " tcp 80", "web"));

    BalancerTest() {
        net.settle("m1", "10.0.1.5", "fd00:1::5");
        net.settle("m2", "10.0.1.6", "fd00:1::6");
        net.settle("m3", "10.0.2.7", "fd00:2::7");
        net.settle("c", "10.0.1.9");
        net.learnNeighbour("r", "203.0.113.1", OUTSIDE_MAC);
        net.learnNeighbour("r", "2001:db8::1", OUTSIDE_MAC);
    }

    private Topology.Sent from(String client, int port, int flags) {
        return net.inject(
                "up",
                Frames.tcp(client + ":" + port, VIP + ":80")
                        .flags(flags)
                        .from(OUTSIDE_MAC)
                        .to(net.mac("up")));
    }

    private String syn(int port) {
        return memberOf(from("198.51.100.7", port, 2).outcome());
    }

    private String later(int port) {
        return memberOf(from("198.51.100.7", port, 0).outcome());
    }

    /** {@code m1}, from {@code ... output m1}. */
    private static String memberOf(String outcome) {
        return outcome.contains("output ") ? outcome.substring(outcome.indexOf("output ") + 7) : outcome;
    }

    @Test
    void spreadsConnectionsAndTranslatesTheirAnswersBack() {
        Set<String> served = new HashSet<>();
        for (int port = 1000; port < 1100; port++) {
            served.add(syn(port));
        }
        assertThat(served).containsExactlyInAnyOrder("m1", "m2", "m3");
        String first = from("198.51.100.7", 1000, 0).outcome();
        assertThat(first).contains("set-l4-dst 8080");
        String member = memberOf(first);
        String address =
                Map.of("m1", "10.0.1.5", "m2", "10.0.1.6", "m3", "10.0.2.7").get(member);
        String gate = member.equals("m3") ? "r-b2" : "r-b1";
        assertThat(net.inject(
                                member,
                                Frames.tcp(address + ":8080", "198.51.100.7:1000")
                                        .from(net.mac(member))
                                        .to(net.mac(gate)))
                        .outcome())
                .contains("set-src " + VIP)
                .contains("set-l4-src 80")
                .endsWith("output up");
    }

    @Test
    void connectionStaysWhereItIsWhateverBecomesOfThePool() {
        Map<Integer, String> before = new HashMap<>();
        for (int port = 1000; port < 1200; port++) {
            before.put(port, syn(port));
        }
        net.change(t -> t.vm("m4", "b2"));
        net.settle("m4", "10.0.2.8");
        net.change(t -> t.pool("web", "10.0.1.5:8080", "!10.0.1.6:8080", "10.0.2.7:8080*5", "10.0.2.8:8080"));
        before.forEach((port, member) ->
                assertThat(later(port)).as("connection of port %d", port).isEqualTo(member));
        for (int port = 2000; port < 2200; port++) {
            assertThat(syn(port))
                    .as("no new connection to a member that drains")
                    .isNotEqualTo("m2");
        }
    }

    @Test
    void connectionOfAMemberThatWasRemovedGoesToAnother() {
        syn(1000);
        String before = later(1000);
        String[] others = Arrays.stream(new String[] {"10.0.1.5:8080", "10.0.1.6:8080", "10.0.2.7:8080"})
                .filter(member -> !member.startsWith(Map.of("m1", "10.0.1.5", "m2", "10.0.1.6", "m3", "10.0.2.7")
                        .get(before)))
                .toArray(String[]::new);
        net.change(t -> t.pool("web", others));
        assertThat(later(1000)).isIn("m1", "m2", "m3").isNotEqualTo(before);
    }

    @Test
    void newConnectionsAvoidAMemberThatIsDownAndOldOnesWaitForIt() {
        Map<Integer, String> before = new HashMap<>();
        for (int port = 1000; port < 1100; port++) {
            before.put(port, syn(port));
        }
        net.down("web", "10.0.1.5", 8080, true);
        for (int port = 2000; port < 2100; port++) {
            assertThat(syn(port)).isNotEqualTo("m1");
        }
        before.forEach((port, member) -> assertThat(later(port)).isEqualTo(member));
        int ofM1 = before.entrySet().stream()
                .filter(entry -> entry.getValue().equals("m1"))
                .findFirst()
                .orElseThrow()
                .getKey();
        assertThat(syn(ofM1)).as("begun again").isNotEqualTo("m1");
        net.down("web", "10.0.1.5", 8080, false);
        Set<String> served = new HashSet<>();
        for (int port = 3000; port < 3100; port++) {
            served.add(syn(port));
        }
        assertThat(served).contains("m1");
    }

    @Test
    void refusesWhenNobodyIsThere() {
        for (String address : new String[] {"10.0.1.5", "10.0.1.6", "10.0.2.7"}) {
            net.down("web", address, 8080, true);
        }
        var refused = from("198.51.100.7", 1000, 2);
        assertThat(refused.outcome()).isEqualTo("drop no-member");
        assertThat(refused.emitted()).singleElement().asString().contains("icmp");
    }

    @Test
    void stickyClientMeetsOneMember() {
        net.change(t -> t.balancer("r", "front", VIP + " tcp 80 sticky", "web"));
        for (int client = 1; client < 40; client++) {
            Set<String> served = new HashSet<>();
            for (int port = 1000; port < 1010; port++) {
                served.add(memberOf(from("198.51.100." + client, port, 2).outcome()));
            }
            assertThat(served).as("client %d", client).hasSize(1);
        }
    }

    private Map<Integer, String> stickyClients(int port) {
        var members = new HashMap<Integer, String>();
        for (int client = 1; client < 200; client++) {
            members.put(client, memberOf(from("198.51.100." + client, port, 2).outcome()));
        }
        return members;
    }

    private void sticky(String... members) {
        net.change(t -> t.pool("web", members).balancer("r", "front", VIP + " tcp 80 sticky", "web"));
    }

    @Test
    void stickyClientWithAConnectionStaysWhenMembersComeAndGo() {
        sticky("10.0.1.5:8080", "10.0.1.6:8080");
        Map<Integer, String> before = stickyClients(1000);
        sticky("10.0.1.5:8080", "10.0.1.6:8080", "10.0.2.7:8080");
        assertThat(stickyClients(1001)).isEqualTo(before);
        int deviants = net.tables().stickyClients().size();
        assertThat(deviants)
                .as("a third moved in the table, no other is stored")
                .isBetween(30, 110);
        assertThat(memberOf(from("203.0.113.7", 1, 2).outcome()))
                .as("others go where the table says")
                .isNotEmpty();
        sticky("10.0.1.6:8080", "10.0.2.7:8080");
        Map<Integer, String> after = stickyClients(1002);
        assertThat(after.values()).doesNotContain("m1");
        before.forEach((client, member) -> {
            if (!member.equals("m1")) {
                assertThat(after).as("its member is still there").containsEntry(client, member);
            }
        });
    }

    @Test
    void newClientsOfAStickyBalancerGoToTheNewMemberToo() {
        sticky("10.0.1.5:8080", "10.0.1.6:8080");
        sticky("10.0.1.5:8080", "10.0.1.6:8080", "10.0.2.7:8080");
        assertThat(stickyClients(1000).values()).contains("m1", "m2", "m3");
        assertThat(net.tables().stickyClients().size()).isZero();
    }

    @Test
    void stickyClientLeavesAMemberThatIsDownAndStaysWhereItWent() {
        sticky("10.0.1.5:8080", "10.0.1.6:8080");
        Map<Integer, String> before = stickyClients(1000);
        net.down("web", "10.0.1.5", 8080, true);
        assertThat(stickyClients(1001).values()).containsOnly("m2");
        net.down("web", "10.0.1.5", 8080, false);
        Map<Integer, String> after = stickyClients(1002);
        before.forEach((client, member) -> assertThat(after.get(client)).isIn("m2", member));
        assertThat(after.values()).as("where they have connections now").contains("m2");
    }

    @Test
    void stickyClientIsForgottenLongAfterItsLastConnection() {
        sticky("10.0.1.5:8080", "10.0.1.6:8080");
        stickyClients(1000);
        sticky("10.0.1.5:8080", "10.0.1.6:8080", "10.0.2.7:8080");
        StickyClients clients = net.tables().stickyClients();
        int deviants = clients.size();
        assertThat(deviants).isPositive();
        var connections = net.tables().connections();
        for (int slot = 0; slot < connections.capacity(); slot++) {
            if (connections.isUsed(slot)) {
                connections.remove(slot);
            }
        }
        refresh(clients);
        assertThat(clients.size()).as("a while after").isEqualTo(deviants);
        net.now += StickyClients.KEPT_NANOS + 2_000_000_000L;
        refresh(clients);
        assertThat(clients.size()).isZero();
    }

    @Test
    void stickyClientStaysAsLongAsItHasAConnection() {
        sticky("10.0.1.5:8080", "10.0.1.6:8080");
        Map<Integer, String> before = stickyClients(1000);
        for (int client = 1; client < 200; client++) { // now they live for hours
            from("198.51.100." + client, 1000, 0);
        }
        sticky("10.0.1.5:8080", "10.0.1.6:8080", "10.0.2.7:8080");
        int deviants = net.tables().stickyClients().size();
        net.now += StickyClients.KEPT_NANOS / 2;
        refresh(net.tables().stickyClients());
        net.now += StickyClients.KEPT_NANOS / 2 + 2_000_000_000L;
        assertThat(net.tables().stickyClients().size()).isEqualTo(deviants);
        assertThat(stickyClients(1001)).isEqualTo(before);
    }

    /** Often enough to look at everything once. */
    private void refresh(StickyClients clients) {
        for (int i = 0; i < 64; i++) {
            clients.refresh(net.now, (rule, clientHigh, clientLow, memberHigh, memberLow, memberPort) -> {});
        }
    }

    @Test
    void clientOnTheMembersOwnSubnetGetsItsAnswersThroughTheRouter() {
        String pool = "hairpin at r-b1";
        var up = net.network().natPools().stream()
                .filter(each -> each.name().equals(pool) && each.address(0).isV4())
                .findFirst()
                .orElseThrow();
        net.tables()
                .blocks()
                .grant(up.tag(), 0, dev.weft.base.IpAddress.parse("10.0.1.1").low(), 40000, 64);
        String there = "";
        int clientPort = 1000;
        while (!there.endsWith("output m1")) {
            there = net.inject(
                            "c",
                            Frames.tcp("10.0.1.9:" + ++clientPort, VIP + ":80")
                                    .flags(2)
                                    .from(net.mac("c"))
                                    .to(net.mac("r-b1")))
                    .outcome();
        }
        assertThat(there).contains("set-src 10.0.1.1").contains("set-dst 10.0.1.5");
        int at = there.indexOf("set-l4-src ") + 11;
        String port = there.substring(at, there.indexOf(',', at));
        assertThat(net.inject(
                                "m1",
                                Frames.tcp("10.0.1.5:8080", "10.0.1.1:" + port)
                                        .from(net.mac("m1"))
                                        .to(net.mac("r-b1")))
                        .outcome())
                .contains("set-src " + VIP)
                .contains("set-dst 10.0.1.9")
                .contains("set-l4-dst " + clientPort)
                .endsWith("output c");
    }

    @Test
    void servesUdpAndVersionSix() {
        net.change(t ->
                t.pool("dns", "[fd00:1::5]:53", "[fd00:2::7]:53").balancer("r", "names", "2001:db8::53 udp 53", "dns"));
        Set<String> served = new HashSet<>();
        for (int port = 1000; port < 1050; port++) {
            served.add(memberOf(net.inject(
                            "up",
                            Frames.udp("[2001:4860::8]:" + port, "[2001:db8::53]:53")
                                    .from(OUTSIDE_MAC)
                                    .to(net.mac("up")))
                    .outcome()));
        }
        assertThat(served).containsExactlyInAnyOrder("m1", "m3");
    }

    @Test
    void placesFollowTheWeightsAndFewMoveWhenAMemberComes() {
        Property.check("shares", 20, random -> {
            int members = 2 + random.nextInt(50);
            long[] names = random.longs(members + 1).toArray();
            int[] weights = random.ints(members + 1, 1, 10).toArray();
            var before = MaglevTable.of(Arrays.copyOf(names, members), Arrays.copyOf(weights, members));
            int total = Arrays.stream(weights).limit(members).sum();
            int[] shares = before.shares(members);
            int places = Arrays.stream(shares).sum();
            for (int i = 0; i < members; i++) {
                double ideal = (double) places * weights[i] / total;
                assertThat(Math.abs(shares[i] - ideal)).isLessThanOrEqualTo(Math.max(2, 0.01 * ideal));
            }
            var after = MaglevTable.of(names, weights);
            int moved = 0;
            for (int place = 0; place < places; place++) {
                moved += before.member(place) != after.member(place) && after.member(place) != members ? 1 : 0;
            }
            assertThat(moved).as("between old members").isLessThan(places / 4);
        });
    }
}
