package dev.weft.it.bench;

import dev.weft.base.NanoClock;
import dev.weft.datapath.memory.MemoryDatapath;
import dev.weft.it.MemoryCloud;
import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Packets from a VM to another without a pause, each with its number inside. A packet that meets a flow has been
 * delivered, or dropped, when its sending returns; one that met none is delivered by the worker a little later, or not
 * at all. The sender is a thread of its own; all else belongs to the caller.
 */
final class PacketStream implements AutoCloseable {
    /** The newest so many packets are remembered: more than pass in the longest wait. */
    private static final int REMEMBERED = 1 << 16;

    private static final long GAP_NANOS = TimeUnit.MICROSECONDS.toNanos(50);
    /** So long all packets are treated alike before a change counts as done. */
    private static final long CALM_NANOS = TimeUnit.MILLISECONDS.toNanos(15);

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final ValueLayout.OfLong NUMBER = ValueLayout.JAVA_LONG_UNALIGNED;

    private final NanoClock clock = NanoClock.SYSTEM;
    private final MemoryDatapath datapath;
    private final int port;
    private final MemorySegment frame;
    private final long numberOffset;
    // Written by the sender, read by anyone: when the sending of a packet returned.
    private final AtomicLongArray sentAt = new AtomicLongArray(REMEMBERED);
    private volatile long sent;
    // Written by whoever delivers: the number of the packet in that place, once it arrived.
    private final AtomicLongArray arrived = new AtomicLongArray(REMEMBERED);
    private final Thread sender =
            Thread.ofPlatform().name("bench-sender").daemon().unstarted(this::send);
    private volatile boolean closed;

    private PacketStream(MemoryDatapath datapath, int port, byte[] frame) {
        this.datapath = datapath;
        this.port = port;
        this.frame = MemorySegment.ofArray(frame);
        numberOffset = frame.length - NUMBER.byteSize();
    }

    /** Returns once packets arrive. */
    static PacketStream start(MemoryCloud cloud) {
        int from = await(cloud, "h1", "a");
        int to = await(cloud, "h2", "b");
        byte[] frame = PacketExpression.parse(
                "udp 10.0.1.5:1000 > 10.0.2.9:53 src-mac 02:00:00:00:01:05 dst-mac 02:00:00:00:ff:01 length 60");
        var stream = new PacketStream(cloud.datapath("h1"), from, frame);
        cloud.datapath("h2").setSink(to, stream::deliver);
        stream.sender.start();
        stream.nanosOtherwise(NanoClock.SYSTEM.nanoTime(), true);
        return stream;
    }

    private static int await(MemoryCloud cloud, String host, String name) {
        long deadline = NanoClock.SYSTEM.nanoTime() + PATIENCE_NANOS;
        while (cloud.port(host, name).isEmpty()) {
            if (deadline - NanoClock.SYSTEM.nanoTime() < 0) {
                throw new IllegalStateException("interface " + name + " of " + host + " was not attached within "
                        + TimeUnit.NANOSECONDS.toSeconds(PATIENCE_NANOS) + " s");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        return cloud.port(host, name).getAsInt();
    }

    private void send() {
        while (!closed) {
            long number = sent + 1;
            frame.set(NUMBER, numberOffset, number);
            datapath.send(port, frame, 0, (int) frame.byteSize());
            sentAt.set((int) (number % REMEMBERED), clock.nanoTime());
            sent = number;
            LockSupport.parkNanos(GAP_NANOS);
        }
    }

    private void deliver(MemorySegment segment, long offset, int length) {
        if (length == frame.byteSize()) {
            long number = segment.get(NUMBER, offset + numberOffset);
            arrived.set((int) (number % REMEMBERED), number);
        }
    }

    private boolean hasArrived(long number) {
        return arrived.get((int) (number % REMEMBERED)) == number;
    }

    /**
     * Waits until all packets have been treated alike for a while: delivered or not, as {@code delivered} says.
     *
     * @return how long after {@code begin} the sending of the last one that was treated otherwise returned; 0 when there
     *     was none
     */
    long nanosOtherwise(long begin, boolean delivered) {
        long from = sent;
        while (true) {
            long newest = sent;
            // One sent a moment ago may still be under way by a worker: it counts as otherwise until it arrives.
            long last = newest;
            while (last > from && hasArrived(last) == delivered) {
                last--;
            }
            long otherwise = last > from ? sentAt.get((int) (last % REMEMBERED)) : begin;
            long now = clock.nanoTime();
            if (newest > from && now - Math.max(otherwise, begin) > CALM_NANOS) {
                return Math.max(0, otherwise - begin);
            }
            if (now - begin > PATIENCE_NANOS) {
                throw new IllegalStateException("packets are not " + (delivered ? "delivered" : "dropped") + " within "
                        + TimeUnit.NANOSECONDS.toSeconds(PATIENCE_NANOS) + " s after the change");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            sender.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
