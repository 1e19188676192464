package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.agrona.collections.Int2IntCounterMap;

/**
 * Frames whose simulation waits for a neighbour's answer, copied, and bounded in all and per port. Not thread safe:
 * touched only by its worker thread; its memory lives as long as the arena it was given.
 *
 * <p>A frame stays at most {@code timeoutNanos} from its first parking, however many things it waits for in turn; it
 * waits for no thing twice, and for at most {@value #MAX_THINGS}. A port at its share, and the port that has most when
 * the lot is full, lose their oldest frame, since of the frames to a silent neighbour the latest is worth most
 * (RFC 1122 §2.3.2.2).
 */
@HotPath
public final class ParkingLot {
    public static final int PARKED = 0;
    /** Longer than a place: it must be dropped. */
    public static final int TOO_LONG = 1;
    /** Every frame it could take the place of is being resumed in a call above this one: it must be dropped. */
    public static final int NO_PLACE = 2;

    /** The longest frame kept: a jumbo frame of 9,000 bytes with its headers. */
    public static final int MAX_FRAME_BYTES = 9216;

    /** Different things one frame may wait for, one after the other. */
    public static final int MAX_THINGS = 4;

    private static final int FREE = 0;
    private static final int WAITING = 1;
    private static final int RESUMING = 2;

    // Immutable after construction.
    private final int perPort;
    private final long timeoutNanos;
    private final int mask;
    private final MemorySegment frames;
    // Owned by the worker thread. By place:
    private final byte[] state;
    private final int[] length;
    private final int[] port;
    private final int[] inPort;
    private final int[] tunnelKey;
    private final long[] deadline;
    private final long[] high; // what it waits for: an address that a router asks for
    private final long[] low;
    private final int[] router;
    private final int[] things;
    private final long[] thingHashes; // MAX_THINGS for each place: what it waited for so far
    private final int[] later; // places by time of parking; of a free one: the next free one
    private final int[] earlier;
    private final int[] nextInBucket; // by what they wait for, or the frames being resumed; oldest first
    private final int[] firstInBucket;
    private final int[] lastInBucket;
    private final Int2IntCounterMap parkedOfPort;
    private int free;
    private int oldest = NONE;
    private int newest = NONE;
    private int size;
    private int resuming = NONE; // the place whose frame is with the consumer
    private long parked;
    private long resumed;
    private long expired;
    private long displaced;
    private long tooLong;
    private long noPlace;
    private long waitedBefore;

    /** A parked frame. The memory is valid during the call. */
    @FunctionalInterface
    public interface FrameConsumer {
        /**
         * @param port the share it was counted on
         * @param inPort datapath port it came from
         * @param tunnelKey 0 unless it came through the tunnel
         */
        void onFrame(MemorySegment segment, long offset, int length, int port, int inPort, int tunnelKey);
    }

    /**
     * @param places frames in all
     * @param perPort frames one port may have
     * @param arena lends the memory; closed after the worker has stopped
     */
    public ParkingLot(int places, int perPort, long timeoutNanos, Arena arena) {
        Slabs.require("parking places", places, 1, 1 << 16);
        Slabs.require("parking places per port", perPort, 1, places);
        this.perPort = perPort;
        this.timeoutNanos = timeoutNanos;
        frames = arena.allocate((long) places * MAX_FRAME_BYTES, 64);
        state = new byte[places];
        length = new int[places];
        port = new int[places];
        inPort = new int[places];
        tunnelKey = new int[places];
        deadline = new long[places];
        high = new long[places];
        low = new long[places];
        router = new int[places];
        things = new int[places];
        thingHashes = new long[places * MAX_THINGS];
        later = Slabs.chained(places);
        earlier = Slabs.none(places);
        nextInBucket = Slabs.none(places);
        firstInBucket = Slabs.buckets(places);
        mask = firstInBucket.length - 1;
        lastInBucket = Slabs.none(firstInBucket.length);
        parkedOfPort = new Int2IntCounterMap(places * 2, 0.5f, 0);
    }

