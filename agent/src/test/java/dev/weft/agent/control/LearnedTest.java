package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;

class LearnedTest {
    private static final UUID A = new UUID(0, 1);
    private static final UUID B = new UUID(0, 2);

    private final Learned<String> learned = new Learned<>(2);

    @Test
    void aPortHasItsLimitAndOthersTheirs() {
        assertThat(learned.admit(A, "x")).isTrue();
        assertThat(learned.admit(A, "y")).isTrue();
        assertThat(learned.admit(A, "x")).as("known").isTrue();
        assertThat(learned.admit(A, "z")).isFalse();
        assertThat(learned.admit(B, "z")).isTrue();
        assertThat(learned.overLimit()).isEqualTo(1);
    }

    @Test
    void whatMovesCountsWhereItIsNow() {
        learned.admit(A, "x");
        learned.admit(A, "y");
        learned.admit(B, "x");

        assertThat(learned.admit(A, "z")).isTrue();
        assertThat(learned.forgetPort(A)).containsExactlyInAnyOrder("y", "z");
        assertThat(learned.contains("x")).isTrue();
        assertThat(learned.forgetPort(B)).containsExactly("x");
        assertThat(learned.contains("x")).isFalse();
    }
}
