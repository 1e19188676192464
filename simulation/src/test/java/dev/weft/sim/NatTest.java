package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.packet.Frames;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a router makes of addresses, as a specification. */
class NatTest extends NatNetwork {
    @Test
    void sourceBecomesAPublicAddressAndTheAnswerFindsItsWayBack() {
        sourceNat();
        String out = fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"));
        assertThat(out).contains("set-src 203.0.113.10").endsWith("output up");
        int port = port(out, "set-l4-src");
        assertThat(port).isBetween(20000, 20063);
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "203.0.113.10:" + port)))
                .contains("set-dst 10.0.1.5")
                .contains("set-l4-dst 1000")
                .endsWith("output a");
        assertThat(fromOutside(Frames.udp("8.8.4.4:53", "203.0.113.10:" + port)))
                .as("a stranger's packet answers nothing")
                .doesNotContain("output a");
    }

    @Test
    void oneConnectionKeepsItsPort() {
        sourceNat();
        String first = fromA(Frames.tcp("10.0.1.5:1000", "8.8.8.8:443").flags(2));
        assertThat(fromA(Frames.tcp("10.0.1.5:1000", "8.8.8.8:443"))).isEqualTo(first);
        assertThat(fromA(Frames.tcp("10.0.1.5:1001", "8.8.8.8:443").flags(2))).isNotEqualTo(first);
    }

    @Test
    void keepsThePacketsOwnPortWhereItIsFree() {
        sourceNat();
        assertThat(fromA(Frames.udp("10.0.1.5:20007", "8.8.8.8:53")))
                .contains("set-src 203.0.113.10")
                .doesNotContain("set-l4-src");
        String other = net.inject("b", from("b", "r-b1", Frames.udp("10.0.1.6:20007", "8.8.8.8:53")))
                .outcome();
        assertThat(port(other, "set-l4-src")).isNotEqualTo(20007);
    }

    @Test
    void oneBlockServesManyDestinationsAndOneDestinationOnlyAsManyAsItHasPorts() {
        net.change(t -> t.nat("r", "out", "source out of up to 203.0.113.10"));
        net.grant("out", "203.0.113.10", 20000, 4);
        for (int i = 1; i <= 100; i++) {
            assertThat(fromA(Frames.udp("10.0.1.5:1000", "8.8.8." + i + ":53"))).endsWith("output up");
        }
        for (int i = 0; i < 3; i++) {
            assertThat(fromA(Frames.udp("10.0.1.5:" + (2000 + i), "8.8.8.1:53")))
                    .endsWith("output up");
        }
        assertThat(fromA(Frames.udp("10.0.1.5:3000", "8.8.8.1:53"))).isEqualTo("park for ports");
        net.tables().blocks().exhausted(dev.weft.base.Tag.device(Topology.id("nat", "out")), net.now + 1);
        var refused = net.inject("a", from("a", "r-b1", Frames.udp("10.0.1.5:3000", "8.8.8.1:53")));
        assertThat(refused.outcome()).isEqualTo("drop nat-exhausted");
        assertThat(refused.cacheable()).isFalse();
        assertThat(refused.emitted()).singleElement().asString().contains("icmp");
    }

    @Test
    void waitsForABlockAndAsksForTheNextOneAhead() {
        net.change(t -> t.nat("r", "out", "source out of up to 203.0.113.10"));
        var packet =
                from("a", "r-b1", Frames.udp("10.0.1.5:1000", "8.8.8.8:53")).packet();
        packet.key.setIngress(net.portIndex("a") + 1, 0);
        var out = new Outcome();
        net.simulator().simulate(packet, net.portIndex("a"), net.now, out);
        assertThat(out.kind()).isEqualTo(Outcome.Kind.PARK);
        assertThat(out.isParkedOnPool()).isTrue();
        net.grant("out", "203.0.113.10", 20000, 64);
        net.simulator().simulate(packet, net.portIndex("a"), net.now, out);
        assertThat(out.kind()).isEqualTo(Outcome.Kind.FORWARD);
        assertThat(out.wantedPool()).isZero();
    }

    @Test
    void trafficBetweenInsideNetworksIsLeftAloneAndSharesItsFlows() {
        sourceNat();
        String east = fromA(Frames.udp("10.0.1.5:1000", "10.0.2.9:53"));
        assertThat(east).doesNotContain("set-src").endsWith("output c");
        int flows = net.flows().size();
        var again = net.look(
                "a",
                from("a", "r-b1", Frames.udp("10.0.1.5:2222", "10.0.2.9:99")).packet());
        assertThat(again.mask().word(7) & 0xffff_ffffL)
                .as("ports do not matter")
                .isZero();
        assertThat(net.flows()).hasSize(flows);
    }

    @Test
    void echoIsTranslatedByItsId() {
        sourceNat();
        String out = fromA(Frames.echoRequest("10.0.1.5", "8.8.8.8", 7, 1));
        int id = port(out, "set-icmp-id");
        assertThat(fromOutside(Frames.echoReply("8.8.8.8", "203.0.113.10", id, 1)))
                .contains("set-dst 10.0.1.5")
                .contains("set-icmp-id 7")
                .endsWith("output a");
        assertThat(fromOutside(Frames.echoReply("8.8.8.8", "203.0.113.10", id + 1, 1)))
                .doesNotContain("output");
    }

    @Test
    void staticAddressWorksBothWaysWithoutAnyRecord() {
        net.change(t -> t.nat("r", "floating", "static from 10.0.1.5 out of up to 203.0.113.5"));
        assertThat(fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53")))
                .contains("set-src 203.0.113.5")
                .doesNotContain("set-l4-src")
                .endsWith("output up");
        assertThat(fromOutside(Frames.tcp("198.51.100.7:4000", "203.0.113.5:22").flags(2)))
                .contains("set-dst 10.0.1.5")
                .endsWith("output a");
        assertThat(net.tables().connections().size()).isZero();
        assertThat(fromOutside(Frames.ip("198.51.100.7", "203.0.113.5", 47)))
                .as("any protocol")
                .contains("set-dst 10.0.1.5");
    }

    @Test
    void destinationRuleSendsToTheInsideAndTheAnswerComesFromThePublicAddress() {
        net.change(t -> t.nat("r", "web", "destination for 203.0.113.9 tcp 80 to 10.0.1.5 ports 8080"));
        String in =
                fromOutside(Frames.tcp("198.51.100.7:4000", "203.0.113.9:80").flags(2));
        assertThat(in).contains("set-dst 10.0.1.5").contains("set-l4-dst 8080").endsWith("output a");
        assertThat(fromA(Frames.tcp("10.0.1.5:8080", "198.51.100.7:4000").flags(2)))
                .contains("set-src 203.0.113.9")
                .contains("set-l4-src 80")
                .endsWith("output up");
        assertThat(fromA(Frames.tcp("10.0.1.5:8080", "198.51.100.7:4001").flags(2)))
                .as("what the VM begins itself is no answer")
                .doesNotContain("set-src 203");
        assertThat(fromOutside(Frames.udp("198.51.100.7:4000", "203.0.113.9:80")))
                .as("another protocol")
                .doesNotContain("output a");
    }

    @Test
    void rangeOfPortsBecomesAnotherOfTheSameLength() {
        net.change(t -> t.nat("r", "games", "destination for 203.0.113.9 udp 5000-5010 to 10.0.1.5 ports 7000-7010"));
        for (int port : new int[] {5000, 5007, 5010}) {
            assertThat(fromOutside(Frames.udp("198.51.100.7:4000", "203.0.113.9:" + port)))
                    .contains("set-dst 10.0.1.5")
                    .contains("set-l4-dst " + (port + 2000))
                    .endsWith("output a");
            assertThat(fromA(Frames.udp("10.0.1.5:" + (port + 2000), "198.51.100.7:4000")))
                    .contains("set-src 203.0.113.9")
                    .contains("set-l4-src " + port);
        }
        for (int port : new int[] {4999, 5011}) {
            assertThat(fromOutside(Frames.udp("198.51.100.7:4000", "203.0.113.9:" + port)))
                    .doesNotContain("output a");
        }
    }

    @Test
    void destinationRuleSpreadsConnectionsOverItsAddressesAndKeepsEachWhereItIs() {
        net.change(t -> t.nat("r", "web", "destination for 203.0.113.9 tcp 80 to 10.0.1.5 to 10.0.1.6"));
        Map<String, Integer> served = new HashMap<>();
        for (int i = 0; i < 64; i++) {
            String client = "198.51.100.7:" + (4000 + i);
            String first = fromOutside(Frames.tcp(client, "203.0.113.9:80").flags(2));
            assertThat(fromOutside(Frames.tcp(client, "203.0.113.9:80"))).isEqualTo(first);
            served.merge(first.substring(first.lastIndexOf(' ') + 1), 1, Integer::sum);
        }
        assertThat(served).containsOnlyKeys("a", "b");
    }

    @Test
    void destinationAndSourceRulesTogetherMakeAHairpin() {
        net.change(t -> t.nat("r", "web", "destination for 203.0.113.9 tcp 80 to 10.0.1.5 ports 8080")
                .nat("r", "out", "source from 10.0.0.0/8 out of up to 203.0.113.10"));
        net.grant("out", "203.0.113.10", 20000, 64);
        String there = net.inject(
                        "b",
                        from(
                                "b",
                                "r-b1",
                                Frames.tcp("10.0.1.6:4000", "203.0.113.9:80").flags(2)))
                .outcome();
        assertThat(there)
                .contains("set-src 203.0.113.10")
                .contains("set-dst 10.0.1.5")
                .endsWith("output a");
        int port = port(there, "set-l4-src");
        assertThat(fromA(Frames.tcp("10.0.1.5:8080", "203.0.113.10:" + port).flags(2)))
                .contains("set-src 203.0.113.9")
                .contains("set-l4-src 80")
                .contains("set-dst 10.0.1.6")
                .contains("set-l4-dst 4000")
                .endsWith("output b");
    }

    @Test
    void errorAboutATranslatedPacketReachesItsSenderWithWhatTheSenderSent() {
        sourceNat();
        String out = fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"));
        int port = port(out, "set-l4-src");
        var quoted = Frames.udp("203.0.113.10:" + port, "8.8.8.8:53");
        var sent = net.inject(
                "up", outside(Frames.icmp("192.0.2.77", "203.0.113.10", 3, 1, 0).payload(quoted.ipBytes())));
        assertThat(sent.outcome()).contains("set-dst 10.0.1.5").endsWith("output a");
        assertThat(sent.cacheable()).isFalse();
    }

    @Test
    void forgedErrorIsNotTranslated() {
        sourceNat();
        int port = port(fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53")), "set-l4-src");
        var quoted = Frames.udp("203.0.113.10:" + port, "8.8.8.9:53");
        var sent = net.inject(
                "up", outside(Frames.icmp("192.0.2.77", "203.0.113.10", 3, 1, 0).payload(quoted.ipBytes())));
        assertThat(sent.outcome()).doesNotContain("output a");
    }

    @Test
    void nothingOfNoConnectionLeavesWithAnInsideSource() {
        sourceNat();
        assertThat(fromA(Frames.echoReply("10.0.1.5", "8.8.8.8", 7, 1))).isEqualTo("drop not-translatable");
        assertThat(fromA(Frames.icmp("10.0.1.5", "8.8.8.8", 13, 0, 0))).isEqualTo("drop not-translatable");
    }

    @Test
    void versionSixIsTranslatedTheSameWay() {
        net.change(t -> t.nat("r", "out6", "source from fd00::/16 out of up to 2001:db8::10"));
        net.grant("out6", "2001:db8::10", 20000, 64);
        String out = fromA(Frames.tcp("[fd00:1::5]:1000", "[2001:4860::8]:443").flags(2));
        assertThat(out).contains("set-src 2001:db8::10").endsWith("output up");
        assertThat(fromOutside(Frames.tcp("[2001:4860::8]:443", "[2001:db8::10]:" + port(out, "set-l4-src"))))
                .contains("set-dst fd00:1::5")
                .contains("set-l4-dst 1000")
                .endsWith("output a");
    }

    @Test
    void routerAnswersArpForPublicAddressesOfTheSubnet() {
        sourceNat();
        assertThat(net.inject(
                                "up",
                                Frames.arpRequest("203.0.113.1", "203.0.113.10").from(OUTSIDE_MAC))
                        .emitted())
                .singleElement()
                .asString()
                .contains("203.0.113.10");
        assertThat(net.inject(
                                "up",
                                Frames.arpRequest("203.0.113.1", "203.0.113.11").from(OUTSIDE_MAC))
                        .emitted())
                .isEmpty();
    }

    @Test
    void connectionTakesAnotherWayWhenItsRuleChanges() {
        sourceNat();
        String first = fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"));
        int before = port(first, "set-l4-src");
        net.change(t -> t.nat("r", "out", "source from 10.0.0.0/8 out of up to 203.0.113.20"));
        net.grant("out", "203.0.113.20", 30000, 64);
        assertThat(net.flows()).as("decided again").isEmpty();
        String second = fromA(Frames.udp("10.0.1.5:1000", "8.8.8.8:53"));
        assertThat(second).contains("set-src 203.0.113.20");
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "203.0.113.10:" + before)))
                .doesNotContain("output a");
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "203.0.113.20:" + port(second, "set-l4-src"))))
                .endsWith("output a");
    }

    @Test
    void statefulPortBehindTranslationGetsItsAnswersAndErrors() {
        sourceNat();
        String out = net.inject("s", from("s", "r-b2", Frames.udp("10.0.2.7:1000", "8.8.8.8:53")))
                .outcome();
        int port = port(out, "set-l4-src");
        assertThat(fromOutside(Frames.udp("8.8.8.8:53", "203.0.113.10:" + port)))
                .endsWith("output s");
        var quoted = Frames.udp("203.0.113.10:" + port, "8.8.8.8:53");
        assertThat(net.inject(
                                "up",
                                outside(Frames.icmp("192.0.2.77", "203.0.113.10", 3, 1, 0)
                                        .payload(quoted.ipBytes())))
                        .outcome())
                .endsWith("output s");
    }

    @Test
    void noTwoLiveConnectionsShareAnAnswerAndEachFindsItsWayBack() {
        Property.check("public ports", 30, random -> {
            var world = new NatTest();
            world.net.change(t -> t.nat("r", "out", "source out of up to 203.0.113.10 to 203.0.113.11"));
            world.net.grant("out", "203.0.113.10", 20000, 1 + random.nextInt(16));
            world.net.grant("out", "203.0.113.11", 30000, 1 + random.nextInt(16));
            Map<String, String> vmOfAnswer = new HashMap<>();
            for (int i = 0; i < 200; i++) {
                boolean first = random.nextBoolean();
                String inside = (first ? "10.0.1.5" : "10.0.1.6") + ":" + (1000 + random.nextInt(40));
                String server = "8.8.8." + random.nextInt(4) + ":" + (53 + random.nextInt(2));
                String out = world.net
                        .inject(first ? "a" : "b", world.from(first ? "a" : "b", "r-b1", Frames.udp(inside, server)))
                        .outcome();
                if (out.equals("park for ports")) {
                    continue;
                }
                String address = out.substring(out.indexOf("set-src ") + 8).split(",")[0];
                int port = out.contains("set-l4-src") ? port(out, "set-l4-src") : insidePort(inside);
                String before = vmOfAnswer.put(server + " > " + address + ":" + port, inside);
                assertThat(before == null || before.equals(inside))
                        .as("%s and %s both have %s", before, inside, address + ":" + port)
                        .isTrue();
            }
            assertThat(vmOfAnswer).isNotEmpty();
            vmOfAnswer.forEach((answer, inside) -> {
                String[] ends = answer.split(" > ");
                String back = world.fromOutside(Frames.udp(ends[0], ends[1]));
                assertThat(back).contains("set-dst " + inside.split(":")[0]);
                if (back.contains("set-l4-dst")) {
                    assertThat(port(back, "set-l4-dst")).isEqualTo(insidePort(inside));
                }
            });
        });
    }
}
