package dev.weft.agent.control;

import dev.weft.sim.service.ServiceInstance;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Hands events to whoever reads them. Each reader has a queue of its own, with an end: one that is too slow loses events,
 * is told how many, and holds up nobody. Thread safe.
 */
public final class ServiceEvents implements InstanceGate.Listener {
    private static final int WAITING = 4096;

    private final InstantSource time;
    private final Set<Reader> readers = ConcurrentHashMap.newKeySet();

    /** An event and when it was. */
    public record Stamped(Instant at, ServiceEvent event) {}

    ServiceEvents(InstantSource time) {
        this.time = time;
    }

    /** From now on. Close it: it is remembered until then. */
    public Reader open() {
        var reader = new Reader();
        readers.add(reader);
        return reader;
    }

    void publish(ServiceEvent event) {
        if (!readers.isEmpty()) {
            var stamped = new Stamped(time.instant(), event);
            readers.forEach(reader -> reader.offer(stamped));
        }
    }

    @Override
    public void up(ServiceInstance instance) {
        publish(new ServiceEvent.Up(instance));
    }

    @Override
    public void down(ServiceInstance instance, boolean failed) {
        publish(new ServiceEvent.Down(instance, failed));
    }

    /** One reader's queue. */
    public final class Reader implements AutoCloseable {
        // Guarded by this.
        private final Deque<Stamped> waiting = new ArrayDeque<>();
        private long lost;
        private Instant lostSince = Instant.EPOCH;

        private Reader() {}

        private synchronized void offer(Stamped event) {
            if (lost > 0 || waiting.size() >= WAITING) {
                lostSince = lost == 0 ? event.at() : lostSince;
                lost++;
            } else {
                waiting.add(event);
                notifyAll();
            }
        }

        /** What has come, in order, {@code most} at most; waits a while for the first. What was lost is where it was. */
        public synchronized List<Stamped> read(int most, long millis) throws InterruptedException {
            if (waiting.isEmpty()) {
                TimeUnit.MILLISECONDS.timedWait(this, millis);
            }
            List<Stamped> events = new ArrayList<>();
            while (events.size() < most && !waiting.isEmpty()) {
                events.add(waiting.poll());
            }
            if (waiting.isEmpty() && lost > 0) {
                events.add(new Stamped(lostSince, new ServiceEvent.Gap(lost)));
                lost = 0;
            }
            return events;
        }

        @Override
        public void close() {
            readers.remove(this);
        }
    }
}
