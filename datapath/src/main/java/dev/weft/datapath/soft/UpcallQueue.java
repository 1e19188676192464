package dev.weft.datapath.soft;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Frames that wait for one worker, whole, oldest first. A frame lies in a chain of 2 KB chunks. Each port has its own
 * share of the chunks, so that a port that floods fills only its own; a port that holds nothing may always queue one
 * frame, so that large ones get through however many ports there are.
 *
 * <p>Any thread offers, the worker takes; one lock, held while a frame is copied in or taken out. Memory grows by slabs
 * up to the bound and is then reused.
 */
final class UpcallQueue {
    static final int CHUNK = 2048;

    private static final int NONE = -1;
    private static final int SLAB_CHUNKS = 64;

    // Immutable after construction.
    private final int chunkLimit;

    // Guarded by this: chunks, by number.
    private MemorySegment[] slabs = new MemorySegment[0];
    private int[] nextInFrame = new int[0];
    private int free = NONE;

    // Guarded by this: frames, by their first chunk.
    private int[] nextFrame = new int[0];
    private int[] lengths = new int[0];
    private int[] inPorts = new int[0];
    private int[] tunnelKeys = new int[0];
    private byte[] reasons = new byte[0];
    private Share[] shares = new Share[0];
    private int head = NONE;
    private int tail = NONE;
    private int sharers = 1;

    // Read without the lock by await.
    private volatile boolean empty = true;

    // Owned by the worker thread.
    private MemorySegment whole = MemorySegment.NULL;

    /** What one port holds of one queue. Guarded by the queue. */
    static final class Share {
        private int chunks;
    }

    /** One share of each worker's queue. */
    static Share[] shares(int workers) {
        var shares = new Share[workers];
        Arrays.setAll(shares, i -> new Share());
        return shares;
    }

    UpcallQueue(int chunkLimit) {
        this.chunkLimit = chunkLimit;
    }

    /** Shares are equal: the limit divided by how many there are. */
    synchronized void setSharers(int count) {
        sharers = Math.max(1, count);
    }

    boolean isEmpty() {
        return empty;
    }

    /** False when the share is used up; the frame is then not kept. */
    synchronized boolean offer(
            Share share, MemorySegment segment, long offset, int length, int inPort, int tunnelKey, int reason) {
        int count = Math.max(1, (length + CHUNK - 1) / CHUNK);
        if (share.chunks > 0 && share.chunks + count > chunkLimit / sharers) {
            return false;
        }
        int first = NONE;
        for (int i = count - 1; i >= 0; i--) {
            int chunk = take();
            int from = i * CHUNK;
            MemorySegment.copy(segment, offset + from, slab(chunk), at(chunk), Math.min(CHUNK, length - from));
            nextInFrame[chunk] = first;
            first = chunk;
        }
        share.chunks += count;
        shares[first] = share;
        lengths[first] = length;
        inPorts[first] = inPort;
        tunnelKeys[first] = tunnelKey;
        reasons[first] = (byte) reason;
        nextFrame[first] = NONE;
        if (tail == NONE) {
            head = first;
        } else {
            nextFrame[tail] = first;
        }
        tail = first;
        empty = false;
        return true;
    }

    /** Makes the oldest frame the current one. It stays where it is until {@link #release}. -1 when there is none. */
    synchronized int take(Taken taken) {
        int first = head;
        if (first == NONE) {
            return NONE;
        }
        head = nextFrame[first];
        if (head == NONE) {
            tail = NONE;
            empty = true;
        }
        taken.length = lengths[first];
        taken.inPort = inPorts[first];
        taken.tunnelKey = tunnelKeys[first];
        taken.reason = reasons[first];
        if (nextInFrame[first] == NONE) {
            taken.segment = slab(first);
            taken.offset = at(first);
        } else {
            join(first, taken);
        }
        return first;
    }

    synchronized void release(int first) {
        Share share = shares[first];
        int chunk = first;
        while (chunk != NONE) {
            int after = nextInFrame[chunk];
            nextInFrame[chunk] = free;
            free = chunk;
            share.chunks--;
            chunk = after;
        }
    }

    /** The frame the worker has in hand. Owned by its thread. */
    static final class Taken {
        MemorySegment segment = MemorySegment.NULL;
        long offset;
        int length;
        int inPort;
        int tunnelKey;
        int reason;
    }

    private void join(int first, Taken taken) {
        if (whole.byteSize() < taken.length) {
            whole = MemorySegment.ofArray(new byte[Math.max(taken.length, SoftDatapath.MAX_FRAME)]);
        }
        int done = 0;
        for (int chunk = first; chunk != NONE; chunk = nextInFrame[chunk]) {
            MemorySegment.copy(slab(chunk), at(chunk), whole, done, Math.min(CHUNK, taken.length - done));
            done += CHUNK;
        }
        taken.segment = whole;
        taken.offset = 0;
    }

    private int take() {
        if (free == NONE) {
            grow();
        }
        int chunk = free;
        free = nextInFrame[chunk];
        return chunk;
    }

    private void grow() {
        int slab = slabs.length;
        int before = slab * SLAB_CHUNKS;
        int after = before + SLAB_CHUNKS;
        slabs = Arrays.copyOf(slabs, slab + 1);
        slabs[slab] = MemorySegment.ofArray(new byte[SLAB_CHUNKS * CHUNK]);
        nextInFrame = Arrays.copyOf(nextInFrame, after);
        nextFrame = Arrays.copyOf(nextFrame, after);
        lengths = Arrays.copyOf(lengths, after);
        inPorts = Arrays.copyOf(inPorts, after);
        tunnelKeys = Arrays.copyOf(tunnelKeys, after);
        reasons = Arrays.copyOf(reasons, after);
        shares = Arrays.copyOf(shares, after);
        for (int chunk = before; chunk < after; chunk++) {
            nextInFrame[chunk] = chunk + 1 < after ? chunk + 1 : NONE;
        }
        free = before;
    }

    private MemorySegment slab(int chunk) {
        return slabs[chunk / SLAB_CHUNKS];
    }

    private static long at(int chunk) {
        return (long) (chunk % SLAB_CHUNKS) * CHUNK;
    }
}
