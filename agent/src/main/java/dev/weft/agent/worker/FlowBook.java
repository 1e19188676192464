package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import java.util.function.LongConsumer;

/**
 * The flows one worker installed: what each rests on, and when it was used. What they match, do and carried the datapath
 * knows. Not thread safe: touched only by its worker thread. Room is reckoned in at construction; what flows rest on takes
 * memory by the page as they come, up to some 200 bytes a flow, which then stays. Adding never fails, since the most idle
 * flows go to make room.
 *
 * <p>A flow's id is {@code generation << 32 | slot}: an id that outlived its flow names nothing. Flows are kept in the
 * order they were last reported used, so the most idle one is known to within one report. Tags of the topology, which
 * flows on one path share, are kept once for the path; the others for each flow.
 */
@HotPath
public final class FlowBook {
    /** No flow. */
    public static final long NO_FLOW = 0;

    /** Why a flow went. */
    public static final int INVALIDATED = 1;

    public static final int IDLE = 2;
    public static final int EVICTED = 3;

    // Immutable after construction.
    private final int capacity;
    private final int maxTagsPerFlow;
    private final long idleNanos;
    private final LongConsumer tagUnused;
    // Owned by the worker thread.
    private final int[] generation; // odd while the slot holds a flow
    private final long[] lastUsed;
    private final int[] next; // towards the most idle; of a free slot: the next free one
    private final int[] previous;
    private final TagIndex own;
    private final PathIndex paths;
    private final long[] ownTags;
    private final long[] pathTags;
    private int free;
    private int newest = NONE;
    private int mostIdle = NONE;
    private int size;
    private long added;
    private long invalidated;
    private long expired;
    private long evicted;

    /**
     * @param flows flows in all
     * @param pairs flow-and-tag pairs in all, of tags that are not a path's
     * @param tags different tags in all, of those
     * @param tagsPerFlow the most one flow may have
     * @param paths whose tags are kept once; flows on further ones have them for themselves
     */
    public record Limits(int flows, int pairs, int tags, int tagsPerFlow, int paths) {
        private static final int MAX_TAGS_PER_FLOW = 256;
        private static final int PAIRS_PER_FLOW = 7;
        private static final int TAGS_PER_FLOW = 2;
        private static final int FLOWS_PER_PATH = 32;

        public Limits {
            Slabs.require("flows", flows, 1, 1 << 24);
            Slabs.require("tags per flow", tagsPerFlow, 1, 1 << 16);
            Slabs.require("pairs", pairs, tagsPerFlow, 1 << 27);
            Slabs.require("tags", tags, tagsPerFlow, 1 << 27);
            Slabs.require("paths", paths, 1, 1 << 24);
        }

        /** Room for the usual flow. */
        public static Limits of(int flows) {
            return new Limits(
                    flows,
                    Math.max(4 * MAX_TAGS_PER_FLOW, flows * PAIRS_PER_FLOW),
                    Math.max(4 * MAX_TAGS_PER_FLOW, flows * TAGS_PER_FLOW),
                    MAX_TAGS_PER_FLOW,
                    Math.max(64, flows / FLOWS_PER_PATH));
        }
    }

    /** A flow is about to go; it can be read during the call, in which the book must not change. */
    @FunctionalInterface
    public interface FlowConsumer {
        /** @param why {@link #INVALIDATED}, {@link #IDLE} or {@link #EVICTED} */
        void onGone(FlowBook book, long id, int why);
    }

    /**
     * @param idleNanos flows unused for so long go
     * @param tagUnused hears of each tag, but those of paths, that no flow has any more; must not change the book
     */
    public FlowBook(Limits limits, long idleNanos, LongConsumer tagUnused) {
        if (idleNanos <= 0) {
            throw new IllegalArgumentException("idle time " + idleNanos + " ns (expected more than 0)");
        }
        capacity = limits.flows();
        maxTagsPerFlow = limits.tagsPerFlow();
        this.idleNanos = idleNanos;
        this.tagUnused = tagUnused;
        generation = new int[capacity];
        lastUsed = new long[capacity];
        next = Slabs.chained(capacity);
        previous = Slabs.none(capacity);
        own = new TagIndex(capacity, limits.pairs(), limits.tags());
        paths = new PathIndex(capacity, limits.paths());
        ownTags = new long[maxTagsPerFlow];
        pathTags = new long[maxTagsPerFlow];
    }

    /**
     * Notes a flow. What the caller keeps per tag (see {@link DestinationIndex}) it adds after this call: the flows that
     * go to make room may be the last ones of a tag that the new flow has too.
     *
     * @param tagCount at most what the limits say per flow; doubles count once
     * @param evictedFlows hears of the flows that went to make room
     * @return its id, never {@link #NO_FLOW}
     * @throws IllegalArgumentException when the flow has more tags than one may
     */
    public long add(long[] flowTags, int tagCount, long nowNanos, FlowConsumer evictedFlows) {
        if (tagCount > maxTagsPerFlow) {
            throw new IllegalArgumentException("flow with " + tagCount + " tags (expected 0.." + maxTagsPerFlow + ")");
        }
        int ownCount = 0;
        int pathCount = 0;
        for (int i = 0; i < tagCount; i++) {
            if (Tag.isShared(flowTags[i])) {
                pathTags[pathCount++] = flowTags[i];
            } else {
                ownTags[ownCount++] = flowTags[i];
            }
        }
        int path = paths.hold(pathTags, pathCount); // It must outlive the flows that go now.
        if (path == NONE) {
            System.arraycopy(pathTags, 0, ownTags, ownCount, pathCount);
            ownCount += pathCount;
        }
        while (free == NONE || !own.hasRoom(ownCount)) {
            evict(evictedFlows);
        }
        int slot = free;
        free = next[slot];
        generation[slot]++;
        lastUsed[slot] = nowNanos;
        for (int i = 0; i < ownCount; i++) {
            own.link(slot, ownTags[i]);
        }
        paths.enter(slot, path);
        if (path != NONE) {
            paths.release(path);
        }
        linkNewest(slot);
        size++;
        added++;
        return id(slot);
    }

