package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.base.NanoClock;
import dev.weft.datapath.Capture;
import dev.weft.datapath.bpf.RingReader;
import dev.weft.datapath.ebpf.Layout.Upcall;
import dev.weft.datapath.kernel.Waiter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Copies of ports' packets, for whoever looks: the kernel makes them only of ports that are looked at. Any thread; a
 * daemon thread hands them over while there are captures.
 */
final class Captures implements AutoCloseable {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int AT_ONCE = 256;

    // Immutable after construction.
    private final KernelTables tables;
    private final NanoClock clock;
    private final RingReader ring;
    private final Waiter waiter = Waiter.open();
    // Guarded by this.
    private @Nullable Thread thread;
    // Replaced whole.
    private volatile List<Tap> taps = List.of();
    private volatile boolean closing;

    Captures(KernelTables tables, NanoClock clock) {
        this.tables = tables;
        this.clock = clock;
        ring = RingReader.open(tables.captures);
        waiter.add(ring.fd());
    }

    synchronized Capture open(int port, int framesPerSecond, Capture.Sink sink) {
        var tap = new Tap(port, framesPerSecond, sink);
        var more = new ArrayList<>(taps);
        more.add(tap);
        taps = List.copyOf(more);
        count(port, 1);
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("captures").start(this::run);
        }
        return tap;
    }

    private void count(int port, int more) {
        MemorySegment at = tables.port(port);
        at.set(JAVA_INT, Layout.Port.CAPTURE, Math.max(0, at.get(JAVA_INT, Layout.Port.CAPTURE) + more));
    }

    private synchronized void end(Tap tap) {
        if (taps.contains(tap)) {
            taps = taps.stream().filter(each -> each != tap).toList();
            count(tap.port, -1);
        }
    }

    private void run() {
        while (!closing) {
            if (ring.poll(this::onRecord, AT_ONCE) == 0) {
                waiter.await(SECOND);
            }
        }
    }

    private void onRecord(MemorySegment segment, long at, int length) {
        int port = segment.get(JAVA_INT, at + Upcall.IN_PORT);
        boolean fromVm = segment.get(JAVA_SHORT, at + Upcall.FLAGS) == Upcall.FROM_VM;
        long now = clock.nanoTime();
        for (Tap tap : taps) {
            if (tap.port == port) {
                tap.take(fromVm, segment, at + Upcall.SIZE, segment.get(JAVA_INT, at + Upcall.LENGTH), now);
            }
        }
    }

    @Override
    public void close() {
        Thread running;
        synchronized (this) {
            taps.forEach(tap -> count(tap.port, -1));
            taps = List.of();
            closing = true;
            running = thread;
        }
        if (running != null) {
            waiter.wakeUp();
            try {
                running.join();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        }
        waiter.close();
        ring.close();
    }

    /** One capture: so many frames a second, and a second's worth at once. */
    private final class Tap implements Capture {
        private final int port;
        private final long costNanos;
        private final Capture.Sink sink;
        private final LongAdder missed = new LongAdder();
        private final long lostBefore = lost();
        private long savedNanos = SECOND;
        private long filledAt = clock.nanoTime();

        Tap(int port, int framesPerSecond, Capture.Sink sink) {
            this.port = port;
            costNanos = Math.max(1, SECOND / Math.max(1, framesPerSecond));
            this.sink = sink;
        }

        void take(boolean fromVm, MemorySegment segment, long offset, int length, long now) {
            savedNanos = Math.min(SECOND, savedNanos + now - filledAt);
            filledAt = now;
            if (savedNanos < costNanos) {
                missed.increment();
                return;
            }
            savedNanos -= costNanos;
            sink.onFrame(fromVm, segment, offset, length);
        }

        private long lost() {
            return KernelTables.sum(tables.counters, Layout.COUNT_CAPTURES_MISSED, 0);
        }

        /** Those of all captures that found no room are counted to each. */
        @Override
        public long missed() {
            return missed.sum() + lost() - lostBefore;
        }

        @Override
        public void close() {
            end(this);
        }
    }
}
