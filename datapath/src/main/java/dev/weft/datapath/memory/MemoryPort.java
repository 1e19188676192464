package dev.weft.datapath.memory;

import dev.weft.base.HotPath;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.soft.SoftPort;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/** A port that is a queue of frames to its VM. */
final class MemoryPort extends SoftPort {
    private static final int QUEUED_FRAMES = 4096;

    private final ArrayBlockingQueue<byte[]> queue = new ArrayBlockingQueue<>(QUEUED_FRAMES);
    private volatile @Nullable FrameSink sink;

    MemoryPort(int number, PortSpec spec, int workers) {
        super(number, spec, workers);
    }

    byte @Nullable [] poll() {
        return queue.poll();
    }

    void setSink(FrameSink sink) {
        this.sink = sink;
    }

    @Override
    protected void start() {
        // Nothing to start: frames come on the thread of whoever plays the VM.
    }

    @HotPath
    @Override
    protected SendResult send(MemorySegment segment, long offset, int length) {
        FrameSink taker = sink;
        if (taker != null) {
            taker.onFrame(segment, offset, length);
            return SendResult.SENT;
        }
        return enqueue(segment, offset, length);
    }

    private SendResult enqueue(MemorySegment segment, long offset, int length) {
        var frame = new byte[length];
        MemorySegment.copy(segment, offset, MemorySegment.ofArray(frame), 0, length);
        return queue.offer(frame) ? SendResult.SENT : SendResult.FAILED;
    }

    @Override
    protected void close() {
        queue.clear();
    }
}
