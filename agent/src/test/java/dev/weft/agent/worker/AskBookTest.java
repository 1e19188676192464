package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AskBookTest {
    private final AskBook book = new AskBook();

    @Test
    void everyAskerHearsOnceAndOnlyOfWhatItAskedFor() {
        book.remember(1, 1, 0, 5, 9, 1, 77, 0);
        book.remember(1, 1, 0, 5, 9, 2, 78, 0);
        book.remember(1, 1, 0, 5, 9, 1, 79, 1); // again: the same asker
        book.remember(1, 1, 0, 6, 9, 3, 80, 0);

        assertThat(answered(1, 1, 0, 5, 2)).containsExactlyInAnyOrder("9:1 79", "9:2 78");
        assertThat(answered(1, 1, 0, 5, 3)).isEmpty();
        assertThat(answered(2, 2, 0, 6, 3)).isEmpty();
        assertThat(answered(1, 1, 0, 6, 3)).containsExactly("9:3 80");
    }

    @Test
    void anAskIsForgottenInTime() {
        book.remember(1, 1, 0, 5, 9, 1, 77, 0);
        assertThat(answered(1, 1, 0, 5, AskBook.LIFETIME_NANOS)).isEmpty();
    }

    @Test
    void askersBeyondItsPlacesPushOutTheOldest() {
        for (int i = 0; i < 1000; i++) {
            book.remember(1, 1, 0, i, 9, 1, i, 0);
        }
        assertThat(answered(1, 1, 0, 0, 1)).isEmpty();
        assertThat(answered(1, 1, 0, 999, 1)).containsExactly("9:1 999");
    }

    private List<String> answered(long routerHigh, long routerLow, long high, long low, long now) {
        var answers = new ArrayList<String>();
        book.answer(routerHigh, routerLow, high, low, now, (h, l, home) -> answers.add(h + ":" + l + " " + home));
        return answers;
    }
}
