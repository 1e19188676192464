package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.sim.packet.Frames;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Routes to networks behind VMs and other routers, several uplinks, several subnets on one link, both families. */
class RoutingScenariosTest {
    private static final String LEFT_MAC = "02:00:00:00:99:01";
    private static final String RIGHT_MAC = "02:00:00:00:99:02";

    private final Topology net = Topology.build(t -> t.bridge("b1")
            .bridge("b2")
            .router("r")
            .join("b1", "r", "10.0.1.1/24", "172.16.1.1/24", "fd00:1::1/64")
            .join("b2", "r", "10.0.2.1/24", "fd00:2::1/64")
            .uplink("left", "r", "here", "203.0.113.2/30", "2001:db8:1::2/64")
            .uplink("right", "r", "here", "203.0.113.6/30", "2001:db8:2::2/64")
            .vm("a", "b1")
            .vm("b", "b1")
            .vm("z", "b2")
            .vm("y", "b2"));

    RoutingScenariosTest() {
        net.settle("a", "10.0.1.5", "fd00:1::5");
        net.settle("b", "172.16.1.6", "fd00:1::6");
        net.settle("z", "10.0.2.9", "fd00:2::9");
        net.settle("y", "10.0.2.8", "fd00:2::8");
        net.learnNeighbour("r", "203.0.113.1", LEFT_MAC);
        net.learnNeighbour("r", "203.0.113.5", RIGHT_MAC);
        net.learnNeighbour("r", "2001:db8:1::1", LEFT_MAC);
        net.learnNeighbour("r", "2001:db8:2::1", RIGHT_MAC);
    }

    private String to(String address) {
        var frame = address.contains(":")
                ? Frames.udp("[fd00:1::5]:1", "[" + address + "]:2")
                : Frames.udp("10.0.1.5:1", address + ":2");
        return net.inject("a", frame.from(net.mac("a")).to(net.mac("r-b1"))).outcome();
    }

    private String into(String uplink, Frames frame) {
        String mac = uplink.equals("left") ? LEFT_MAC : RIGHT_MAC;
        return net.inject(uplink, frame.from(mac).to(net.mac(uplink))).outcome();
    }

    @Test
    void aNetworkBehindAVmIsReachedThroughIt() {
        assertThat(to("192.168.7.1")).isEqualTo("drop no-route");
        net.change(t -> t.route("r", "192.168.7.0/24 port r-b2 via 10.0.2.9"));
        assertThat(to("192.168.7.1")).endsWith("output z");
        assertThat(net.inject(
                                "z",
                                Frames.udp("192.168.7.1:2", "10.0.1.5:1")
                                        .from(net.mac("z"))
                                        .to(net.mac("r-b2")))
                        .outcome())
                .as("and answers")
                .endsWith("output a");
    }

    @Test
    void anExtraRouteThatGoesLeadsNowhereAgain() {
        net.change(t -> t.route("r", "192.168.7.0/24 port r-b2 via 10.0.2.9"));
        assertThat(to("192.168.7.1")).endsWith("output z");
        net.change(t -> t.removeRoute("r", "192.168.7.0/24 port r-b2 via 10.0.2.9"));
        assertThat(net.flows()).isEmpty();
        assertThat(to("192.168.7.1")).isEqualTo("drop no-route");
    }

    @Test
    void anExtraRouteFollowsItsNextHop() {
        net.change(t -> t.route("r", "192.168.7.0/24 port r-b2 via 10.0.2.9"));
        assertThat(to("192.168.7.1")).endsWith("output z");
        net.change(t -> t.removeRoute("r", "192.168.7.0/24 port r-b2 via 10.0.2.9")
                .route("r", "192.168.7.0/24 port r-b2 via 10.0.2.8"));
        assertThat(to("192.168.7.1")).endsWith("output y");
    }

    @Test
    void severalExtraRoutesStandBesideEachOther() {
        net.change(t -> t.route("r", "192.168.7.0/24 port r-b2 via 10.0.2.9")
                .route("r", "192.168.8.0/24 port r-b2 via 10.0.2.8")
                .route("r", "fd00:77::/64 port r-b2 via fd00:2::8"));
        assertThat(to("192.168.7.1")).endsWith("output z");
        assertThat(to("192.168.8.1")).endsWith("output y");
        assertThat(to("fd00:77::1")).endsWith("output y");
    }

    @Test
    void aLongerExtraRouteWinsWhateverTheWeights() {
        net.change(t -> t.route("r", "192.168.0.0/16 port r-b2 via 10.0.2.9 weight 255")
                .route("r", "192.168.7.0/24 port r-b2 via 10.0.2.8 weight 1"));
        assertThat(to("192.168.7.1")).endsWith("output y");
        assertThat(to("192.168.6.1")).endsWith("output z");
    }

