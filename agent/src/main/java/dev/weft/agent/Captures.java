package dev.weft.agent;

import dev.weft.base.NanoClock;
import dev.weft.datapath.Capture;
import dev.weft.datapath.Datapath;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.trace.FlowFilter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Captures that people run through the control socket. Each is bounded in frames a second and in frames that wait to be
 * read; one that nobody reads any more ends by itself. Thread safe.
 */
final class Captures implements AutoCloseable {
    private static final int MOST = 8;
    private static final int FRAMES_PER_SECOND = 20_000;
    private static final int WAITING_FRAMES = 4096;
    private static final int READ_AT_ONCE = 256;
    private static final long READ_WAIT_MILLIS = 500;
    private static final long FORGOTTEN_NANOS = TimeUnit.SECONDS.toNanos(10);

    // Immutable after construction.
    private final Datapath datapath;
    private final NanoClock clock;
    private final InstantSource time;
    // Shared.
    private final Map<Integer, Session> sessions = new ConcurrentHashMap<>();
    private final AtomicInteger lastId = new AtomicInteger();

    private record Frame(boolean fromVm, Instant at, byte[] octets) {}

    Captures(Datapath datapath, NanoClock clock, InstantSource time) {
        this.datapath = datapath;
        this.clock = clock;
        this.time = time;
    }

    /** One person's capture. */
    private final class Session implements Capture.Sink {
        private final FlowFilter filter;
        private final ArrayBlockingQueue<Frame> waiting = new ArrayBlockingQueue<>(WAITING_FRAMES);
        private final LongAdder missed = new LongAdder();
        private final Packet packet = new Packet();
        private @Nullable Capture capture;
        private boolean forgotten;
        private volatile long readAt = clock.nanoTime();

        Session(FlowFilter filter) {
            this.filter = filter;
        }

        /** One call at a time, on a thread of the datapath. */
        @Override
        public void onFrame(boolean fromVm, MemorySegment segment, long offset, int length) {
            if (clock.nanoTime() - readAt > FORGOTTEN_NANOS) {
                if (!forgotten) {
                    forgotten = true;
                    Thread.ofVirtual().start(this::end); // Not from within the datapath.
                }
                return;
            }
            packet.wrap(segment, offset, length);
            boolean wellFormed = PacketParser.parse(packet) == Malformed.OK;
            // What cannot be read is shown: who looks for trouble wants to see it.
            if (wellFormed && !filter.matches(packet.key)) {
                return;
            }
            byte[] octets = segment.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
            if (!waiting.offer(new Frame(fromVm, time.instant(), octets))) {
                missed.increment();
            }
        }

        private long missed() {
            return missed.sum() + (capture == null ? 0 : capture.missed());
        }

        private void end() {
            if (capture != null) {
                capture.close();
            }
        }
    }

    Map<String, ?> start(int port, FlowFilter filter) {
        endForgotten();
        if (sessions.size() >= MOST) {
            throw new AgentException(MOST + " captures run already (expected fewer); end one");
        }
        var session = new Session(filter);
        session.capture = datapath.capture(port, FRAMES_PER_SECOND, session);
        int id = lastId.incrementAndGet();
        sessions.put(id, session);
        return Map.of("id", id);
    }

    /** Waits a moment for a frame. */
    Map<String, ?> read(int id) {
        Session session = session(id);
        session.readAt = clock.nanoTime();
        var frames = new ArrayList<Map<String, Object>>();
        try {
            Frame first = session.waiting.poll(READ_WAIT_MILLIS, TimeUnit.MILLISECONDS);
            for (Frame frame = first; frame != null; frame = session.waiting.poll()) {
                frames.add(row(frame));
                if (frames.size() == READ_AT_ONCE) {
                    break;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Map.of("frames", frames, "missed", session.missed());
    }

    private static Map<String, Object> row(Frame frame) {
        var row = new LinkedHashMap<String, Object>();
        row.put("from-vm", frame.fromVm());
        row.put("seconds", frame.at().getEpochSecond());
        row.put("nanos", frame.at().getNano());
        row.put("octets", Base64.getEncoder().encodeToString(frame.octets()));
        return row;
    }

    Map<String, ?> stop(int id) {
        Session session = session(id);
        sessions.remove(id);
        session.end();
        return Map.of("missed", session.missed());
    }

    private Session session(int id) {
        Session session = sessions.get(id);
        if (session == null) {
            throw new AgentException("capture " + id + " has ended (expected one of " + sessions.keySet() + ")");
        }
        return session;
    }

    private void endForgotten() {
        long now = clock.nanoTime();
        for (int id : List.copyOf(sessions.keySet())) {
            Session session = sessions.get(id);
            if (session != null && now - session.readAt > FORGOTTEN_NANOS && sessions.remove(id, session)) {
                session.end();
            }
        }
    }

    @Override
    public void close() {
        sessions.values().forEach(Session::end);
        sessions.clear();
    }
}
