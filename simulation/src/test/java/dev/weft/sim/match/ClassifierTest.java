package dev.weft.sim.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import dev.weft.base.Property;
import java.util.Arrays;
import java.util.List;

/** Against a walk from rule to rule that knows nothing of how a classifier is made. */
class ClassifierTest {
    @org.junit.jupiter.api.Test
    void findsTheRuleThatAWalkFinds() {
        Property.check("first rule", 300, random -> {
            var world = new RandomRules(random, random.nextInt(1, 200));
            var classifier = Classifier.of(world.rules);
            for (int i = 0; i < 200; i++) {
                FakePacket packet = world.packet();
                int from = random.nextInt(3) == 0 ? random.nextInt(world.rules.size()) : 0;
                assertThat(classifier.first(from, packet)).isEqualTo(walk(world.rules, from, packet));
            }
        });
    }

    @org.junit.jupiter.api.Test
    void whatItUsedProvesTheAnswer() {
        Property.check("proof", 300, random -> {
            var world = new RandomRules(random, random.nextInt(1, 200));
            var classifier = Classifier.of(world.rules);
            for (int i = 0; i < 60; i++) {
                FakePacket packet = world.packet();
                int found = classifier.first(0, packet);
                for (int j = 0; j < 20; j++) {
                    FakePacket other = world.packet();
                    var blended = new FakePacket();
                    blended.blend(packet, other);
                    assertThat(walk(world.rules, 0, blended)).isEqualTo(found);
                }
            }
        });
    }

    @org.junit.jupiter.api.Test
    void usesNoMoreOfAnAddressThanTellsItFromTheRules() {
        var classifier = Classifier.of(
                List.of(to("10.0.0.0/8", 80), to("10.1.0.0/16", 80), to("10.2.0.0/16", 443), to("192.0.2.0/24", 80)));
        var packet = packetTo("10.128.0.1", 22);
        assertThat(classifier.first(0, packet)).isEqualTo(Classifier.NONE);
        assertThat(Long.bitCount(packet.usedLow[Fields.DST]))
                .as("up to the bit that is neither 1 nor 2")
                .isEqualTo(41);
        assertThat(packet.usedHigh[Fields.SRC] | packet.usedLow[Fields.SRC])
                .as("no rule looks at it")
                .isZero();
        assertThat(packet.usedHigh[Fields.L4_DST])
                .as("one bit tells 22 from 80")
                .isEqualTo(0xffc0);
    }

    @org.junit.jupiter.api.Test
    void leavesPortsAloneWhereNoRuleOfThatAddressAsksForThem() {
        var classifier = Classifier.of(List.of(to("10.1.0.0/16", 80), to("10.2.0.0/16", 443)));
        var packet = packetTo("192.0.2.1", 80);
        assertThat(classifier.first(0, packet)).isEqualTo(Classifier.NONE);
        assertThat(packet.usedHigh[Fields.L4_DST]).isZero();
    }

    private static List<Test> to(String network, int port) {
        var set = new Test.AddressSet(List.of(dev.weft.base.IpPrefix.parse(network)));
        return List.of(
                new Test.Kind(Fields.IPV4),
                new Test.Ports(),
                new Test.Networks(Fields.DST, set, false),
                new Test.Values(Fields.L4_DST, List.of(new Test.Range(port, port)), false));
    }

    private static FakePacket packetTo(String address, int port) {
        var packet = new FakePacket();
        packet.high[Fields.PROTOCOL] = 6;
        packet.high[Fields.DST] = IpAddress.parse(address).high();
        packet.low[Fields.DST] = IpAddress.parse(address).low();
        packet.high[Fields.L4_DST] = port;
        return packet;
    }

    private static int walk(List<List<Test>> rules, int from, FakePacket packet) {
        FakePacket reader = packet.copy(); // keeps the book of the packet itself clean
        for (int i = from; i < rules.size(); i++) {
            if (rules.get(i).stream().allMatch(test -> holds(test, reader))) {
                return i;
            }
        }
        return Classifier.NONE;
    }

    private static boolean holds(Test test, FakePacket packet) {
        return switch (test) {
            case Test.Kind kind -> (kind.kinds() & packet.kind) != 0;
            case Test.Fragment fragment -> (fragment.fragments() & packet.fragment) != 0;
            case Test.Ports any -> packet.hasPorts();
            case Test.Icmp any -> packet.hasIcmp();
            case Test.Quote any -> packet.hasQuote();
            case Test.Values values -> {
                long value = packet.value(values.field()) & 0xffff_ffffL;
                yield values.inverted()
                        != values.ranges().stream().anyMatch(r -> r.low() <= value && value <= r.high());
            }
            case Test.Networks networks -> {
                var address = new IpAddress(packet.high(networks.field()), packet.low(networks.field()));
                yield networks.inverted()
                        != networks.set().networks().stream().anyMatch(network -> network.contains(address));
            }
            case Test.Macs macs ->
                macs.inverted()
                        != macs.patterns().stream()
                                .anyMatch(p -> ((packet.mac(macs.field()) ^ p.bits()) & p.mask()) == 0);
            case Test.Place place -> {
                int where = packet.value(place.field());
                yield where >= 0
                        && place.inverted()
                                != Arrays.stream(place.sortedIndices()).anyMatch(index -> index == where);
            }
            case Test.Crossed crossed -> crossed.inverted() != packet.crossed(crossed.place(), crossed.sortedIndices());
            case Test.Not not -> !not.tests().stream().allMatch(inner -> holds(inner, packet));
        };
    }
}