    /**
     * Copies a frame that waits until {@code router} knows the MAC of an address.
     *
     * @param share the virtual port it entered at: whom it is counted on
     * @return {@link #PARKED}, {@link #TOO_LONG} or {@link #NO_PLACE}
     */
    public int park(
            MemorySegment segment,
            long offset,
            int frameLength,
            int share,
            int ingress,
            int ingressKey,
            int waitsForRouter,
            long waitsForHigh,
            long waitsForLow,
            long nowNanos) {
        if (frameLength > MAX_FRAME_BYTES) {
            tooLong++;
            return TOO_LONG;
        }
        if (!makeRoom(share)) {
            noPlace++;
            return NO_PLACE;
        }
        int place = free;
        free = later[place];
        MemorySegment.copy(segment, offset, frames, at(place), frameLength);
        length[place] = frameLength;
        port[place] = share;
        inPort[place] = ingress;
        tunnelKey[place] = ingressKey;
        deadline[place] = nowNanos + timeoutNanos;
        things[place] = 0;
        parkedOfPort.incrementAndGet(share);
        linkNewest(place);
        await(place, waitsForRouter, waitsForHigh, waitsForLow);
        size++;
        parked++;
        return PARKED;
    }

    /**
     * Called by a consumer of {@link #resume} for the frame it is given: its simulation now waits for something else.
     * The frame stays where it is and keeps its deadline. False: it waited for this before, or for too many things; the
     * frame must be dropped.
     */
    public boolean parkAgain(int waitsForRouter, long waitsForHigh, long waitsForLow) {
        int place = resuming;
        if (place == NONE) {
            throw new IllegalStateException("parkAgain outside resume (expected within its consumer, once)");
        }
        long hash = hash(waitsForRouter, waitsForHigh, waitsForLow);
        for (int i = 0; i < things[place]; i++) {
            if (thingHashes[place * MAX_THINGS + i] == hash) {
                waitedBefore++;
                return false;
            }
        }
        if (things[place] == MAX_THINGS) {
            waitedBefore++;
            return false;
        }
        await(place, waitsForRouter, waitsForHigh, waitsForLow);
        resuming = NONE;
        return true;
    }

    /**
     * An answer came, or none will: hands over every frame that waits for it, oldest first, each once. Frames parked
     * meanwhile wait for the next answer.
     *
     * @return how many
     */
    public int resume(int ofRouter, long ofHigh, long ofLow, FrameConsumer consumer) {
        int count = 0;
        int place = detach(ofRouter, ofHigh, ofLow);
        while (place != NONE) {
            int following = nextInBucket[place];
            int outer = resuming;
            resuming = place;
            consumer.onFrame(frames, at(place), length[place], port[place], inPort[place], tunnelKey[place]);
            boolean waitsAgain = resuming == NONE;
            resuming = outer;
            if (!waitsAgain) {
                release(place);
            }
            count++;
            place = following;
        }
        resumed += count;
        return count;
    }

    /** Hands over, to be counted as dropped, every frame whose time is over; oldest first. Returns how many. */
    public int expire(long nowNanos, FrameConsumer consumer) {
        int count = 0;
        for (int place = firstDue(nowNanos); place != NONE; place = firstDue(nowNanos)) {
            leaveBucket(place);
            state[place] = RESUMING; // out of reach should the consumer park another frame
            consumer.onFrame(frames, at(place), length[place], port[place], inPort[place], tunnelKey[place]);
            release(place);
            count++;
        }
        expired += count;
        return count;
    }

    /** Frames there now. */
    public int size() {
        return size;
    }

    public long parked() {
        return parked;
    }

    public long resumed() {
        return resumed;
    }

    public long expired() {
        return expired;
    }

    /** Dropped to make room for a later frame. */
    public long displaced() {
        return displaced;
    }

    public long tooLong() {
        return tooLong;
    }

    public long noPlace() {
        return noPlace;
    }

    /** Refused a second wait for the same thing, or a wait for one thing too many. */
    public long waitedBefore() {
        return waitedBefore;
    }

