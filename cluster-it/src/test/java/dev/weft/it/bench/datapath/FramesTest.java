package dev.weft.it.bench.datapath;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class FramesTest {
    private static final int MESSAGE_LENGTH = 64;

    @Test
    void theWorkloadIsHalfIpv6AndSixtyFourOctetsLong() {
        List<byte[]> frames = Workload.bridged(Workload.FLOWS);

        assertThat(frames).hasSize(1000).allSatisfy(frame -> assertThat(frame).hasSize(64));
        assertThat(frames.stream().filter(frame -> PacketExpression.print(frame).contains("[fd00:1::5]")))
                .hasSize(500);
        assertThat(frames.stream().map(PacketExpression::print)).doesNotHaveDuplicates();
    }

    @Test
    void fixedFramesComeRoundRobin() {
        List<byte[]> frames = Workload.bridged(100);
        try (var memory = Frames.fixed(frames)) {
            List<byte[]> sent = send(memory, 64);
            sent.addAll(send(memory, 64));

            for (int i = 0; i < sent.size(); i++) {
                assertThat(sent.get(i)).as("frame %d", i).isEqualTo(frames.get(i % 100));
            }
        }
    }

    @Test
    void oneFrameFillsABatch() {
        List<byte[]> frames = Workload.bridged(1);
        try (var memory = Frames.fixed(frames)) {
            assertThat(send(memory, 64))
                    .hasSize(64)
                    .allSatisfy(frame -> assertThat(frame).isEqualTo(frames.getFirst()));
        }
    }

    @Test
    void newPortsMakeNewTuplesWithRightChecksums() {
        try (var memory = Frames.withNewPorts(Workload.bridged(128), 1 << 16)) {
            var sent = new HashSet<String>();
            for (int i = 0; i < 100; i++) {
                for (byte[] frame : send(memory, 64)) {
                    String words = PacketExpression.print(frame);
                    // A checksum that is wrong is printed.
                    assertThat(words).startsWith("udp").doesNotContain("checksum");
                    sent.add(words.substring(0, words.indexOf(" src-mac")));
                }
            }

            assertThat(sent).as("tuples of 6,400 frames over 65,536").hasSizeGreaterThan(5500);
        }
    }

    @Test
    void numberedFramesEndWithMarkAndNumber() {
        try (var memory = Frames.numbered(Workload.bridgedNumbered(64), 1 << 16)) {
            send(memory, 64);
            List<byte[]> sent = send(memory, 3);

            assertThat(memory.number()).isEqualTo(67);
            for (int i = 0; i < sent.size(); i++) {
                var end = ByteBuffer.wrap(sent.get(i)).order(ByteOrder.nativeOrder());
                assertThat(end.getInt(end.limit() - 8)).isEqualTo(TcProgram.MARK);
                assertThat(end.getInt(end.limit() - 4)).isEqualTo(64 + i);
                assertThat(PacketExpression.print(sent.get(i))).doesNotContain("checksum");
            }
        }
    }

    @Test
    void tuplesAreAPowerOfTwo() {
        List<byte[]> frames = Workload.bridged(64);

        assertThatThrownBy(() -> Frames.withNewPorts(frames, 1000)).hasMessageContaining("power of two");
    }

    /** Reads the messages as the kernel does. */
    private static List<byte[]> send(Frames frames, int count) {
        long address = frames.nextBatch(count);
        var sent = new ArrayList<byte[]>();
        for (int i = 0; i < count; i++) {
            long message = address + (long) i * MESSAGE_LENGTH;
            long vector = at(message + 16).get(ValueLayout.JAVA_LONG, 0);
            MemorySegment entry = at(vector);
            sent.add(MemorySegment.ofAddress(entry.get(ValueLayout.JAVA_LONG, 0))
                    .reinterpret(entry.get(ValueLayout.JAVA_LONG, 8))
                    .toArray(ValueLayout.JAVA_BYTE));
        }
        frames.advance(count);
        return sent;
    }

    private static MemorySegment at(long address) {
        return MemorySegment.ofAddress(address).reinterpret(16);
    }
}
