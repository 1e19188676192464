package dev.weft.datapath.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.base.HotPath;
import dev.weft.datapath.kernel.MemoryMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Takes records from a BPF_MAP_TYPE_RINGBUF in shared memory, without system calls and without allocating. Belongs to
 * one thread at a time, the only consumer of its ring.
 *
 * <p>The kernel lends three areas: the consumer's page, ours to write; the producer's page; and the data, mapped twice
 * in a row so that a record that wraps lies in one piece. A record is {@code busy(1) discard(1) length(30) page(32)},
 * then its bytes, padded to 8. Positions only grow; an offset is a position modulo the size.
 */
public final class RingReader implements AutoCloseable {
    /** Takes one record; must not keep the segment's bytes beyond what the method that called it promises. */
    @FunctionalInterface
    public interface RecordConsumer {
        /**
         * @param ring always the same segment, read-only
         * @param offset of the record in it, a multiple of 8
         * @param length in bytes
         */
        void onRecord(MemorySegment ring, long offset, int length);
    }

    private static final VarHandle POSITION = JAVA_LONG.varHandle();
    private static final VarHandle HEADER = JAVA_INT.varHandle();
    private static final int HEADER_LENGTH = 8;
    private static final int DISCARD = 1 << 30; // BPF_RINGBUF_DISCARD_BIT; the sign is BPF_RINGBUF_BUSY_BIT

    // Immutable after construction.
    private final int fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment consumer;
    private final MemorySegment producer;
    private final MemorySegment data;
    private final long mask;
    // Owned by the reading thread.
    private long position;

    private RingReader(BpfMap map) {
        this.fd = map.fd();
        int page = MemoryMap.pageSize();
        long size = map.maxEntries();
        this.mask = size - 1;
        try {
            this.consumer = area(map, 0, page, true);
            var shared = area(map, page, page + 2 * size, false);
            this.producer = shared.asSlice(0, page);
            this.data = shared.asSlice(page);
        } catch (BpfException refused) {
            arena.close();
            throw refused;
        }
        this.position = (long) POSITION.getAcquire(consumer, 0L);
    }

    private MemorySegment area(BpfMap map, long offset, long size, boolean writable) {
        long address = MemoryMap.map(fd, offset, size, writable);
        if (address < 0 && address > -4096) {
            throw BpfException.of((int) -address, "map " + map + " into memory");
        }
        return MemoryMap.segment(address, size, writable, arena);
    }

    /** Goes on where the last reader stopped. The map stays open as long as the reader is. */
    public static RingReader open(BpfMap map) {
        if (map.type() != BpfMapType.RING_BUFFER) {
            throw new IllegalArgumentException(map + " (expected a " + BpfMapType.RING_BUFFER + ")");
        }
        return new RingReader(map);
    }

    /**
     * Hands over what is there, each record's room going back to the kernel as soon as its consumer returns.
     *
     * @param limit of records, at least 1
     * @return how many were handed over
     */
    @HotPath
    public int poll(RecordConsumer records, int limit) {
        int taken = 0;
        while (taken < limit) {
            int header = next();
            if (header < 0) {
                break;
            }
            long offset = (position & mask) + HEADER_LENGTH;
            position += advance(header);
            try {
                if ((header & DISCARD) == 0) {
                    taken++;
                    records.onRecord(data, offset, header);
                }
            } finally {
                release();
            }
        }
        return taken;
    }

    /** As {@link #poll}, but all records stay where they are until this returns: their room goes back at once. */
    @HotPath
    public int pollTogether(RecordConsumer records, int limit) {
        int taken = 0;
        long before = position;
        try {
            while (taken < limit) {
                int header = next();
                if (header < 0) {
                    break;
                }
                long offset = (position & mask) + HEADER_LENGTH;
                position += advance(header);
                if ((header & DISCARD) == 0) {
                    records.onRecord(data, offset, header);
                    taken++;
                }
            }
        } finally {
            if (position != before) {
                release();
            }
        }
        return taken;
    }

    /** Header of the next record; negative when there is none or it is still being written. */
    private int next() {
        if (position >= (long) POSITION.getAcquire(producer, 0L)) {
            return -1;
        }
        return (int) HEADER.getAcquire(data, position & mask);
    }

    private static long advance(int header) {
        return (header & ~DISCARD) + HEADER_LENGTH + 7 & ~7;
    }

    /** The kernel wakes a sleeper only for a record written where the consumer is, so it must know the place exactly. */
    private void release() {
        POSITION.setRelease(consumer, 0L, position);
    }

    /** Whether nothing is there; a record still being written counts. */
    @HotPath
    public boolean isEmpty() {
        return position >= (long) POSITION.getAcquire(producer, 0L);
    }

    /** Bytes waiting, headers included. */
    public long backlogBytes() {
        return (long) POSITION.getAcquire(producer, 0L) - position;
    }

    /** For epoll(7): readable while a record is there. The map's own descriptor. */
    public int fd() {
        return fd;
    }

    @Override
    public void close() {
        arena.close();
    }
}
