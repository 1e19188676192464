package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DamperTest {
    private final List<String> passed = new ArrayList<>();
    private final Damper<String, Boolean> damper = new Damper<>(200, (thing, up) -> passed.add(thing + " " + up));

    @Test
    void theFirstChangeGoesOnAtOnce() {
        damper.change("a", false, 0);
        damper.change("b", true, 0);
        assertThat(passed).containsExactly("a false", "b true");
    }

    @Test
    void whatFlapsGoesOnNowAndThenAsItIs() {
        for (int i = 0; i < 1000; i++) {
            damper.change("a", i % 2 == 1, i);
            damper.look(i);
        }
        assertThat(passed).hasSizeLessThanOrEqualTo(6);
        assertThat(damper.look(1100)).isTrue();
        assertThat(passed.getLast()).as("how it is at last").isEqualTo("a true");
        assertThat(damper.look(1400)).as("nothing waits").isFalse();
        damper.change("a", false, 1401);
        assertThat(passed.getLast()).isEqualTo("a false");
    }

    @Test
    void aChangeThatWasTakenBackIsNone() {
        damper.change("a", false, 0);
        damper.change("a", true, 50);
        damper.change("a", false, 100);
        assertThat(damper.look(250)).isFalse();
        assertThat(passed).containsExactly("a false");
    }
}
