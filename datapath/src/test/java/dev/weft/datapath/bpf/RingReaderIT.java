package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.Allocation;
import dev.weft.datapath.bpf.RingReader.RecordConsumer;
import dev.weft.datapath.kernel.MemoryMap;
import dev.weft.datapath.kernel.Waiter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class RingReaderIT {
    private static final int TAG = 0x1234;
    private static final long LONG_NANOS = Duration.ofSeconds(20).toNanos();

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final List<Integer> seen = new ArrayList<>();
    private final RecordConsumer lengths = (ring, offset, length) -> {
        assertThat(length).isEqualTo(8);
        assertThat(ring.get(JAVA_INT, offset + 4)).isEqualTo(TAG);
        seen.add(ring.get(JAVA_INT, offset));
    };
    private BpfMap map;
    private RingReader ring;
    private BpfProgram writing;

    @BeforeEach
    void makeRing() {
        TestPrograms.needKernel();
        map = opened(BpfMap.create(BpfMapType.RING_BUFFER, "ring", 0, 0, MemoryMap.pageSize(), 0));
        ring = opened(RingReader.open(map));
        writing = opened(TestPrograms.writing(map, TAG));
    }

    @AfterEach
    void close() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.push(resource);
        return resource;
    }

    @Test
    void recordsComeInOrderUpToTheLimit() {
        assertThat(ring.isEmpty()).isTrue();
        assertThat(ring.poll(lengths, 10)).isZero();
        for (int length = 60; length < 63; length++) {
            TestPrograms.run(writing, length);
        }
        assertThat(ring.isEmpty()).isFalse();
        assertThat(ring.backlogBytes()).isEqualTo(3 * 16);
        assertThat(ring.poll(lengths, 2)).isEqualTo(2);
        assertThat(ring.poll(lengths, 2)).isEqualTo(1);
        assertThat(seen).containsExactly(60, 61, 62);
        assertThat(ring.isEmpty()).isTrue();
    }

    @Test
    void recordsGoOnBeyondTheEndOfTheRing() {
        int total = 3 * map.maxEntries() / 16 + 5;
        for (int i = 0; i < total; i++) {
            TestPrograms.run(writing, 60 + i);
            assertThat(ring.poll(lengths, 10)).isEqualTo(1);
        }
        assertThat(seen).hasSize(total).endsWith(60 + total - 1).doesNotHaveDuplicates();
    }

    @Test
    void fullRingRefusesRecordsUntilRoomIsGivenBack() {
        int written = 0;
        while (TestPrograms.run(writing, 60).returned() == 0) {
            written++;
        }
        assertThat(written).isBetween(map.maxEntries() / 16 - 1, map.maxEntries() / 16);
        assertThat(ring.pollTogether(lengths, Integer.MAX_VALUE)).isEqualTo(written);
        assertThat(TestPrograms.run(writing, 61).returned()).isZero();
    }

    @Test
    void roomOfRecordsTakenTogetherGoesBackOnlyAtTheEnd() {
        while (TestPrograms.run(writing, 60).returned() == 0) {}
        RecordConsumer writer = (segment, offset, length) ->
                assertThat(TestPrograms.run(writing, 61).returned()).isNegative();
        assertThat(ring.pollTogether(writer, 10)).isEqualTo(10);
        assertThat(TestPrograms.run(writing, 61).returned()).isZero();
    }

    @Test
    void discardedRecordsAreSkipped() {
        var discarding = opened(TestPrograms.discarding(map));
        TestPrograms.run(discarding, 60);
        TestPrograms.run(writing, 70);
        TestPrograms.run(discarding, 60);
        assertThat(ring.poll(lengths, 10)).isEqualTo(1);
        assertThat(seen).containsExactly(70);
        assertThat(ring.isEmpty()).isTrue();
    }

    @Test
    void anotherReaderGoesOnWhereTheLastStopped() {
        TestPrograms.run(writing, 60);
        TestPrograms.run(writing, 61);
        ring.poll(lengths, 1);
        ring.close();
        opened.remove(ring);
        try (var next = RingReader.open(map)) {
            assertThat(next.poll(lengths, 10)).isEqualTo(1);
        }
        assertThat(seen).containsExactly(60, 61);
    }

    @Test
    void consumerThatThrowsLosesItsRecordOnly() {
        TestPrograms.run(writing, 60);
        TestPrograms.run(writing, 61);
        RecordConsumer faulty = (segment, offset, length) -> {
            throw new IllegalStateException("a consumer of this test fails on purpose");
        };
        assertThatThrownBy(() -> ring.poll(faulty, 10)).isInstanceOf(IllegalStateException.class);
        assertThat(ring.poll(lengths, 10)).isEqualTo(1);
        assertThat(seen).containsExactly(61);
    }

    @Test
    void sleeperIsWokenByARecord() throws InterruptedException {
        try (var waiter = Waiter.open()) {
            waiter.add(ring.fd());
            assertThat(waiter.await(1000)).as("nothing there").isFalse();
            var other = Thread.ofPlatform().start(() -> TestPrograms.run(writing, 60));
            assertThat(waiter.await(LONG_NANOS)).isTrue();
            assertThat(ring.poll(lengths, 10)).isEqualTo(1);
            other.join();
            assertThat(waiter.await(1000)).as("emptied").isFalse();
            waiter.remove(ring.fd());
            TestPrograms.run(writing, 60);
            assertThat(waiter.await(1000)).as("not waited for any more").isFalse();
        }
    }

    @Test
    void otherKindsOfMapAreRefused() {
        try (var array = BpfMap.create(BpfMapType.ARRAY, "array", 4, 4, 1, 0)) {
            assertThatThrownBy(() -> RingReader.open(array))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected a RING_BUFFER");
        }
    }

    @Test
    void readingAndWaitingAllocateNothing() {
        var sum = new AtomicLong();
        RecordConsumer adding =
                (segment, offset, length) -> sum.setPlain(sum.getPlain() + segment.get(JAVA_INT, offset));
        try (var waiter = Waiter.open();
                var arena = Arena.ofConfined()) {
            waiter.add(ring.fd());
            var packet = arena.allocate(60);
            Runnable fill = () -> writing.testRun(packet, MemorySegment.NULL, MemorySegment.NULL, 100);
            Runnable wait = () -> {
                for (int i = 0; i < 20_000; i++) {
                    waiter.await(0);
                }
            };
            Runnable read = () -> {
                for (int i = 0; i < 20_000; i++) {
                    ring.poll(adding, 1);
                    ring.pollTogether(adding, 1);
                }
            };
            for (int i = 0; i < 5; i++) {
                fill.run();
                wait.run();
                read.run();
            }
            fill.run();
            assertThat(Allocation.bytes(wait)).isZero();
            long before = sum.get();
            assertThat(Allocation.bytes(read)).isZero();
            assertThat(sum.get()).isGreaterThan(before);
        }
    }
}
