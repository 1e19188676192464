package dev.weft.sim.sal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Allocation;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class SalAllocationTest {
    private static final int PACKETS = 1_000_000;

    @Test
    void parsingAndForwardingAllocatesNothing() {
        MemorySegment[] frames = SalPackets.captured().values().stream()
                .map(SalPackets::framed)
                .map(MemorySegment::ofArray)
                .toArray(MemorySegment[]::new);
        var run = new Run(frames);
        run.run();
        assertThat(Allocation.bytes(run)).as("bytes for %d packets", PACKETS).isZero();
        assertThat(run.sum).isNotZero();
    }

    private static final class Run implements Runnable {
        private final MemorySegment[] frames;
        private final Packet packet = new Packet();
        private final MemorySegment out = MemorySegment.ofArray(new byte[2_000]);
        private long sum;

        Run(MemorySegment[] frames) {
            this.frames = frames;
        }

        @Override
        public void run() {
            for (int i = 0; i < PACKETS; i++) {
                var frame = frames[i % frames.length];
                packet.wrap(frame, 0, (int) frame.byteSize());
                sum += PacketParser.parse(packet) + FlowHome.of(packet, 7);
                if (packet.sal.isForService()) {
                    sum += SalForward.forward(out, 0, packet, 5, 1, i, 63);
                }
            }
        }
    }
}
