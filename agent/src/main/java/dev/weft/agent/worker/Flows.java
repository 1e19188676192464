package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.Outcome;
import dev.weft.sim.flow.FlowKey;
import java.util.function.LongConsumer;
import org.agrona.collections.LongArrayList;

/**
 * One worker's flows, in its book and in the datapath, kept the same. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class Flows {
    private static final int EXPIRED_AT_ONCE = 64;
    private static final int READ_AT_ONCE = 4096;

    // Immutable after construction.
    private final WorkerPort seat;
    private final WorkerCounters counters;
    private final FlowBook book;
    private final DestinationIndex destinations;
    private final FlowBook.FlowConsumer gone = this::onGone;
    private final WorkerPort.FlowUse used;
    private final LongConsumer collect;
    // Owned by the worker thread.
    private final long[] tags = new long[Outcome.MAX_TAGS];
    private final LongArrayList affected = new LongArrayList();

    Flows(WorkerPort seat, FlowBook.Limits limits, long idleNanos, WorkerCounters counters) {
        this.seat = seat;
        this.counters = counters;
        destinations = new DestinationIndex(limits.tags());
        book = new FlowBook(limits, idleNanos, destinations::forget);
        used = book::used;
        collect = affected::addLong;
    }

    /** Makes a flow of an outcome that may become one. */
    void install(FlowKey key, Outcome outcome, long nowNanos) {
        int result = tryInstall(key, outcome, nowNanos);
        if (result == WorkerPort.FULL && book.expire(nowNanos, EXPIRED_AT_ONCE, gone) > 0) {
            result = tryInstall(key, outcome, nowNanos);
        }
        counters.count(
                switch (result) {
                    case WorkerPort.INSTALLED -> WorkerCounter.INSTALLED;
                    case WorkerPort.EXISTS -> WorkerCounter.EXISTED;
                    default -> WorkerCounter.FULL;
                });
    }

    private int tryInstall(FlowKey key, Outcome outcome, long nowNanos) {
        int count = outcome.tagCount();
        for (int i = 0; i < count; i++) {
            tags[i] = outcome.tag(i);
        }
        long id = book.add(key, outcome.mask, outcome.actions, tags, count, 0, nowNanos, gone);
        int result = seat.install(id, key, outcome.mask, outcome.actions);
        if (result != WorkerPort.INSTALLED) {
            book.remove(id);
            return result;
        }
        for (int i = 0; i < outcome.readCount(); i++) {
            destinations.add(
                    outcome.readRouter(i),
                    outcome.readHigh(i),
                    outcome.readLow(i),
                    outcome.readProvenBits(i),
                    outcome.readMatchedBits(i),
                    outcome.readTag(i));
        }
        return result;
    }

    void invalidate(long tag) {
        int count = book.invalidate(tag, gone);
        if (count > 0) {
            counters.count(WorkerCounter.INVALIDATED, count);
        }
    }

    /** A route to this prefix came, went or changed. */
    void routeChanged(int router, IpPrefix prefix) {
        affected.clear();
        destinations.affected(router, prefix, collect);
        for (int i = 0; i < affected.size(); i++) {
            invalidate(affected.getLong(i));
        }
    }

    /** Takes in what the datapath knows of use, and lets idle flows go. Returns how many went. */
    int sweep(long nowNanos) {
        seat.readUsed(used, READ_AT_ONCE);
        int count = book.expire(nowNanos, READ_AT_ONCE, gone);
        if (count > 0) {
            counters.count(WorkerCounter.IDLE, count);
        }
        return count;
    }

    boolean usedSince(long tag, long nanos) {
        return book.usedSince(tag, nanos);
    }

    int size() {
        return book.size();
    }

    private void onGone(FlowBook from, long id, int why) {
        seat.remove(id);
    }
}
