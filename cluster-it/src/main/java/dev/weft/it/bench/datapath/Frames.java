package dev.weft.it.bench.datapath;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * UDP frames in memory, described by an array of struct mmsghdr so that any {@link #BATCH} of them that follow each
 * other, round robin, are sent by one call. Owned by the one thread that sends them.
 *
 * <p>With {@link #withNewPorts}, ports change before each sending, so that no 5-tuple comes again soon. The first two
 * octets of the payload take up the difference: the checksum stays right without being computed again.
 */
final class Frames implements AutoCloseable {
    static final int BATCH = 64;

    /** What a numbered frame carries: two octets that balance the checksum, some to spare, mark and number. */
    static final int NUMBERED_PAYLOAD = 16;

    // struct mmsghdr: msghdr(448 bits) sent(32) pad(32); of msghdr: vectors at 16, vectorCount at 24.
    private static final int MESSAGE_LENGTH = 64;
    private static final int VECTORS_OFFSET = 16;
    private static final int VECTOR_COUNT_OFFSET = 24;
    private static final int VECTOR_LENGTH = 16; // struct iovec: base(64) length(64)
    private static final int ETHERTYPE_OFFSET = 12;
    private static final int IPV4_UDP_OFFSET = 14 + 20;
    private static final int IPV6_UDP_OFFSET = 14 + 40;
    private static final int UDP_PAYLOAD = 8;
    private static final int IPV4 = 0x0800;
    private static final int LOWEST_PORT = 1024;
    /** Odd, so that multiples of it modulo a power of two are in no order and meet all. */
    private static final long SCATTER = 40_503;

    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    // Immutable after construction.
    private final Arena arena = Arena.ofShared();
    private final int count;
    private final int slot;
    private final MemorySegment bytes;
    private final MemorySegment messages;
    private final int[] udpOffsets;
    private final int[] lengths;
    private final long tuples;
    private final long firstTuple;
    private final boolean numbered;
    /** How many source ports each frame takes in turn, a power of two; 0: both ports are those of a tuple. */
    private final int sources;
    // Owned by the sending thread.
    private int next;
    private long number;

    private Frames(List<byte[]> frames, long tuples, long firstTuple, boolean numbered, int sources) {
        count = frames.size();
        slot = frames.stream().mapToInt(f -> f.length).max().orElseThrow() + 63 & ~63;
        bytes = arena.allocate((long) count * slot, 64);
        messages = arena.allocate((long) (count + BATCH) * MESSAGE_LENGTH, 64);
        udpOffsets = new int[count];
        lengths = frames.stream().mapToInt(f -> f.length).toArray();
        this.tuples = tuples;
        this.firstTuple = firstTuple;
        this.numbered = numbered;
        this.sources = sources;
        var vectors = arena.allocate((long) (count + BATCH) * VECTOR_LENGTH, 64);
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(frames.get(i), 0, bytes, JAVA_BYTE, (long) i * slot, frames.get(i).length);
            udpOffsets[i] = udpOffset((long) i * slot);
        }
        for (int i = 0; i < count + BATCH; i++) {
            long vector = (long) i * VECTOR_LENGTH;
            vectors.set(JAVA_LONG, vector, bytes.address() + (long) (i % count) * slot);
            vectors.set(JAVA_LONG, vector + 8, frames.get(i % count).length);
            long message = (long) i * MESSAGE_LENGTH;
            messages.set(JAVA_LONG, message + VECTORS_OFFSET, vectors.address() + vector);
            messages.set(JAVA_LONG, message + VECTOR_COUNT_OFFSET, 1);
        }
    }

    /** The same frames again and again. */
    static Frames fixed(List<byte[]> frames) {
        return new Frames(frames, 0, 0, false, 0);
    }

    /**
     * Frames whose UDP ports differ each time, over {@code tuples} pairs of ports in an order without pattern.
     *
     * @param frames UDP with two octets of payload or more, at least {@link #BATCH} of them
     * @param tuples a power of two up to 2^31
     */
    static Frames withNewPorts(List<byte[]> frames, long tuples) {
        return changing(frames, tuples, 0, false);
    }

    /**
     * As {@link #withNewPorts}, and each frame ends with {@link TcProgram#MARK} and its number, 0 for the first one sent.
     *
     * @param frames with {@link #NUMBERED_PAYLOAD} octets of payload
     */
    static Frames numbered(List<byte[]> frames, long tuples) {
        return numbered(frames, tuples, 0);
    }

    /** @param firstTuple where in their order frame 0 begins: for 5-tuples that other frames have not used */
    static Frames numbered(List<byte[]> frames, long tuples, long firstTuple) {
        return changing(frames, tuples, firstTuple, true);
    }

    /**
     * Numbered frames, each with another source port than the last time it was sent: every one to its own destination.
     *
     * @param sources of each frame, in turn: a power of two up to 2^15
     */
    static Frames numberedFromPorts(List<byte[]> frames, int sources) {
        if (Integer.bitCount(sources) != 1 || sources > 1 << 15) {
            throw new IllegalArgumentException(sources + " source ports (expected a power of two up to 32768)");
        }
        return new Frames(frames, (long) sources * frames.size(), 0, true, sources);
    }

    private static Frames changing(List<byte[]> frames, long tuples, long firstTuple, boolean numbered) {
        if (Long.bitCount(tuples) != 1 || tuples > 1L << 31) {
            throw new IllegalArgumentException(tuples + " tuples (expected a power of two up to 2^31)");
        }
        if (frames.size() < BATCH) {
            throw new IllegalArgumentException(frames.size() + " frames (expected at least " + BATCH + ")");
        }
        return new Frames(frames, tuples, firstTuple, numbered, 0);
    }

    private int udpOffset(long at) {
        int type = bytes.get(BE_SHORT, at + ETHERTYPE_OFFSET) & 0xffff;
        return type == IPV4 ? IPV4_UDP_OFFSET : IPV6_UDP_OFFSET;
    }

    /** Address of the next {@code count} messages, at most {@link #BATCH}. */
    @HotPath
    long nextBatch(int count) {
        if (tuples != 0) {
            for (int i = 0; i < count; i++) {
                renew((next + i) % this.count, number + i);
            }
        }
        return messages.address() + (long) next * MESSAGE_LENGTH;
    }

    /** Of the batch, the first {@code sent} are gone. */
    @HotPath
    void advance(int sent) {
        next = (next + sent) % count;
        number += sent;
    }

    /** The number of the next frame, which is how many were sent. */
    long number() {
        return number;
    }

    @HotPath
    private void renew(int frame, long itsNumber) {
        long at = (long) frame * slot + udpOffsets[frame];
        int difference = u16(at) + u16(at + 2) + u16(at + UDP_PAYLOAD);
        int source;
        int destination;
        if (sources == 0) {
            int tuple = (int) (Hashing.mix(firstTuple + itsNumber & tuples - 1) & tuples - 1);
            source = source(tuple);
            destination = destination(tuple);
        } else {
            source = LOWEST_PORT + (int) (itsNumber / count * SCATTER & sources - 1);
            destination = u16(at + 2);
        }
        bytes.set(BE_SHORT, at, (short) source);
        bytes.set(BE_SHORT, at + 2, (short) destination);
        difference -= source + destination;
        if (numbered) {
            long trailer = (long) frame * slot + lengths[frame] - TcProgram.TRAILER_LENGTH;
            difference += trailerSum(trailer);
            bytes.set(JAVA_INT_UNALIGNED, trailer, TcProgram.MARK);
            bytes.set(JAVA_INT_UNALIGNED, trailer + 4, (int) itsNumber);
            difference -= trailerSum(trailer);
        }
        bytes.set(BE_SHORT, at + UDP_PAYLOAD, (short) onesComplement(difference));
    }

    /** The ports of a tuple, 0..tuples-1. */
    @HotPath
    static int source(int tuple) {
        return LOWEST_PORT + (tuple & 0x7fff);
    }

    @HotPath
    static int destination(int tuple) {
        return LOWEST_PORT + (tuple >>> 15 & 0xffff) % (0x10000 - LOWEST_PORT);
    }

    @HotPath
    private int trailerSum(long at) {
        return u16(at) + u16(at + 2) + u16(at + 4) + u16(at + 6);
    }

    @HotPath
    private int u16(long at) {
        return bytes.get(BE_SHORT, at) & 0xffff;
    }

    /** Modulo 0xffff, as sums of RFC 1071 are. */
    @HotPath
    private static int onesComplement(int value) {
        return Math.floorMod(value, 0xffff);
    }

    @Override
    public void close() {
        arena.close();
    }
}
