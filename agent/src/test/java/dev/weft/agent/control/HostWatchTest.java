package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HostWatchTest {
    private static final UUID HOST = new UUID(1, 1);
    private static final IpAddress UNDERLAY = IpAddress.parse("172.16.0.1");
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final List<Long> asked = new ArrayList<>();
    private final List<UUID> down = new ArrayList<>();
    private final HostWatch watch =
            new HostWatch((underlay, token) -> asked.add(token), 600 * SECOND, new SplittableRandom(1));
    private long now = -5 * SECOND;

    @BeforeEach
    void listen() {
        watch.tellOver(down::add);
    }

    /** @param answers whether the host answers what it is asked */
    private void pass(long nanos, boolean answers) {
        long end = now + nanos;
        while (now < end) {
            int before = asked.size();
            watch.look(now);
            now += 20 * MILLI;
            if (answers && asked.size() > before) {
                watch.answered(asked.getLast(), now);
            }
        }
    }

    @Test
    void aHostThatDoesNotAnswerIsDownAtOnce() {
        watch.sessionEnded(HOST, UNDERLAY, now);
        assertThat(watch.isKept(HOST)).as("until it is known").isTrue();
        pass(600 * MILLI, false);
        assertThat(down).containsExactly(HOST);
        assertThat(asked).hasSize(3).doesNotHaveDuplicates();
        assertThat(watch.isKept(HOST)).isFalse();
        assertThat(watch.isIdle()).isTrue();
    }

    @Test
    void aHostThatAnswersIsKeptForTheGraceAndAskedCalmly() {
        watch.sessionEnded(HOST, UNDERLAY, now);
        pass(599 * SECOND, true);
        assertThat(down).isEmpty();
        assertThat(asked.size()).isBetween(500, 700);
        pass(2 * SECOND, true);
        assertThat(down).containsExactly(HOST);
    }

    @Test
    void aHostThatStopsAnsweringIsDownWithinTwoSeconds() {
        watch.sessionEnded(HOST, UNDERLAY, now);
        pass(30 * SECOND, true);
        pass(2 * SECOND, false);
        assertThat(down).containsExactly(HOST);
    }

    @Test
    void oneLostAnswerIsNoDeath() {
        watch.sessionEnded(HOST, UNDERLAY, now);
        pass(10 * SECOND, true);
        pass(200 * MILLI, false);
        pass(10 * SECOND, true);
        assertThat(down).isEmpty();
    }

    @Test
    void aHostWithASessionIsNotAskedAndHasAWhileToSayEverythingAgain() {
        watch.sessionEnded(HOST, UNDERLAY, now);
        watch.back(HOST, now);
        pass(4 * SECOND, false);
        assertThat(asked).isEmpty();
        assertThat(down).isEmpty();
        assertThat(watch.isKept(HOST)).isTrue();
        pass(2 * SECOND, false);
        assertThat(down).containsExactly(HOST);
        assertThat(watch.isKept(HOST)).isFalse();
    }

    @Test
    void aHostThatGoesAgainWhileItReturnsIsAskedAgain() {
        watch.sessionEnded(HOST, UNDERLAY, now);
        watch.back(HOST, now);
        pass(SECOND, false);
        watch.sessionEnded(HOST, UNDERLAY, now);
        pass(600 * MILLI, false);
        assertThat(asked).hasSize(3);
        assertThat(down).containsExactly(HOST);
    }

    @Test
    void anAnswerThatNobodyAskedForCountsForNothing() {
        watch.sessionEnded(HOST, UNDERLAY, now);
        watch.look(now);
        watch.answered(asked.getLast() + 1, now);
        pass(600 * MILLI, false);
        assertThat(down).containsExactly(HOST);
    }
}
