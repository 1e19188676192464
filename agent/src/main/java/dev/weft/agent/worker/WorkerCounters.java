package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.sim.DropReason;
import java.util.SortedMap;

/** What a worker counts, by name: written by its thread only, read by anyone, who may be a moment behind. */
public final class WorkerCounters {
    private static final WorkerCounter[] COUNTERS = WorkerCounter.values();
    private static final DropReason[] REASONS = DropReason.values();
    private static final WorkerDrop[] OWN_REASONS = WorkerDrop.values();
    private static final int FIRST_REASON = COUNTERS.length;
    private static final int FIRST_OWN_REASON = FIRST_REASON + REASONS.length;

    private final Counters counters = new Counters(FIRST_OWN_REASON + OWN_REASONS.length);

    @HotPath
    void count(WorkerCounter what) {
        counters.increment(what.ordinal());
    }

    @HotPath
    void count(WorkerCounter what, long times) {
        counters.add(what.ordinal(), times);
    }

    /** For a count that a structure keeps itself. */
    void set(WorkerCounter what, long count) {
        counters.set(what.ordinal(), count);
    }

    /** For drops that a structure counts itself. */
    void set(WorkerDrop why, long count) {
        counters.set(FIRST_OWN_REASON + why.ordinal(), count);
    }

    /** The virtual network refused the packet. */
    @HotPath
    void drop(DropReason why) {
        counters.increment(FIRST_REASON + why.ordinal());
        count(WorkerCounter.DROPPED);
    }

    /** The worker itself refused it. */
    @HotPath
    void drop(WorkerDrop why) {
        counters.increment(FIRST_OWN_REASON + why.ordinal());
        count(WorkerCounter.DROPPED);
    }

    public long get(WorkerCounter what) {
        return counters.get(what.ordinal());
    }

    public long get(DropReason why) {
        return counters.get(FIRST_REASON + why.ordinal());
    }

    public long get(WorkerDrop why) {
        return counters.get(FIRST_OWN_REASON + why.ordinal());
    }

    /** Adds every counter but the drops to the sums, by its text. */
    public void addTo(SortedMap<String, Long> sums) {
        for (WorkerCounter counter : COUNTERS) {
            sums.merge(counter.text(), get(counter), Long::sum);
        }
    }

    /** Adds the drops by reason to the sums, by the reason's label. */
    public void addDropsTo(SortedMap<String, Long> sums) {
        for (DropReason reason : REASONS) {
            sums.merge(reason.label(), get(reason), Long::sum);
        }
        for (WorkerDrop reason : OWN_REASONS) {
            sums.merge(reason.label(), get(reason), Long::sum);
        }
    }
}
