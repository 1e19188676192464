package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weft.base.Allocation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class BackchannelTest {
    private static final int RING = 1 << 17;

    private final AtomicInteger woken = new AtomicInteger();
    private final Backchannel backchannel = new Backchannel(4, RING, woken::incrementAndGet);
    private final MemorySegment frame = Arena.ofAuto().allocate(10_000);

    @Test
    void commandsComeInOrderAndInSlices() {
        for (int i = 0; i < 3; i++) {
            assertThat(backchannel.offer(new Command.NoLocalPort(i))).isTrue();
        }
        assertThat(woken).hasValue(3);
        var drained = new ArrayList<Command>();
        assertThat(backchannel.drain(drained::add, 2)).isEqualTo(2);
        assertThat(drained).containsExactly(new Command.NoLocalPort(0), new Command.NoLocalPort(1));
        assertThat(backchannel.isEmpty()).isFalse();
        assertThat(backchannel.drain(drained::add, 2)).isEqualTo(1);
        assertThat(backchannel.isEmpty()).isTrue();
    }

    @Test
    void fullIsRefusedAndCounted() {
        for (int i = 0; i < 4; i++) {
            backchannel.offer(new Command.NoLocalPort(i));
        }
        assertThat(backchannel.offer(new Command.NoLocalPort(9))).isFalse();
        assertThat(backchannel.refusedCommands()).isEqualTo(1);

        int taken = 0;
        while (backchannel.offerFrame(Backchannel.HANDOVER, 1, 0, frame, 0, 9_000)) {
            taken++;
        }
        assertThat(taken).isBetween(RING / 9_100, RING / 9_000);
        assertThat(backchannel.refusedFrames()).isEqualTo(1);
        assertThat(backchannel.offerFrame(Backchannel.STATE, 0, 0, MemorySegment.ofArray(new byte[RING]), 0, RING))
                .as("longer than the ring takes")
                .isFalse();
    }

    @Test
    void frameComesAsItWas() {
        for (int i = 0; i < 82; i++) {
            frame.set(ValueLayout.JAVA_BYTE, 5 + i, (byte) i);
        }
        assertThat(backchannel.offerFrame(Backchannel.STATE, 7, 0xABCDEF, frame, 5, 82))
                .isTrue();
        assertThat(woken).hasValue(1);
        var seen = new ArrayList<Integer>();
        int read = backchannel.drainFrames(
                (kind, inPort, tunnelKey, segment, offset, length) -> {
                    seen.addAll(List.of(kind, inPort, tunnelKey, length));
                    assertThat(segment.asSlice(offset, length).mismatch(frame.asSlice(5, 82)))
                            .isEqualTo(-1);
                },
                10);
        assertThat(read).isEqualTo(1);
        assertThat(seen).containsExactly(Backchannel.STATE, 7, 0xABCDEF, 82);
    }

    @Test
    void badRangeIsRefusedBeforeItHoldsUpTheRing() {
        assertThatThrownBy(() -> backchannel.offerFrame(Backchannel.STATE, 0, 0, frame, 9_999, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(backchannel.offerFrame(Backchannel.STATE, 0, 0, frame, 0, 2)).isTrue();
        assertThat(backchannel.drainFrames((kind, in, key, segment, offset, length) -> {}, 10))
                .isEqualTo(1);
    }

    @Test
    void nothingIsLostOrDoubledWithManyProducers() throws InterruptedException {
        int producers = 3;
        int each = 20_000;
        var threads = new ArrayList<Thread>();
        for (int p = 0; p < producers; p++) {
            int producer = p;
            threads.add(Thread.ofPlatform().start(() -> {
                var own = Arena.ofAuto().allocate(64);
                for (int i = 0; i < each; i++) {
                    own.set(ValueLayout.JAVA_INT, 0, i);
                    while (!backchannel.offerFrame(Backchannel.STATE, producer, 0, own, 0, 64)) {
                        Thread.onSpinWait();
                    }
                }
            }));
        }
        int[] next = new int[producers];
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1)).until(() -> {
            backchannel.drainFrames(
                    (kind, producer, key, segment, offset, length) -> {
                        assertThat(segment.get(ValueLayout.JAVA_INT, offset)).isEqualTo(next[producer]);
                        next[producer]++;
                    },
                    100_000);
            return next[0] + next[1] + next[2] == producers * each;
        });
        for (var thread : threads) {
            thread.join();
        }
        assertThat(next).containsOnly(each);
    }

    @Test
    void framesAllocateNothing() {
        Backchannel.FrameConsumer nothing = (kind, inPort, tunnelKey, segment, offset, length) -> {};
        Runnable work = () -> {
            for (int i = 0; i < 200_000; i++) {
                backchannel.offerFrame(Backchannel.STATE, 1, 2, frame, 0, 82);
                if (i % 16 == 0) {
                    backchannel.drainFrames(nothing, 64);
                }
            }
        };
        work.run();
        work.run();
        assertThat(Allocation.bytes(work)).isZero();
    }
}
