package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.Allocation;
import dev.weft.base.Property;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ParkingLotTest {
    private static final long TIMEOUT = 5_000;

    private final Arena arena = Arena.ofConfined();
    private final ParkingLot lot = new ParkingLot(8, 3, TIMEOUT, arena);
    private final MemorySegment frame = arena.allocate(20_000);
    private final List<Integer> seen = new ArrayList<>();
    private final ParkingLot.FrameConsumer toSeen =
            (segment, offset, length, port, inPort, tunnelKey) -> seen.add(number(segment, offset));

    @AfterEach
    void giveBack() {
        arena.close();
    }

    @Test
    void handsOverAllWaitersOfOneAnswerOldestFirstAndOnlyThose() {
        park(1, 1, 100, 0);
        park(2, 2, 200, 0);
        park(3, 2, 100, 0);
        assertThat(lot.resume(9, 0, 100, toSeen)).isEqualTo(2);
        assertThat(seen).containsExactly(1, 3);
        assertThat(lot.resume(9, 0, 100, toSeen)).as("each once").isZero();
        assertThat(lot.resume(8, 0, 200, toSeen)).as("another router").isZero();
        assertThat(lot.size()).isEqualTo(1);
    }

    @Test
    void givesTheFrameBackAsItCame() {
        for (int i = 0; i < ParkingLot.MAX_FRAME_BYTES; i++) {
            frame.set(ValueLayout.JAVA_BYTE, i + 3, (byte) (i * 7));
        }
        lot.park(frame, 3, ParkingLot.MAX_FRAME_BYTES, 5, 6, 7, 9, 1, 2, 0);
        lot.resume(9, 1, 2, (segment, offset, length, port, inPort, tunnelKey) -> {
            assertThat(List.of(port, inPort, tunnelKey)).containsExactly(5, 6, 7);
            assertThat(segment.asSlice(offset, length).mismatch(frame.asSlice(3, ParkingLot.MAX_FRAME_BYTES)))
                    .isEqualTo(-1);
            seen.add(length);
        });
        assertThat(seen).containsExactly(ParkingLot.MAX_FRAME_BYTES);
    }

    @Test
    void dropsWhatIsTooLong() {
        int result = lot.park(frame, 0, ParkingLot.MAX_FRAME_BYTES + 1, 1, 0, 0, 9, 0, 1, 0);
        assertThat(result).isEqualTo(ParkingLot.TOO_LONG);
        assertThat(lot.tooLong()).isEqualTo(1);
        assertThat(lot.size()).isZero();
    }

    @Test
    void portAtItsShareLosesItsOwnOldest() {
        park(9, 2, 100, 0);
        for (int i = 1; i <= 4; i++) {
            park(i, 1, 100, 0);
        }
        lot.resume(9, 0, 100, toSeen);
        assertThat(seen).containsExactly(9, 2, 3, 4);
        assertThat(lot.displaced()).isEqualTo(1);
    }

    @Test
    void fullLotTakesFromThePortThatHasMost() {
        park(1, 1, 100, 0);
        for (int i = 2; i <= 4; i++) {
            park(i, 2, 100, 0);
        }
        for (int i = 5; i <= 8; i++) {
            park(i, i, 100, 0);
        }
        park(10, 10, 100, 0);
        lot.resume(9, 0, 100, toSeen);
        assertThat(seen).containsExactly(1, 3, 4, 5, 6, 7, 8, 10);
    }

    @Test
    void waitsForSomethingElseButNeverTwiceForOneThing() {
        park(1, 1, 100, 0);
        lot.resume(9, 0, 100, (segment, offset, length, port, inPort, tunnelKey) -> {
            assertThat(lot.parkAgain(9, 0, 100)).as("just answered").isFalse();
            assertThat(lot.parkAgain(9, 0, 200)).isTrue();
        });
        assertThat(lot.size()).isEqualTo(1);
        lot.resume(
                9,
                0,
                200,
                (segment, offset, length, port, inPort, tunnelKey) ->
                        assertThat(lot.parkAgain(9, 0, 100)).isFalse());
        assertThat(lot.size()).as("dropped").isZero();
        assertThat(lot.waitedBefore()).isEqualTo(2);
        assertThatThrownBy(() -> lot.parkAgain(9, 0, 1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void waitsForFourThingsAtMost() {
        park(1, 1, 100, 0);
        for (int thing = 101; thing <= 104; thing++) {
            int next = thing;
            lot.resume(
                    9,
                    0,
                    thing - 1,
                    (segment, offset, length, port, inPort, tunnelKey) ->
                            assertThat(lot.parkAgain(9, 0, next)).isEqualTo(next < 104));
        }
        assertThat(lot.size()).isZero();
    }

    @Test
    void deadlineCountsFromTheFirstParking() {
        park(1, 1, 100, 0);
        park(2, 1, 300, 1_000);
        lot.resume(9, 0, 100, (segment, offset, length, port, inPort, tunnelKey) -> lot.parkAgain(9, 0, 200));
        assertThat(lot.expire(4_999, toSeen)).isZero();
        assertThat(lot.expire(5_000, toSeen)).isEqualTo(1);
        assertThat(lot.expire(6_000, toSeen)).isEqualTo(1);
        assertThat(seen).containsExactly(1, 2);
        assertThat(lot.expired()).isEqualTo(2);
    }

    @Test
    void consumersMayParkAndResumeInTheirTurn() {
        for (int i = 1; i <= 3; i++) {
            park(i, i, 100, 0);
        }
        park(4, 4, 200, 0);
        lot.resume(9, 0, 100, (segment, offset, length, port, inPort, tunnelKey) -> {
            int number = number(segment, offset);
            seen.add(number);
            park(10 + number, 1, 100, 0);
            lot.resume(9, 0, 200, toSeen);
        });
        assertThat(seen).containsExactly(1, 4, 2, 3);
        seen.clear();
        lot.resume(9, 0, 100, toSeen);
        assertThat(seen).as("parked meanwhile: they wait for the next answer").containsExactly(11, 12, 13);
        assertThat(lot.size()).isZero();
    }

    @Test
    void refusesWhenEveryPlaceIsBeingResumed() {
        var one = new ParkingLot(1, 1, TIMEOUT, arena);
        one.park(frame, 0, 60, 1, 0, 0, 9, 0, 100, 0);
        one.resume(
                9,
                0,
                100,
                (segment, offset, length, port, inPort, tunnelKey) -> assertThat(
                                one.park(frame, 0, 60, 1, 0, 0, 9, 0, 100, 0))
                        .isEqualTo(ParkingLot.NO_PLACE));
        assertThat(one.noPlace()).isEqualTo(1);
        assertThat(one.size()).isZero();
    }

    @Test
    void agreesWithAListOverAnyHistory() {
        Property.check("parking lot against a list", 300, this::history);
    }

    @Test
    void allocatesNothing() {
        ParkingLot.FrameConsumer nothing = (segment, offset, length, port, inPort, tunnelKey) -> {};
        Runnable work = () -> {
            for (int i = 0; i < 200_000; i++) {
                lot.park(frame, 0, 100, i % 11, 0, 0, 9, 0, i % 5, i);
                if (i % 7 == 0) {
                    lot.resume(9, 0, i % 5, nothing);
                }
                lot.expire(i, nothing);
            }
        };
        work.run();
        work.run();
        assertThat(Allocation.bytes(work)).isZero();
        assertThat(lot.displaced()).isPositive();
    }

    private record Parked(int number, int port, long waitsFor, Set<Long> waited, long deadline) {}

    private void history(RandomGenerator random) {
        var lot = new ParkingLot(8, 3, TIMEOUT, arena);
        List<Parked> oracle = new ArrayList<>(); // by waiting, not by parking: who parks again goes last
        long now = -10_000;
        for (int step = 0; step < 200; step++) {
            now += random.nextInt(600);
            long thing = random.nextInt(4);
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    int port = random.nextInt(5);
                    frame.set(ValueLayout.JAVA_INT, 0, step);
                    assertThat(lot.park(frame, 0, 60, port, 0, 0, 9, 0, thing, now))
                            .isEqualTo(ParkingLot.PARKED);
                    makeRoom(oracle, port);
                    oracle.add(new Parked(step, port, thing, new HashSet<>(Set.of(thing)), now + TIMEOUT));
                }
                case 2 -> resume(lot, oracle, thing, random.nextInt(4));
                default -> {
                    List<Integer> expected = new ArrayList<>();
                    for (var parked : List.copyOf(oracle)) {
                        if (parked.deadline - now <= 0) {
                            oracle.remove(parked);
                            expected.add(parked.number);
                        }
                    }
                    List<Integer> expired = new ArrayList<>();
                    lot.expire(
                            now, (segment, offset, length, port, inPort, key) -> expired.add(number(segment, offset)));
                    assertThat(expired)
                            .containsExactlyInAnyOrderElementsOf(expected)
                            .isSorted();
                }
            }
            assertThat(lot.size()).isEqualTo(oracle.size());
        }
    }

    private static void resume(ParkingLot lot, List<Parked> oracle, long thing, long other) {
        List<Parked> expected =
                new ArrayList<>(oracle.stream().filter(p -> p.waitsFor == thing).toList());
        oracle.removeAll(expected);
        lot.resume(9, 0, thing, (segment, offset, length, port, inPort, key) -> {
            var parked = expected.removeFirst();
            assertThat(number(segment, offset)).isEqualTo(parked.number);
            if (parked.number % 2 == 0) {
                boolean isNew = parked.waited.add(other);
                assertThat(lot.parkAgain(9, 0, other)).isEqualTo(isNew);
                if (isNew) {
                    oracle.add(new Parked(parked.number, port, other, parked.waited, parked.deadline));
                }
            }
        });
        assertThat(expected).isEmpty();
    }

    private static void makeRoom(List<Parked> oracle, int port) {
        int victims = -1;
        if (oracle.stream().filter(p -> p.port == port).count() >= 3) {
            victims = port;
        } else if (oracle.size() == 8) {
            // The oldest frame of those ports that have most: the first, in order of parking, with the highest count.
            var byAge = oracle.stream().sorted((a, b) -> a.number - b.number).toList();
            long most = 0;
            for (var parked : byAge) {
                long count = oracle.stream().filter(p -> p.port == parked.port).count();
                if (count > most) {
                    most = count;
                    victims = parked.port;
                }
            }
        }
        int from = victims;
        oracle.stream()
                .filter(p -> p.port == from)
                .min((a, b) -> a.number - b.number)
                .ifPresent(oracle::remove);
    }

    private void park(int number, int port, long waitsFor, long now) {
        frame.set(ValueLayout.JAVA_INT, 0, number);
        lot.park(frame, 0, 60, port, 0, 0, 9, 0, waitsFor, now);
    }

    private static int number(MemorySegment segment, long offset) {
        return segment.get(ValueLayout.JAVA_INT_UNALIGNED, offset);
    }
}