    private void await(int place, int forRouter, long forHigh, long forLow) {
        long hash = hash(forRouter, forHigh, forLow);
        thingHashes[place * MAX_THINGS + things[place]++] = hash;
        router[place] = forRouter;
        high[place] = forHigh;
        low[place] = forLow;
        state[place] = WAITING;
        int bucket = (int) hash & mask;
        nextInBucket[place] = NONE;
        if (lastInBucket[bucket] == NONE) {
            firstInBucket[bucket] = place;
        } else {
            nextInBucket[lastInBucket[bucket]] = place;
        }
        lastInBucket[bucket] = place;
    }

    /** Takes all that wait for this out of their bucket, as a chain of their own. */
    private int detach(int ofRouter, long ofHigh, long ofLow) {
        int bucket = (int) hash(ofRouter, ofHigh, ofLow) & mask;
        int first = NONE;
        int last = NONE;
        int kept = NONE;
        int place = firstInBucket[bucket];
        firstInBucket[bucket] = NONE;
        while (place != NONE) {
            int following = nextInBucket[place];
            nextInBucket[place] = NONE;
            if (router[place] == ofRouter && high[place] == ofHigh && low[place] == ofLow) {
                state[place] = RESUMING;
                if (last == NONE) {
                    first = place;
                } else {
                    nextInBucket[last] = place;
                }
                last = place;
            } else {
                if (kept == NONE) {
                    firstInBucket[bucket] = place;
                } else {
                    nextInBucket[kept] = place;
                }
                kept = place;
            }
            place = following;
        }
        lastInBucket[bucket] = kept;
        return first;
    }

    private void leaveBucket(int place) {
        int bucket = (int) hash(router[place], high[place], low[place]) & mask;
        int before = NONE;
        int walk = firstInBucket[bucket];
        while (walk != place) {
            before = walk;
            walk = nextInBucket[walk];
        }
        if (before == NONE) {
            firstInBucket[bucket] = nextInBucket[place];
        } else {
            nextInBucket[before] = nextInBucket[place];
        }
        if (lastInBucket[bucket] == place) {
            lastInBucket[bucket] = before;
        }
    }

    private boolean makeRoom(int share) {
        int victim = NONE;
        if (parkedOfPort.get(share) >= perPort) {
            victim = oldestWaiting(share);
        } else if (free == NONE) {
            victim = oldestOfFattest();
        } else {
            return true;
        }
        if (victim == NONE) {
            return false;
        }
        leaveBucket(victim);
        release(victim);
        displaced++;
        return true;
    }

    private int oldestWaiting(int share) {
        int place = oldest;
        while (place != NONE && (port[place] != share || state[place] != WAITING)) {
            place = later[place];
        }
        return place;
    }

    /** The oldest frame that waits, of the port that has most. A walk of the lot, taken only when it is full. */
    private int oldestOfFattest() {
        int victim = NONE;
        int most = 0;
        for (int place = oldest; place != NONE; place = later[place]) {
            int count = parkedOfPort.get(port[place]);
            if (state[place] == WAITING && count > most) {
                victim = place;
                most = count;
            }
        }
        return victim;
    }

    private int firstDue(long nowNanos) {
        int place = oldest;
        while (place != NONE && state[place] != WAITING) {
            place = later[place];
        }
        return place != NONE && deadline[place] - nowNanos <= 0 ? place : NONE;
    }

    private void release(int place) {
        parkedOfPort.decrementAndGet(port[place]);
        int up = later[place];
        int down = earlier[place];
        if (up == NONE) {
            newest = down;
        } else {
            earlier[up] = down;
        }
        if (down == NONE) {
            oldest = up;
        } else {
            later[down] = up;
        }
        state[place] = FREE;
        later[place] = free;
        free = place;
        size--;
    }

    private void linkNewest(int place) {
        later[place] = NONE;
        earlier[place] = newest;
        if (newest == NONE) {
            oldest = place;
        } else {
            later[newest] = place;
        }
        newest = place;
    }

    private static long at(int place) {
        return (long) place * MAX_FRAME_BYTES;
    }

    private static long hash(int router, long high, long low) {
        return Hashing.combine(Hashing.combine(router, high), low);
    }
}
