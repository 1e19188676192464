package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HoldTest {
    private final Hold<String> hold = new Hold<>(500);
    private final List<String> released = new ArrayList<>();

    @Test
    void keepsADeletionBackUntilItsTime() {
        hold.add("a", 0);
        hold.release(499, released::add);
        assertThat(released).isEmpty();
        hold.release(500, released::add);
        assertThat(released).containsExactly("a");
        assertThat(hold.isEmpty()).isTrue();
    }

    @Test
    void anEntryThatComesBackIsNotDeleted() {
        hold.add("a", 0);
        hold.add("b", 100);
        hold.forget("a");
        hold.release(600, released::add);
        assertThat(released).containsExactly("b");
    }

    @Test
    void aSecondDeletionWaitsItsOwnTimeAndHoldsUpNobody() {
        hold.add("a", 0);
        hold.forget("a");
        hold.add("b", 50);
        hold.add("a", 400);
        hold.release(600, released::add);
        assertThat(released).containsExactly("b");
        hold.release(900, released::add);
        assertThat(released).containsExactly("b", "a");
    }
}
