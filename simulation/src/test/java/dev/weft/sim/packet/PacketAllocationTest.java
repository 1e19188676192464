package dev.weft.sim.packet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.sim.flow.FlowHome;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class PacketAllocationTest {
    private static final int PACKETS = 1_000_000;

    @Test
    void parsingAndFindingTheHomeAllocatesNothing() {
        try (var arena = Arena.ofConfined()) {
            var frames = copies(arena);
            var packet = new Packet();
            var run = new Run(frames, packet);
            run.run();
            assertThat(Allocation.bytes(run))
                    .as("bytes for %d packets", PACKETS)
                    .isZero();
            assertThat(run.sum).isNotZero();
        }
    }

    @Test
    void writingAnswersAllocatesNothing() {
        var out = MemorySegment.ofArray(new byte[2_000]);
        var echo = Frames.echoRequest("10.0.1.5", "10.0.1.1", 7, 1).payload(56).packet();
        var udp6 = Frames.udp("[fd00::5]:1", "[fd00::9]:2").payload(200).packet();
        Runnable run = () -> {
            for (int i = 0; i < PACKETS / 4; i++) {
                PacketWriter.echoReply(out, 0, echo, 1, 2);
                PacketWriter.icmpError(out, 0, udp6, IcmpError.TIME_EXCEEDED, 0, 1, 2, 3, 4);
                PacketWriter.arpReply(out, 0, 1, 2, 3, 4);
                PacketWriter.neighbourAdvertisement(out, 0, 1, 2, 3, 4, 5, 6, 0);
            }
        };
        run.run();
        assertThat(Allocation.bytes(run)).isZero();
    }

    /** Half on the heap, half native: one call site sees both, as in production. */
    private static MemorySegment[] copies(Arena arena) {
        var all = Written.all();
        var frames = new MemorySegment[2 * all.size()];
        for (int i = 0; i < all.size(); i++) {
            frames[2 * i] = MemorySegment.ofArray(all.get(i));
            frames[2 * i + 1] = arena.allocate(all.get(i).length);
            frames[2 * i + 1].copyFrom(frames[2 * i]);
        }
        return frames;
    }

    private static final class Run implements Runnable {
        private final MemorySegment[] frames;
        private final Packet packet;
        private long sum;

        Run(MemorySegment[] frames, Packet packet) {
            this.frames = frames;
            this.packet = packet;
        }

        @Override
        public void run() {
            for (int i = 0; i < PACKETS; i++) {
                var frame = frames[i % frames.length];
                packet.wrap(frame, 0, (int) frame.byteSize());
                sum += PacketParser.parse(packet);
                sum += FlowHome.of(packet, 7);
            }
        }
    }
}
