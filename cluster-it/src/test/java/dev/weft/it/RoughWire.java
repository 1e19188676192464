package dev.weft.it;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.datapath.kernel.Libc;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.link.PacketSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A wire between two interfaces of one namespace that delays frames, each by another time, so that they overtake one
 * another, and loses some: the same ones for the same seed and frames. This kernel has no netem. One thread carries; the
 * counters are anybody's.
 */
final class RoughWire implements AutoCloseable {
    private static final int LONGEST_FRAME = 10_000;
    private static final int ROOM = 4_096;
    private static final int POLL_ENTRY = 8; // struct pollfd: fd(32) events(16) returned(16)
    private static final long MILLI = 1_000_000;

    private final PacketSocket[] ends;
    private final Nature nature;
    private final Random random;
    private final Thread carrier;
    // Owned by the carrier.
    private final PriorityQueue<Carried> carried =
            new PriorityQueue<>(Comparator.comparingLong(Carried::due).thenComparingLong(Carried::number));
    private long numbers;
    private final long[] newest = new long[2];
    // Written by the carrier, read by anyone.
    private final AtomicLong lost = new AtomicLong();
    private final AtomicLong overtaken = new AtomicLong();
    private volatile boolean over;

    /**
     * How rough it is.
     *
     * @param millis the shortest delay
     * @param jitterMillis so much longer at most
     * @param lostPerMille of frames, by chance
     */
    record Nature(long seed, int millis, int jitterMillis, int lostPerMille) {}

    private record Carried(long due, long number, int to, byte[] frame) {}

    private RoughWire(Nature nature, PacketSocket... ends) {
        this.nature = nature;
        this.ends = ends;
        random = new Random(nature.seed());
        carrier = Thread.ofPlatform().daemon().name("rough-wire").unstarted(this::carry);
    }

    /** Both are up already, and nothing else passes between them. */
    static RoughWire between(String namespace, String one, String other, Nature nature) {
        var place = NetworkNamespace.named(namespace);
        try (var links = Links.in(place)) {
            var wire = new RoughWire(
                    nature,
                    PacketSocket.open(place, links.get(one).ifindex()),
                    PacketSocket.open(place, links.get(other).ifindex()));
            wire.carrier.start();
            return wire;
        }
    }

    long lost() {
        return lost.get();
    }

    /** Frames that arrived behind one sent later. */
    long overtaken() {
        return overtaken.get();
    }

    private void carry() {
        try (var arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(LONGEST_FRAME, 8);
            MemorySegment entries = arena.allocate(2L * POLL_ENTRY, 8);
            while (!over) {
                for (int i = 0; i < 2; i++) {
                    entries.set(JAVA_INT, (long) i * POLL_ENTRY, ends[i].fileDescriptor());
                    entries.set(JAVA_SHORT, (long) i * POLL_ENTRY + 4, Libc.POLLIN);
                }
                Libc.poll(entries.address(), 2, 1);
                take(0, buffer);
                take(1, buffer);
                deliver(buffer);
            }
        }
    }

    private void take(int from, MemorySegment buffer) {
        int length = ends[from].receive(buffer);
        while (length != PacketSocket.NOTHING && length != PacketSocket.LINK_DOWN) {
            if (random.nextInt(1000) < nature.lostPerMille() || carried.size() == ROOM || length < 0) {
                lost.incrementAndGet();
            } else {
                long delay = nature.millis() * MILLI + (long) (random.nextDouble() * nature.jitterMillis() * MILLI);
                byte[] frame = buffer.asSlice(0, length).toArray(JAVA_BYTE);
                carried.add(new Carried(System.nanoTime() + delay, numbers++, 1 - from, frame));
            }
            length = ends[from].receive(buffer);
        }
    }

    private void deliver(MemorySegment buffer) {
        long now = System.nanoTime();
        while (!carried.isEmpty() && carried.peek().due() - now <= 0) {
            Carried next = carried.remove();
            MemorySegment.copy(next.frame(), 0, buffer, JAVA_BYTE, 0, next.frame().length);
            if (ends[next.to()].send(buffer, 0, next.frame().length) < 0) {
                lost.incrementAndGet();
            }
            if (next.number() < newest[next.to()]) {
                overtaken.incrementAndGet();
            }
            newest[next.to()] = Math.max(newest[next.to()], next.number());
        }
    }

    @Override
    public void close() {
        over = true;
        try {
            carrier.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (PacketSocket end : ends) {
            end.close();
        }
    }
}
