package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.base.Property;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class NeighbourBrokerTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final NeighbourBroker broker = new NeighbourBroker(4);
    private final List<String> done = new ArrayList<>();
    private boolean used;
    private final NeighbourBroker.Errands errands = new NeighbourBroker.Errands() {
        @Override
        public void send(int router, int routerPort, long high, long low) {
            done.add("send " + router + " " + routerPort + " " + low);
        }

        @Override
        public boolean isUsed(int router, long high, long low, long nanos) {
            return used;
        }

        @Override
        public void failed(int router, int routerPort, long high, long low) {
            done.add("failed " + low);
        }

        @Override
        public void ended(int router, int routerPort, long high, long low) {
            done.add("ended " + low);
        }
    };

    @Test
    void asksOnceHoweverManyWait() {
        assertThat(broker.ask(1, 2, 0, 9, 0)).isEqualTo(NeighbourBroker.SEND);
        assertThat(broker.ask(1, 2, 0, 9, SECOND / 2)).isEqualTo(NeighbourBroker.ASKED);
        assertThat(broker.ask(2, 2, 0, 9, 0)).as("another router").isEqualTo(NeighbourBroker.SEND);
        assertThat(broker.requests()).isEqualTo(2);
    }

    @Test
    void repeatsEachSecondGivesUpAfterFiveAndHoldsItsBreath() {
        broker.ask(1, 2, 0, 9, 0);
        assertThat(timeline(0, 12))
                .containsExactly(
                        "1: send 1 2 9",
                        "2: send 1 2 9",
                        "3: send 1 2 9",
                        "4: send 1 2 9",
                        "5: failed 9",
                        "8: ended 9");
        assertThat(broker.size()).isZero();
        assertThat(broker.failures()).isEqualTo(1);
    }

    @Test
    void saysThatItFailedUntilItMayBeAskedAgain() {
        broker.ask(1, 2, 0, 9, 0);
        timeline(0, 6);
        assertThat(broker.ask(1, 2, 0, 9, 6 * SECOND)).isEqualTo(NeighbourBroker.FAILED);
        timeline(6, 9);
        assertThat(broker.ask(1, 2, 0, 9, 9 * SECOND)).isEqualTo(NeighbourBroker.SEND);
    }

    @Test
    void silentOnesAreAskedAnewWhenPlacesCome() {
        broker.ask(1, 2, 0, 9, 0);
        broker.ask(1, 2, 0, 7, 0);
        timeline(0, 6);
        broker.answered(1, 2, 0, 7, 6 * SECOND);

        broker.askAnew(6 * SECOND, errands);

        assertThat(done).as("the one that answered late stays").containsExactly("ended 9");
        assertThat(broker.ask(1, 2, 0, 9, 6 * SECOND)).isEqualTo(NeighbourBroker.SEND);
    }

    @Test
    void aQuestionThatIsOutBeginsAnewWhenPlacesCome() {
        broker.ask(1, 2, 0, 9, 0);
        timeline(0, 4);

        broker.askAnew(4 * SECOND + SECOND / 2, errands);

        // Without it the question would have failed at 5, and nobody would ask before 8.
        assertThat(timeline(5, 8)).first().isEqualTo("5: send 1 2 9");
        assertThat(broker.failures()).isZero();
    }

    @Test
    void answerEndsTheAsking() {
        broker.ask(1, 2, 0, 9, 0);
        assertThat(broker.answered(1, 2, 0, 9, SECOND / 2)).isTrue();
        assertThat(timeline(1, 29)).isEmpty();
    }

    @Test
    void idleAnswerEndsAfterAMinuteUnasked() {
        broker.answered(1, 2, 0, 9, 0);
        assertThat(timeline(0, 70)).containsExactly("60: ended 9");
    }

    @Test
    void answerInUseIsAskedForFromHalfItsLifeOn() {
        broker.answered(1, 2, 0, 9, 0);
        used = true;
        assertThat(timeline(0, 31)).containsExactly("30: send 1 2 9", "31: send 1 2 9");
        broker.answered(1, 2, 0, 9, 31 * SECOND);
        assertThat(timeline(32, 60)).isEmpty();
    }

    @Test
    void answerInUseThatNobodyConfirmsEndsAfterAMinute() {
        broker.answered(1, 2, 0, 9, 0);
        used = true;
        assertThat(timeline(0, 100)).hasSize(31).endsWith("59: send 1 2 9", "60: ended 9");
    }

    @Test
    void idleAnswerIsAskedForWhenItComesIntoUse() {
        broker.answered(1, 2, 0, 9, 0);
        assertThat(timeline(0, 38)).isEmpty();
        used = true;
        assertThat(timeline(39, 41)).containsExactly("40: send 1 2 9", "41: send 1 2 9");
    }

    @Test
    void refusesAndCountsWhenFull() {
        for (int i = 0; i < 4; i++) {
            broker.ask(1, 2, 0, i, 0);
        }
        assertThat(broker.ask(1, 2, 0, 9, 0)).isEqualTo(NeighbourBroker.REFUSED);
        assertThat(broker.answered(1, 2, 0, 9, 0)).isFalse();
        assertThat(broker.refused()).isEqualTo(2);
        assertThat(broker.forget(1, 0, 2)).isTrue();
        assertThat(broker.forget(1, 0, 2)).isFalse();
        assertThat(broker.ask(1, 2, 0, 9, 0)).isEqualTo(NeighbourBroker.SEND);
    }

    @Test
    void everyQuestionEndsInAnAnswerOrAFailure() {
        Property.check("questions come to an end", 300, random -> {
            var asked = new NeighbourBroker(8);
            Set<Long> open = new HashSet<>();
            var told = new NeighbourBroker.Errands() {
                @Override
                public void send(int router, int routerPort, long high, long low) {}

                @Override
                public boolean isUsed(int router, long high, long low, long nanos) {
                    return random.nextBoolean();
                }

                @Override
                public void failed(int router, int routerPort, long high, long low) {
                    assertThat(open.remove(low))
                            .as("failed once, and only if asked")
                            .isTrue();
                }

                @Override
                public void ended(int router, int routerPort, long high, long low) {}
            };
            long now = -50 * SECOND;
            for (int i = 0; i < 300; i++) {
                now += random.nextLong(SECOND);
                long low = random.nextInt(12);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        if (asked.ask(1, 2, 0, low, now) == NeighbourBroker.SEND) {
                            open.add(low);
                        }
                    }
                    case 1 -> {
                        if (asked.answered(1, 2, 0, low, now)) {
                            open.remove(low);
                        }
                    }
                    default -> asked.tick(now, 1 + random.nextInt(8), told);
                }
            }
            for (int i = 0; i < 70; i++) {
                now += SECOND;
                asked.tick(now, 8, told);
            }
            assertThat(open).isEmpty();
            assertThat(asked.size()).isZero();
        });
    }

    @Test
    void allocatesNothing() {
        var big = new NeighbourBroker(256);
        var quiet = new NeighbourBroker.Errands() {
            @Override
            public void send(int router, int routerPort, long high, long low) {}

            @Override
            public boolean isUsed(int router, long high, long low, long nanos) {
                return (low & 1) == 0;
            }

            @Override
            public void failed(int router, int routerPort, long high, long low) {}

            @Override
            public void ended(int router, int routerPort, long high, long low) {}
        };
        Runnable work = () -> {
            for (int i = 0; i < 200_000; i++) {
                big.ask(1, 2, 0, i & 1023, i * SECOND / 100);
                big.answered(1, 2, 0, i * 3 & 1023, i * SECOND / 100);
                big.tick(i * SECOND / 100, 8, quiet);
            }
        };
        work.run();
        work.run();
        assertThat(Allocation.bytes(work)).isZero();
    }

    /** What is done from second {@code from} to {@code to}, ticked ten times a second. */
    private List<String> timeline(int from, int to) {
        var lines = new ArrayList<String>();
        for (long tenth = from * 10L; tenth <= to * 10L; tenth++) {
            done.clear();
            broker.tick(tenth * SECOND / 10, 4, errands);
            for (String line : done) {
                lines.add(tenth / 10 + ": " + line);
            }
        }
        return lines;
    }
}
