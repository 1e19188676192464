package dev.weft.datapath.soft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import org.junit.jupiter.api.Test;

class UpcallQueueTest {
    private static final int CHUNKS = 120;

    private record Frame(byte[] bytes, int port) {}

    private final UpcallQueue.Taken taken = new UpcallQueue.Taken();

    private static int chunks(int length) {
        return Math.max(1, (length + UpcallQueue.CHUNK - 1) / UpcallQueue.CHUNK);
    }

    /** Against a plain deque: order, bytes, and for each port what its share allows. */
    @Test
    void givesFramesBackWholeInOrderAndHoldsEachPortToItsShare() {
        Property.check("upcall queue against a deque", 60, random -> {
            var queue = new UpcallQueue(CHUNKS);
            queue.setSharers(3);
            var shares = UpcallQueue.shares(3);
            var held = new int[3];
            var oracle = new ArrayDeque<Frame>();
            for (int step = 0; step < 500; step++) {
                if (random.nextInt(3) > 0) {
                    int port = random.nextInt(3);
                    var bytes = new byte[random.nextInt(4) == 0 ? random.nextInt(66_000) : random.nextInt(3000)];
                    random.nextBytes(bytes);
                    boolean fits = held[port] == 0 || held[port] + chunks(bytes.length) <= CHUNKS / 3;
                    assertThat(queue.offer(
                                    shares[port], MemorySegment.ofArray(bytes), 0, bytes.length, port, step, step & 1))
                            .isEqualTo(fits);
                    if (fits) {
                        held[port] += chunks(bytes.length);
                        oracle.add(new Frame(bytes, port));
                    }
                } else {
                    take(queue, held, oracle);
                }
                assertThat(queue.isEmpty()).isEqualTo(oracle.isEmpty());
            }
            while (!oracle.isEmpty()) {
                take(queue, held, oracle);
            }
            assertThat(held).containsOnly(0);
        });
    }

    private void take(UpcallQueue queue, int[] held, ArrayDeque<Frame> oracle) {
        int first = queue.take(taken);
        Frame expected = oracle.poll();
        assertThat(first < 0).isEqualTo(expected == null);
        if (expected != null) {
            assertThat(taken.inPort).isEqualTo(expected.port());
            assertThat(taken.segment.asSlice(taken.offset, taken.length).toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(expected.bytes());
            queue.release(first);
            held[expected.port()] -= chunks(expected.bytes().length);
        }
    }
}
