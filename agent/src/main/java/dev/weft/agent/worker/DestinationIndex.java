package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * The longest-prefix decisions that a worker's flows rest on, by router, so that a changed prefix finds the flows it
 * concerns and no others. Not thread safe: touched only by its worker thread.
 *
 * <p>Each decision has a tag (Tag.routed): a flow carries the tag, this index says what the decision was. It follows
 * the {@link FlowBook}: a decision is {@link #add added} after each flow that rests on it, and {@link #forget forgotten}
 * when the book says that its tag is unused. A change walks the decisions of one router: some nanoseconds each, on a
 * path that is taken once per changed route.
 */
public final class DestinationIndex {
    // Decisions, found by their tag through chained hashing, and listed by router.
    private final int mask;
    private final int[] buckets;
    private final int[] nextInBucket; // of a free place: the next free one
    private final long[] tagOf;
    private final long[] high;
    private final long[] low;
    private final short[] provenBits;
    private final short[] matchedBits;
    private final int[] routerOf;
    private final int[] nextOfRouter;
    private final int[] previousOfRouter;
    private int free;
    private int size;
    // By router; grows with the number of routers in the network.
    private int[] firstOfRouter;

    /** @param capacity decisions at one time */
    public DestinationIndex(int capacity) {
        Slabs.require("destinations", capacity, 1, 1 << 26);
        buckets = Slabs.buckets(capacity);
        mask = buckets.length - 1;
        nextInBucket = Slabs.chained(capacity);
        tagOf = new long[capacity];
        high = new long[capacity];
        low = new long[capacity];
        provenBits = new short[capacity];
        matchedBits = new short[capacity];
        routerOf = new int[capacity];
        nextOfRouter = new int[capacity];
        previousOfRouter = new int[capacity];
        firstOfRouter = Slabs.none(64);
    }

    /**
     * Notes a decision: destinations in {@code high:low/provenBits} matched a route of {@code matchedBits}, both in the
     * 128-bit form. Known ones are left as they are.
     *
     * @param router dense index; it allocates only for a router beyond all before
     * @param matchedBits 0 also when nothing matched
     * @throws IllegalStateException when there is no {@linkplain #hasRoom room}
     */
    @HotPath
    public void add(int router, long dstHigh, long dstLow, int provenBits, int matchedBits, long tag) {
        if (find(tag) != NONE) {
            return;
        }
        if (free == NONE) {
            throw new IllegalStateException(
                    "destination index of " + tagOf.length + " is full (expected room to be made before)");
        }
        if (router >= firstOfRouter.length) {
            growTo(router + 1);
        }
        int place = free;
        free = nextInBucket[place];
        int bucket = bucket(tag);
        nextInBucket[place] = buckets[bucket];
        buckets[bucket] = place;
        tagOf[place] = tag;
        high[place] = dstHigh & IpPrefix.highMask(provenBits);
        low[place] = dstLow & IpPrefix.lowMask(provenBits);
        this.provenBits[place] = (short) provenBits;
        this.matchedBits[place] = (short) Math.max(0, matchedBits);
        routerOf[place] = router;
        int second = firstOfRouter[router];
        nextOfRouter[place] = second;
        previousOfRouter[place] = NONE;
        if (second != NONE) {
            previousOfRouter[second] = place;
        }
        firstOfRouter[router] = place;
        size++;
    }

    /** No flow has this tag any more; tags that are not decisions are ignored. For the book's {@code tagUnused}. */
    @HotPath
    public void forget(long tag) {
        int place = find(tag);
        if (place == NONE) {
            return;
        }
        int before = previousOfRouter[place];
        int after = nextOfRouter[place];
        if (before == NONE) {
            firstOfRouter[routerOf[place]] = after;
        } else {
            nextOfRouter[before] = after;
        }
        if (after != NONE) {
            previousOfRouter[after] = before;
        }
        unchain(place);
        nextInBucket[place] = free;
        free = place;
        size--;
    }

    /**
     * Names the tags of the decisions that a route to {@code changed}, come or gone, concerns: those about destinations
     * it covers that matched no longer prefix. Invalidate after the walk, not in it: that changes the index.
     *
     * @return how many
     */
    public int affected(int router, IpPrefix changed, LongConsumer tag) {
        if (router < 0 || router >= firstOfRouter.length) {
            return 0;
        }
        int count = 0;
        for (int place = firstOfRouter[router]; place != NONE; place = nextOfRouter[place]) {
            if (matchedBits[place] <= changed.bits() && overlaps(place, changed)) {
                tag.accept(tagOf[place]);
                count++;
            }
        }
        return count;
    }

    /** Whether so many more decisions fit. */
    @HotPath
    public boolean hasRoom(int count) {
        return tagOf.length - size >= count;
    }

    public int size() {
        return size;
    }

    private boolean overlaps(int place, IpPrefix changed) {
        int bits = Math.min(provenBits[place], changed.bits());
        return ((high[place] ^ changed.high()) & IpPrefix.highMask(bits)) == 0
                && ((low[place] ^ changed.low()) & IpPrefix.lowMask(bits)) == 0;
    }

    private int find(long tag) {
        int place = buckets[bucket(tag)];
        while (place != NONE && tagOf[place] != tag) {
            place = nextInBucket[place];
        }
        return place;
    }

    private void unchain(int place) {
        int bucket = bucket(tagOf[place]);
        if (buckets[bucket] == place) {
            buckets[bucket] = nextInBucket[place];
            return;
        }
        int before = buckets[bucket];
        while (nextInBucket[before] != place) {
            before = nextInBucket[before];
        }
        nextInBucket[before] = nextInBucket[place];
    }

    private int bucket(long tag) {
        return (int) Hashing.mix(tag) & mask;
    }

    private void growTo(int routers) {
        int before = firstOfRouter.length;
        firstOfRouter = Arrays.copyOf(firstOfRouter, Math.max(routers, before * 2));
        Arrays.fill(firstOfRouter, before, firstOfRouter.length, NONE);
    }
}
