package dev.weft.agent.worker;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.sim.DropReason;
import dev.weft.sim.Outcome;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import org.jspecify.annotations.Nullable;

/**
 * The flows that a worker installed last, by the whole key of the packet that caused each: when a burst of one flow is on
 * its way up before the flow is there, its packets need no simulation of their own. What is remembered holds as long as
 * the flow is in the book, so a change that removes the flow ends it. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class RecentFlows {
    private static final int ENTRIES = 256;
    private static final int MASK = ENTRIES - 1;
    /** Longer ones are floods: not remembered. */
    private static final int MAX_ACTIONS = 32;

    private final FlowBook book;
    private final long[] ids = new long[ENTRIES];
    private final long[] keys = new long[ENTRIES * FlowKey.WORDS];
    private final long[] words = new long[ENTRIES * MAX_ACTIONS];
    private final int[] lengths = new int[ENTRIES];
    private final @Nullable DropReason[] reasons = new DropReason[ENTRIES];
    private final ActionList actions = new ActionList();

    RecentFlows(FlowBook book) {
        this.book = book;
    }

    /** @param outcome a forward or a drop, which became the flow */
    void add(long id, FlowKey key, Outcome outcome) {
        int length = outcome.actions.length();
        if (length > MAX_ACTIONS) {
            return;
        }
        int entry = entry(key);
        ids[entry] = id;
        key.copyTo(keys, entry * FlowKey.WORDS);
        for (int i = 0; i < length; i++) {
            words[entry * MAX_ACTIONS + i] = outcome.actions.word(i);
        }
        lengths[entry] = length;
        reasons[entry] = outcome.dropReason();
    }

    /** The entry of a packet with this key, or -1. It holds until the next flow is installed. */
    int find(FlowKey key) {
        int entry = entry(key);
        if (!book.contains(ids[entry])) {
            return -1;
        }
        for (int i = 0; i < FlowKey.WORDS; i++) {
            if (keys[entry * FlowKey.WORDS + i] != key.word(i)) {
                return -1;
            }
        }
        return entry;
    }

    /** Null when the packet is to be forwarded. */
    @Nullable
    DropReason dropReason(int entry) {
        return reasons[entry];
    }

    /** Valid until the next call. */
    ActionList actions(int entry) {
        actions.copyFrom(words, entry * MAX_ACTIONS, lengths[entry]);
        return actions;
    }

    private static int entry(FlowKey key) {
        long hash = 0;
        for (int i = 0; i < FlowKey.WORDS; i++) {
            hash = Hashing.combine(hash, key.word(i));
        }
        return (int) hash & MASK;
    }
}
