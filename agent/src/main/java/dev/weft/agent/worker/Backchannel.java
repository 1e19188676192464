package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;

/**
 * The one door to a worker. Offering is safe from any thread and never waits; draining belongs to the worker thread.
 *
 * <p>Two bounded queues stand behind it. Commands are objects: they are rare, and records read well. Frames (connection
 * records from sibling workers, packets that belong to this worker) come per packet, so they are copied into a ring of
 * bytes that every sibling shares: no allocation, and one ring to look at instead of one for each pair of workers; the
 * contention on its tail is one atomic add for each handed-over frame. Each queue keeps its order; there is none between
 * the two. Full means refused and counted: for a command the sender must keep it and try again.
 */
public final class Backchannel {
    /** A state message of a sibling worker, see {@link dev.weft.state.StateMessage}. */
    public static final int STATE = 1;
    /** A packet that a sibling took up and that is ours; never handed on again. */
    public static final int HANDOVER = 2;

    private static final int PREFIX = 8; // ingress port, tunnel key

    // Immutable after construction, shared.
    private final ManyToOneConcurrentArrayQueue<Command> commands;
    private final MemorySegment memory;
    private final ManyToOneRingBuffer ring;
    private final Runnable wakeUp;
    private final AtomicLong refusedCommands = new AtomicLong();
    private final AtomicLong refusedFrames = new AtomicLong();
    // Owned by the worker thread.
    private final MessageHandler toConsumer = this::onMessage; // made once: reading must not allocate
    private FrameConsumer consumer = (kind, inPort, tunnelKey, segment, offset, length) -> {};

    /** A frame from a sibling. The memory is valid during the call. */
    @FunctionalInterface
    public interface FrameConsumer {
        /** @param kind {@link #STATE} or {@link #HANDOVER} */
        void onFrame(int kind, int inPort, int tunnelKey, MemorySegment segment, long offset, int length);
    }

    /**
     * @param commandCapacity commands that may wait
     * @param ringBytes bytes of frames that may wait: a power of two, at least 128 KB so that a jumbo frame fits
     * @param wakeUp called after each offer, by the offering thread; must not wait
     */
    public Backchannel(int commandCapacity, int ringBytes, Runnable wakeUp) {
        Slabs.require("backchannel commands", commandCapacity, 1, 1 << 20);
        if (Integer.bitCount(ringBytes) != 1 || ringBytes < 1 << 17) {
            throw new IllegalArgumentException(
                    "backchannel ring of " + ringBytes + " bytes (expected a power of two, at least 131072)");
        }
        this.wakeUp = wakeUp;
        commands = new ManyToOneConcurrentArrayQueue<>(commandCapacity);
        // Freed when nobody can reach it any more: a sibling may still offer after this worker has stopped.
        memory = Arena.ofAuto().allocate((long) ringBytes + RingBufferDescriptor.TRAILER_LENGTH, 128);
        ring = new ManyToOneRingBuffer(new UnsafeBuffer(memory.address(), (int) memory.byteSize()));
    }

    /** From any thread. False: it is full, nothing was taken; try again later. */
    public boolean offer(Command command) {
        boolean taken = commands.offer(command);
        if (!taken) {
            refusedCommands.incrementAndGet();
        }
        wakeUp.run();
        return taken;
    }

    /**
     * Copies a frame in, from any thread. False: it is full or the frame too long; the frame is lost.
     *
     * @param kind {@link #STATE} or {@link #HANDOVER}
     */
    @HotPath
    public boolean offerFrame(int kind, int inPort, int tunnelKey, MemorySegment segment, long offset, int length) {
        Objects.checkFromIndexSize(offset, length, segment.byteSize()); // a claim that is not kept would block the ring
        int total = PREFIX + length;
        int index = total > ring.maxMsgLength() ? -1 : ring.tryClaim(kind, total);
        if (index < 0) {
            refusedFrames.incrementAndGet();
            return false;
        }
        memory.set(ValueLayout.JAVA_INT, index, inPort);
        memory.set(ValueLayout.JAVA_INT, index + 4L, tunnelKey);
        MemorySegment.copy(segment, offset, memory, index + (long) PREFIX, length);
        ring.commit(index);
        wakeUp.run();
        return true;
    }

    /** By the worker: up to {@code limit} commands, oldest first. Returns how many. */
    public int drain(Consumer<Command> to, int limit) {
        return commands.drain(to, limit);
    }

    /** By the worker: up to {@code limit} frames, oldest first. Returns how many. */
    @HotPath
    public int drainFrames(FrameConsumer to, int limit) {
        consumer = to;
        return ring.read(toConsumer, limit);
    }

    /** By anyone: whether something waits; a moment later this may be different. */
    public boolean isEmpty() {
        return commands.isEmpty() && ring.size() == 0;
    }

    public long refusedCommands() {
        return refusedCommands.get();
    }

    public long refusedFrames() {
        return refusedFrames.get();
    }

    private void onMessage(int kind, DirectBuffer buffer, int index, int length) {
        consumer.onFrame(
                kind,
                memory.get(ValueLayout.JAVA_INT, index),
                memory.get(ValueLayout.JAVA_INT, index + 4L),
                memory,
                index + (long) PREFIX,
                length - PREFIX);
    }
}
