package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.datapath.Capture;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** The captures of one port; none, as a rule. Any thread. */
final class Taps {
    private volatile List<Tap> open = List.of();

    @HotPath
    boolean isEmpty() {
        return open.isEmpty();
    }

    void copy(boolean fromVm, MemorySegment segment, long offset, int length, long nowNanos) {
        for (Tap tap : open) {
            tap.copy(fromVm, segment, offset, length, nowNanos);
        }
    }

    synchronized Capture open(int framesPerSecond, Capture.Sink sink) {
        var tap = new Tap(framesPerSecond, sink);
        var more = new ArrayList<>(open);
        more.add(tap);
        open = List.copyOf(more);
        return tap;
    }

    private synchronized void close(Tap tap) {
        open = open.stream().filter(each -> each != tap).toList();
    }

    private final class Tap implements Capture {
        private final TokenBucket budget;
        private final Capture.Sink sink;
        private final LongAdder missed = new LongAdder();

        Tap(int framesPerSecond, Capture.Sink sink) {
            budget = new TokenBucket(framesPerSecond);
            this.sink = sink;
        }

        synchronized void copy(boolean fromVm, MemorySegment segment, long offset, int length, long nowNanos) {
            if (budget.tryTake(nowNanos)) {
                sink.onFrame(fromVm, segment, offset, length);
            } else {
                missed.increment();
            }
        }

        @Override
        public long missed() {
            return missed.sum();
        }

        @Override
        public void close() {
            Taps.this.close(this);
        }
    }
}
