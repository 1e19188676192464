package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.util.function.LongConsumer;

/**
 * The flows one worker installed, and the tags each rests on. Not thread safe: touched only by its worker thread.
 * Everything is allocated at construction; adding never fails, since the most idle flows go to make room.
 *
 * <p>A flow's id is {@code generation << 32 | slot}: an id that outlived its flow names nothing. Flows are kept in the
 * order they were last reported used, so the most idle one is known to within one report.
 */
@HotPath
public final class FlowBook {
    /** No flow. */
    public static final long NO_FLOW = 0;

    /** Why a flow went. */
    public static final int REMOVED = 0;

    public static final int INVALIDATED = 1;
    public static final int IDLE = 2;
    public static final int EVICTED = 3;

    private static final int KEY = 0;
    private static final int MASK = KEY + FlowKey.WORDS;
    private static final int CREATED = MASK + FlowKey.WORDS;
    private static final int LAST_USED = CREATED + 1;
    private static final int PACKETS = LAST_USED + 1;
    private static final int BYTES = PACKETS + 1;
    private static final int WORDS = BYTES + 1;

    // Immutable after construction.
    private final int capacity;
    private final int maxTagsPerFlow;
    private final long idleNanos;
    private final LongConsumer tagUnused;
    // Owned by the worker thread.
    private final long[] words;
    private final int[] generation; // odd while the slot holds a flow
    private final int[] kind;
    private final int[] actionCount;
    private final int[] firstAction;
    private final int[] next; // towards the most idle; of a free slot: the next free one
    private final int[] previous;
    private final ActionSlab actionSlab;
    private final TagIndex tags;
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
     * @param tags flow-and-tag pairs in all
     * @param tagsPerFlow the most one flow may have
     * @param actionWords words of actions in all
     */
    public record Limits(int flows, int tags, int tagsPerFlow, int actionWords) {
        public Limits {
            Slabs.require("flows", flows, 1, 1 << 22);
            Slabs.require("tags per flow", tagsPerFlow, 1, 1 << 16);
            Slabs.require("tags", tags, tagsPerFlow, 1 << 26);
            Slabs.require("action words", actionWords, ActionList.MAX_WORDS, 1 << 26);
        }

        /** Room for the usual flow: 12 tags, two chunks of actions. */
        public static Limits of(int flows) {
            return new Limits(flows, Math.max(512, flows * 12), 256, Math.max(2 * ActionList.MAX_WORDS, flows * 16));
        }
    }

    /** A flow is about to go; it can be read during the call, in which the book must not change. */
    @FunctionalInterface
    public interface FlowConsumer {
        /** @param why {@link #REMOVED}, {@link #INVALIDATED}, {@link #IDLE} or {@link #EVICTED} */
        void onGone(FlowBook book, long id, int why);
    }

    /**
     * @param idleNanos flows unused for so long go
     * @param tagUnused hears of each tag that no flow has any more; must not change the book
     */
    public FlowBook(Limits limits, long idleNanos, LongConsumer tagUnused) {
        if (idleNanos <= 0) {
            throw new IllegalArgumentException("idle time " + idleNanos + " ns (expected more than 0)");
        }
        capacity = limits.flows();
        maxTagsPerFlow = limits.tagsPerFlow();
        this.idleNanos = idleNanos;
        this.tagUnused = tagUnused;
        words = new long[Math.multiplyExact(capacity, WORDS)];
        generation = new int[capacity];
        kind = new int[capacity];
        actionCount = new int[capacity];
        firstAction = new int[capacity];
        next = Slabs.chained(capacity);
        previous = Slabs.none(capacity);
        // Whole chunks are taken, so the longest list must find its last one too.
        actionSlab = new ActionSlab(Math.max(ActionSlab.MAX_CHUNKS, ActionSlab.chunksOf(limits.actionWords())));
        tags = new TagIndex(capacity, limits.tags());
    }

