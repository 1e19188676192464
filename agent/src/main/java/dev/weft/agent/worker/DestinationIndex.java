package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

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
    // Fields of a decision.
    private static final int HIGH = TaggedRecords.FIRST;
    private static final int LOW = HIGH + 2;
    private static final int BITS = HIGH + 4; // proven in the low half, matched in the high one
    private static final int ROUTER = HIGH + 5;
    private static final int NEXT_OF_ROUTER = HIGH + 6;
    private static final int PREVIOUS_OF_ROUTER = HIGH + 7;
    private static final int WIDTH = 8;

    private final TaggedRecords decisions;
    // By router; grows with the number of routers in the network.
    private int[] firstOfRouter;

    /** @param capacity decisions at one time */
    public DestinationIndex(int capacity) {
        Slabs.require("destinations", capacity, 1, 1 << 26);
        decisions = new TaggedRecords(capacity, WIDTH);
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
        if (decisions.find(tag) != NONE) {
            return;
        }
        int decision = decisions.open(tag);
        if (decision == NONE) {
            throw new IllegalStateException(
                    "destination index of " + decisions.capacity() + " is full (expected room to be made before)");
        }
        if (router >= firstOfRouter.length) {
            growTo(router + 1);
        }
        decisions.setLong(decision, HIGH, dstHigh & IpPrefix.highMask(provenBits));
        decisions.setLong(decision, LOW, dstLow & IpPrefix.lowMask(provenBits));
        decisions.set(decision, BITS, Math.max(0, matchedBits) << 16 | provenBits);
        decisions.set(decision, ROUTER, router);
        int second = firstOfRouter[router];
        decisions.set(decision, NEXT_OF_ROUTER, second);
        decisions.set(decision, PREVIOUS_OF_ROUTER, NONE);
        if (second != NONE) {
            decisions.set(second, PREVIOUS_OF_ROUTER, decision);
        }
        firstOfRouter[router] = decision;
    }

    /** No flow has this tag any more; tags that are not decisions are ignored. For the book's {@code tagUnused}. */
    @HotPath
    public void forget(long tag) {
        int decision = decisions.find(tag);
        if (decision == NONE) {
            return;
        }
        int before = decisions.get(decision, PREVIOUS_OF_ROUTER);
        int after = decisions.get(decision, NEXT_OF_ROUTER);
        if (before == NONE) {
            firstOfRouter[decisions.get(decision, ROUTER)] = after;
        } else {
            decisions.set(before, NEXT_OF_ROUTER, after);
        }
        if (after != NONE) {
            decisions.set(after, PREVIOUS_OF_ROUTER, before);
        }
        decisions.close(decision);
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
        for (int each = firstOfRouter[router]; each != NONE; each = decisions.get(each, NEXT_OF_ROUTER)) {
            if (decisions.get(each, BITS) >>> 16 <= changed.bits() && overlaps(each, changed)) {
                tag.accept(decisions.tag(each));
                count++;
            }
        }
        return count;
    }

    /** Whether so many more decisions fit. */
    @HotPath
    public boolean hasRoom(int count) {
        return decisions.room() >= count;
    }

    public int size() {
        return decisions.size();
    }

    private boolean overlaps(int decision, IpPrefix changed) {
        int bits = Math.min(decisions.get(decision, BITS) & 0xffff, changed.bits());
        return ((decisions.getLong(decision, HIGH) ^ changed.high()) & IpPrefix.highMask(bits)) == 0
                && ((decisions.getLong(decision, LOW) ^ changed.low()) & IpPrefix.lowMask(bits)) == 0;
    }

    private void growTo(int routers) {
        int before = firstOfRouter.length;
        firstOfRouter = Arrays.copyOf(firstOfRouter, Math.max(routers, before * 2));
        Arrays.fill(firstOfRouter, before, firstOfRouter.length, NONE);
    }
}