    /** Forgets one flow without telling anyone. Whether it was there. */
    public boolean remove(long id) {
        if (!contains(id)) {
            return false;
        }
        free((int) id);
        return true;
    }

    /** The most idle flow goes. False when there is none. */
    public boolean evict(FlowConsumer gone) {
        if (mostIdle == NONE) {
            return false;
        }
        drop(mostIdle, EVICTED, gone);
        evicted++;
        return true;
    }

    /** All flows with this tag go. Returns how many. */
    public int invalidate(long tag, FlowConsumer gone) {
        int count = 0;
        for (int slot = firstWith(tag); slot != NONE; slot = firstWith(tag)) {
            drop(slot, INVALIDATED, gone);
            count++;
        }
        invalidated += count;
        return count;
    }

    private int firstWith(long tag) {
        int slot = own.firstFlow(tag);
        return slot == NONE && Tag.isShared(tag) ? paths.firstFlow(tag) : slot;
    }

    /**
     * Flows idle for too long go, at most {@code limit} in one call. Returns how many.
     *
     * @param knownNanos all use up to then has been reported
     */
    public int expire(long knownNanos, int limit, FlowConsumer gone) {
        int count = 0;
        while (count < limit && mostIdle != NONE && knownNanos - lastUsed[mostIdle] >= idleNanos) {
            drop(mostIdle, IDLE, gone);
            count++;
        }
        expired += count;
        return count;
    }

    /** The datapath reports a flow used; ids that name nothing are ignored. */
    public void used(long id, long lastUsedNanos) {
        if (!contains(id)) {
            return;
        }
        int slot = (int) id;
        if (lastUsedNanos - lastUsed[slot] > 0) {
            lastUsed[slot] = lastUsedNanos;
        }
        unlink(slot);
        linkNewest(slot);
    }

    /** Whether a flow with this tag, not a path's, was used after that time, as far as reported. */
    public boolean usedSince(long tag, long nanos) {
        for (int edge = own.firstEdge(tag); edge != NONE; edge = own.nextInTag(edge)) {
            if (lastUsed[own.flowOf(edge)] - nanos > 0) {
                return true;
            }
        }
        return false;
    }

    public boolean contains(long id) {
        int slot = (int) id;
        return slot >= 0 && slot < capacity && (generation[slot] & 1) == 1 && generation[slot] == (int) (id >>> 32);
    }

    /** The first flow in slot order, {@link #NO_FLOW} when there is none; a walk at leisure. */
    public long first() {
        return nextFrom(0);
    }

    /** The flow after this one in slot order, which may be gone itself; {@link #NO_FLOW} at the end. */
    public long next(long id) {
        return nextFrom((int) id + 1);
    }

    /** The flow must be there. */
    public void forEachTag(long id, LongConsumer consumer) {
        own.forEachTag((int) id, consumer);
        paths.forEachTag((int) id, consumer);
    }

    /** The flow must be there. */
    public long lastUsedNanos(long id) {
        return lastUsed[(int) id];
    }

    public int size() {
        return size;
    }

    public int capacity() {
        return capacity;
    }

    /** Different tags, but those of paths. */
    public int tags() {
        return own.tags();
    }

    public int paths() {
        return paths.size();
    }

    public long added() {
        return added;
    }

    public long invalidated() {
        return invalidated;
    }

    public long expired() {
        return expired;
    }

    /** Went before their time, to make room. */
    public long evicted() {
        return evicted;
    }

    private void drop(int slot, int why, FlowConsumer gone) {
        gone.onGone(this, id(slot), why);
        free(slot);
    }

    private void free(int slot) {
        own.unlinkAll(slot, tagUnused);
        paths.leave(slot);
        unlink(slot);
        generation[slot]++;
        next[slot] = free;
        free = slot;
        size--;
    }

    private void linkNewest(int slot) {
        previous[slot] = NONE;
        next[slot] = newest;
        if (newest == NONE) {
            mostIdle = slot;
        } else {
            previous[newest] = slot;
        }
        newest = slot;
    }

    private void unlink(int slot) {
        int up = previous[slot];
        int down = next[slot];
        if (up == NONE) {
            newest = down;
        } else {
            next[up] = down;
        }
        if (down == NONE) {
            mostIdle = up;
        } else {
            previous[down] = up;
        }
    }

    private long id(int slot) {
        return (long) generation[slot] << 32 | slot;
    }

    private long nextFrom(int slot) {
        for (int i = slot; i < capacity; i++) {
            if ((generation[i] & 1) == 1) {
                return id(i);
            }
        }
        return NO_FLOW;
    }
}
