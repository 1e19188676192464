package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Packet;
import org.junit.jupiter.api.Test;

/** Whatever a flow's mask covers gets the flow's outcome, now and after any change that left the flow alone. */
class MaskTest {
    @Test
    void packetsEqualUnderTheMaskGetTheSameVerdict() {
        Property.check("masks", 150, random -> {
            var world = new RandomNetwork(random);
            for (int i = 0; i < 60; i++) {
                String port = world.ingress();
                var packet = world.packet(port);
                var sent = world.net.look(port, packet);
                if (!sent.cacheable()) {
                    continue;
                }
                assertThat(world.net.look(port, packet)).as("the same again").isEqualTo(sent);
                for (int j = 0; j < 15; j++) {
                    var other = world.packet(port);
                    if (mix(packet.key, other, sent.mask())) {
                        var again = world.net.look(port, other);
                        assertThat(again.outcome())
                                .as(() -> difference(packet, other))
                                .isEqualTo(sent.outcome());
                        assertThat(again.cacheable())
                                .as(() -> difference(packet, other))
                                .isTrue();
                    }
                }
            }
        });
    }

    @Test
    void everyFlowThatChangesIsNamedByTheChange() {
        Property.check("invalidation", 150, random -> {
            var world = new RandomNetwork(random);
            for (int round = 0; round < 12; round++) {
                for (int i = 0; i < 25; i++) {
                    String port = world.ingress();
                    world.net.inject(port, world.packet(port));
                }
                world.change();
                for (var flow : world.net.flows()) {
                    assertThat(world.isPresent(flow.name())).isTrue();
                    check(world, flow, flow.packet());
                    var other = world.packet(flow.name());
                    if (mix(flow.key(), other, flow.mask())) {
                        check(world, flow, other);
                    }
                }
            }
        });
    }

    private static void check(RandomNetwork world, Topology.Flow flow, Packet packet) {
        assertThat(world.net.look(flow.name(), packet).outcome())
                .as(
                        "flow at %s of %s, for %s, after %s%s",
                        flow.name(), flow.key(), packet.key, world.lastChange, world.net.explain(flow.name(), packet))
                .isEqualTo(flow.outcome());
    }

    /** Makes {@code other} equal to the key under the mask; false when no packet could look like that. */
    private static boolean mix(FlowKey key, Packet other, FlowMask mask) {
        boolean typed = (mask.word(1) & 0xffff) != 0;
        if (typed && other.key.etherType() != key.etherType()) {
            return false;
        }
        boolean protocol = mask.word(7) >>> 56 != 0;
        if (protocol && other.key.protocol() != key.protocol()) {
            return false;
        }
        for (int word = 0; word < FlowKey.WORDS; word++) {
            long bits = mask.word(word);
            other.key.setWord(word, key.word(word) & bits | other.key.word(word) & ~bits);
        }
        return true;
    }

    private static String difference(Packet a, Packet b) {
        return "\n" + a.key + "\n" + b.key;
    }
}