    @Test
    void anExtraRouteToAnAddressAloneDoesNotTakeItsNeighbours() {
        net.change(t -> t.route("r", "192.168.7.7/32 port r-b2 via 10.0.2.9"));
        assertThat(to("192.168.7.7")).endsWith("output z");
        assertThat(to("192.168.7.8")).isEqualTo("drop no-route");
    }

    @Test
    void severalSubnetsOnOneLinkAreRoutedToEachOther() {
        var back = net.inject(
                "b", Frames.udp("172.16.1.6:1", "10.0.1.5:2").from(net.mac("b")).to(net.mac("r-b1")));
        assertThat(back.outcome()).as("out of the port it came in by").endsWith("output a");
        assertThat(to("172.16.1.6")).endsWith("output b");
        assertThat(net.inject(
                                "b",
                                Frames.echoRequest("172.16.1.6", "172.16.1.1", 7, 1)
                                        .from(net.mac("b"))
                                        .to(net.mac("r-b1")))
                        .emitted())
                .as("the router is there in both")
                .singleElement()
                .asString()
                .contains("172.16.1.1 > 172.16.1.6");
    }

    @Test
    void twoUplinksShareInProportionAndEachPairStaysWithOne() {
        net.change(t -> t.route("r", "0.0.0.0/0 port left via 203.0.113.1 weight 1")
                .route("r", "0.0.0.0/0 port right via 203.0.113.5 weight 3"));
        int left = 0;
        for (int i = 0; i < 400; i++) {
            String address = "198.51." + (100 + i / 200) + "." + (i % 200);
            String way = to(address);
            assertThat(to(address)).isEqualTo(way);
            left += way.endsWith("output left") ? 1 : 0;
        }
        assertThat(left).isBetween(60, 140);
    }

    @Test
    void whenOneUplinkGoesTheOtherTakesAll() {
        net.change(t ->
                t.route("r", "0.0.0.0/0 port left via 203.0.113.1").route("r", "0.0.0.0/0 port right via 203.0.113.5"));
        Set<String> ways = new HashSet<>();
        for (int i = 0; i < 64; i++) {
            String way = to("198.51.100." + i);
            ways.add(way.substring(way.lastIndexOf(' ')));
        }
        assertThat(ways).containsExactlyInAnyOrder(" left", " right");
        net.change(t -> t.removeRoute("r", "0.0.0.0/0 port left via 203.0.113.1"));
        for (int i = 0; i < 64; i++) {
            assertThat(to("198.51.100." + i)).endsWith("output right");
        }
        net.change(t -> t.route("r", "0.0.0.0/0 port left via 203.0.113.1"));
        assertThat(net.flows()).as("decided anew when it is back").isEmpty();
    }

    @Test
    void anUplinkOfBothFamiliesCarriesBothAndAnswersMayComeByAnother() {
        net.change(t ->
                t.route("r", "0.0.0.0/0 port left via 203.0.113.1").route("r", "::/0 port left via 2001:db8:1::1"));
        assertThat(to("198.51.100.7")).endsWith("output left");
        assertThat(to("2001:db8:9::7")).endsWith("output left");
        assertThat(into("right", Frames.udp("[2001:db8:9::7]:2", "[fd00:1::5]:1")))
                .as("asymmetric")
                .endsWith("output a");
        assertThat(into("right", Frames.udp("198.51.100.7:2", "10.0.1.5:1"))).endsWith("output a");
    }

    @Test
    void manyVmsPingEachOtherOverVersionSix() {
        String[][] pairs = {{"a", "b"}, {"b", "a"}, {"a", "z"}, {"z", "a"}, {"z", "y"}, {"y", "b"}};
        for (String[] pair : pairs) {
            boolean same = (pair[0] + pair[1]).matches("[ab]{2}|[yz]{2}");
            String gateway = "ab".contains(pair[0]) ? "r-b1" : "r-b2";
            var ping = Frames.echoRequest(six(pair[0]), six(pair[1]), 7, 1)
                    .from(net.mac(pair[0]))
                    .to(net.mac(same ? pair[1] : gateway));
            assertThat(net.inject(pair[0], ping).outcome()).endsWith("output " + pair[1]);
        }
    }

    private static String six(String vm) {
        return switch (vm) {
            case "a" -> "fd00:1::5";
            case "b" -> "fd00:1::6";
            case "y" -> "fd00:2::8";
            default -> "fd00:2::9";
        };
    }
}
