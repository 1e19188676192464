package dev.weft.sim.trace;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ExplanationTest {
    @Test
    void printsEachVisitOfADeviceOnceWithItsStepsBelow() {
        var explanation = new Explanation();
        explanation.add(0, "bridge", "blue", "learned 02:00:00:00:00:05 on port a");
        explanation.add(0, "bridge", "blue", "sent to port up");
        explanation.add(1, "router", "r1", "route 10.0.2.0/24");
        explanation.add(0, "bridge", "blue", "sent to port b");
        assertThat(explanation.toText()).isEqualTo("""
                        bridge blue
                          learned 02:00:00:00:00:05 on port a
                          sent to port up
                          router r1
                            route 10.0.2.0/24
                        bridge blue
                          sent to port b
                        """);
        assertThat(explanation.steps()).hasSize(4);
        explanation.clear();
        assertThat(explanation.toText()).isEmpty();
    }

    @Test
    void countsWhatItLeavesOut() {
        var explanation = new Explanation();
        for (int i = 0; i < Explanation.MAX_STEPS + 2; i++) {
            explanation.add(0, "bridge", "blue", "step");
        }
        assertThat(explanation.steps()).hasSize(Explanation.MAX_STEPS);
        assertThat(explanation.toText()).endsWith("... and 2 more steps\n");
    }
}