    /**
     * Notes a flow. What the caller keeps per tag (see {@link DestinationIndex}) it adds after this call: the flows that
     * go to make room may be the last ones of a tag that the new flow has too.
     *
     * @param tagCount at most what the limits say per flow; doubles count once
     * @param flowKind the caller's own; shown in dumps
     * @param evictedFlows hears of the flows that went to make room
     * @return its id, never {@link #NO_FLOW}
     * @throws IllegalArgumentException when the flow has more tags than one may
     */
    public long add(
            FlowKey key,
            FlowMask mask,
            ActionList actions,
            long[] flowTags,
            int tagCount,
            int flowKind,
            long nowNanos,
            FlowConsumer evictedFlows) {
        if (tagCount > maxTagsPerFlow) {
            throw new IllegalArgumentException("flow with " + tagCount + " tags (expected 0.." + maxTagsPerFlow + ")");
        }
        int chunks = ActionSlab.chunksOf(actions.length());
        while (free == NONE || tags.capacity() - tags.edges() < tagCount || actionSlab.available() < chunks) {
            drop(mostIdle, EVICTED, evictedFlows);
            evicted++;
        }
        int slot = free;
        free = next[slot];
        generation[slot]++;
        int at = slot * WORDS;
        key.copyTo(words, at + KEY);
        mask.copyTo(words, at + MASK);
        words[at + CREATED] = nowNanos;
        words[at + LAST_USED] = nowNanos;
        words[at + PACKETS] = 0;
        words[at + BYTES] = 0;
        kind[slot] = flowKind;
        actionCount[slot] = actions.length();
        firstAction[slot] = actionSlab.store(actions);
        for (int i = 0; i < tagCount; i++) {
            tags.link(slot, flowTags[i]);
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

    /** All flows with this tag go. Returns how many. */
    public int invalidate(long tag, FlowConsumer gone) {
        int count = 0;
        for (int slot = tags.firstFlow(tag); slot != NONE; slot = tags.firstFlow(tag)) {
            drop(slot, INVALIDATED, gone);
            count++;
        }
        invalidated += count;
        return count;
    }

    /** Flows idle for too long go, at most {@code limit} in one call. Returns how many. */
    public int expire(long nowNanos, int limit, FlowConsumer gone) {
        int count = 0;
        while (count < limit && mostIdle != NONE && nowNanos - lastUsed(mostIdle) >= idleNanos) {
            drop(mostIdle, IDLE, gone);
            count++;
        }
        expired += count;
        return count;
    }

    /**
     * The datapath reports a flow used; ids that name nothing are ignored.
     *
     * @param packets since the flow was installed
     * @param bytes since the flow was installed
     */
    public void used(long id, long packets, long bytes, long lastUsedNanos) {
        if (!contains(id)) {
            return;
        }
        int slot = (int) id;
        int at = slot * WORDS;
        words[at + PACKETS] = packets;
        words[at + BYTES] = bytes;
        if (lastUsedNanos - words[at + LAST_USED] > 0) {
            words[at + LAST_USED] = lastUsedNanos;
        }
        unlink(slot);
        linkNewest(slot);
    }

    /** Whether a flow with this tag was used after that time, as far as reported. */
    public boolean usedSince(long tag, long nanos) {
        for (int edge = tags.firstEdge(tag); edge != NONE; edge = tags.nextInTag(edge)) {
            if (lastUsed(tags.flowOf(edge)) - nanos > 0) {
                return true;
            }
        }
        return false;
    }

    public boolean contains(long id) {
        int slot = (int) id;
        return slot >= 0 && slot < capacity && (generation[slot] & 1) == 1 && generation[slot] == (int) (id >>> 32);
    }

    /** The first flow in slot order, {@link #NO_FLOW} when there is none; a walk for dumps. */
    public long first() {
        return nextFrom(0);
    }

    /** The flow after this one in slot order, which may be gone itself; {@link #NO_FLOW} at the end. */
    public long next(long id) {
        return nextFrom((int) id + 1);
    }

    /** The flow must be there, as for all that read one. */
    public void readKey(long id, FlowKey into) {
        into.copyFrom(words, at(id) + KEY);
    }

    public void readMask(long id, FlowMask into) {
        into.copyFrom(words, at(id) + MASK);
    }

    public void readActions(long id, ActionList into) {
        int slot = (int) id;
        actionSlab.read(firstAction[slot], actionCount[slot], into);
    }

    public void forEachTag(long id, LongConsumer consumer) {
        tags.forEachTag((int) id, consumer);
    }

    public int kind(long id) {
        return kind[(int) id];
    }

    public long createdNanos(long id) {
        return words[at(id) + CREATED];
    }

    public long lastUsedNanos(long id) {
        return words[at(id) + LAST_USED];
    }

    public long packets(long id) {
        return words[at(id) + PACKETS];
    }

    public long bytes(long id) {
        return words[at(id) + BYTES];
    }

    public int size() {
        return size;
    }

    public int capacity() {
        return capacity;
    }

    /** The most one flow may have. */
    public int maxTagsPerFlow() {
        return maxTagsPerFlow;
    }

    /** Flow-and-tag pairs it has room for; there are never more different tags. */
    public int tagCapacity() {
        return tags.capacity();
    }

    public int tags() {
        return tags.tags();
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
        tags.unlinkAll(slot, tagUnused);
        actionSlab.release(firstAction[slot]);
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

    private long lastUsed(int slot) {
        return words[slot * WORDS + LAST_USED];
    }

    private long id(int slot) {
        return (long) generation[slot] << 32 | slot;
    }

    private static int at(long id) {
        return (int) id * WORDS;
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
