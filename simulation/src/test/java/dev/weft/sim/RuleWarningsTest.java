package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.topology.ObjectRef;
import dev.weft.topology.Warnings;
import dev.weft.topology.schema.Chain;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is warned about as never met is never met. */
class RuleWarningsTest {
    @Test
    void noPacketMeetsARuleThatAWarningCallsUnreachable() {
        int[] named = new int[1];
        Property.check("unreachable rules", 150, random -> {
            var world = new RandomNetwork(random);
            for (int round = 0; round < 4; round++) {
                List<String> never = unreachable(world);
                named[0] += never.size();
                for (int i = 0; i < 60 && !never.isEmpty(); i++) {
                    String port = world.ingress();
                    String steps = world.net.explain(port, world.packet(port));
                    for (String rule : never) {
                        assertThat(steps.replaceAll("\\n *", " ")).doesNotContain(rule);
                    }
                }
                world.change();
            }
        });
        assertThat(named[0]).as("warnings in all").isPositive();
    }

    /** As an explanation would have it: {@code chain c1 rule 3 }. */
    private static List<String> unreachable(RandomNetwork world) {
        var chains = world.net.snapshot().all(Chain.class).stream()
                .map(ObjectRef::of)
                .toList();
        return Warnings.about(world.net.snapshot(), chains).stream()
                .filter(warning -> warning.field().startsWith("rules["))
                .map(warning -> "chain " + warning.name() + " rule "
                        + (Integer.parseInt(warning.field().replaceAll("\\D", "")) + 1) + " ")
                .toList();
    }
}
