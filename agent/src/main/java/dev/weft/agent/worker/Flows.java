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
 *
 * <p>What the datapath knows of use is read in rounds, some of it at each turn of the clock: a flow is idle when a whole
 * round that began after its time was up did not name it.
 */
@HotPath
final class Flows {
    private static final int EXPIRED_AT_ONCE = 1024;
    private static final int READ_AT_ONCE = 2048;
    /** However few flows there are: they lie scattered in a cache made for many. */
    private static final int LEAST_READ = 64;
    /** Readings of use within the time after which a flow is idle: it goes at most half as much later. */
    private static final int ROUNDS_PER_IDLE = 4;

    // Immutable after construction.
    private final WorkerPort seat;
    private final WorkerCounters counters;
    private final FlowBook book;
    private final DestinationIndex destinations;
    private final RecentFlows recent;
    private final FlowBook.FlowConsumer gone = this::onGone;
    private final WorkerPort.FlowUse used;
    private final LongConsumer collect;
    private final long idleNanos;
    private final long roundNanos;
    // Owned by the worker thread.
    private final long[] tags = new long[Outcome.MAX_TAGS];
    private final LongArrayList affected = new LongArrayList();
    private final int[] parties; // by slot of the book
    private final int[] usedParties = new int[READ_AT_ONCE]; // of one reading
    private final int[] usedFlags = new int[READ_AT_ONCE];
    private int usedCount;
    private PartyUse partyUse = (party, tcpFlags, nowNanos) -> {};
    private boolean reading;
    private long roundBegan;
    private long knownUntil;
    private long lastSweep;

    /** One side's packets of a connection met a flow. */
    @FunctionalInterface
    interface PartyUse {
        /**
         * @param party a {@link Connections#party}
         * @param tcpFlags FIN and RST, if they were seen
         */
        void onUsed(int party, int tcpFlags, long nowNanos);
    }

    /** @param roundNanos at least so long from the beginning of one reading to the next */
    Flows(WorkerPort seat, int capacity, long idleNanos, long roundNanos, long nowNanos, WorkerCounters counters) {
        this.seat = seat;
        this.counters = counters;
        this.idleNanos = idleNanos;
        this.roundNanos = Math.max(roundNanos, idleNanos / ROUNDS_PER_IDLE);
        lastSweep = nowNanos;
        roundBegan = nowNanos;
        knownUntil = nowNanos;
        // Most flows rest on one decision: a packet that crosses two routers needs two, but shares them with others.
        destinations = new DestinationIndex(Math.max(4 * Outcome.MAX_READS, capacity));
        book = new FlowBook(FlowBook.Limits.of(capacity), idleNanos, destinations::forget);
        recent = new RecentFlows(book);
        parties = new int[capacity];
        used = this::onUsed;
        collect = affected::addLong;
    }

    /**
     * Makes a flow of an outcome that may become one.
     *
     * @param party whose packets it carries, a {@link Connections#party}
     */
    void install(FlowKey key, Outcome outcome, int party, long nowNanos) {
        int result = tryInstall(key, outcome, party, nowNanos);
        if (result == WorkerPort.FULL && book.evict(gone)) {
            // The datapath is full before the book is: our share is in other workers' hands.
            result = tryInstall(key, outcome, party, nowNanos);
        }
        counters.count(
                switch (result) {
                    case WorkerPort.INSTALLED -> WorkerCounter.INSTALLED;
                    case WorkerPort.EXISTS -> WorkerCounter.EXISTED;
                    default -> WorkerCounter.FULL;
                });
    }

    private int tryInstall(FlowKey key, Outcome outcome, int party, long nowNanos) {
        long id = note(outcome, party, nowNanos);
        int result = seat.install(id, key, outcome.mask, outcome.actions);
        if (result != WorkerPort.INSTALLED) {
            book.remove(id);
            return result;
        }
        recent.add(id, key, outcome);
        return result;
    }

    /** Takes over a flow of an earlier agent that does what this outcome says. False when it is gone meanwhile. */
    boolean adopt(long survivor, Outcome outcome, int party, long nowNanos) {
        long id = note(outcome, party, nowNanos);
        boolean adopted = seat.adopt(id, survivor);
        if (!adopted) {
            book.remove(id);
        }
        return adopted;
    }

    /** Writes a flow and what it rests on into the book. Returns its id. */
    private long note(Outcome outcome, int party, long nowNanos) {
        int count = outcome.tagCount();
        for (int i = 0; i < count; i++) {
            tags[i] = outcome.tag(i);
        }
        while (!destinations.hasRoom(outcome.readCount())) {
            book.evict(gone);
        }
        long id = book.add(tags, count, nowNanos, gone);
        parties[(int) id] = party;
        for (int i = 0; i < outcome.readCount(); i++) {
            destinations.add(
                    outcome.readRouter(i),
                    outcome.readHigh(i),
                    outcome.readLow(i),
                    outcome.readProvenBits(i),
                    outcome.readMatchedBits(i),
                    outcome.readTag(i));
        }
        return id;
    }

    /** Who hears, after each reading, whose flows were used; flows may go in the call. */
    void setPartyUse(PartyUse listener) {
        partyUse = listener;
    }

    /** The flows installed last, for packets of theirs that were on their way up already. */
    RecentFlows recent() {
        return recent;
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

    /** Takes in some of what the datapath knows of use, and lets some idle flows go. Returns how many went. */
    int sweep(long nowNanos) {
        if (!reading && nowNanos - roundBegan >= roundNanos) {
            reading = true;
            roundBegan = nowNanos;
        }
        if (reading) {
            usedCount = 0;
            seat.readUsed(used, share(nowNanos - lastSweep));
            for (int i = 0; i < usedCount; i++) {
                partyUse.onUsed(usedParties[i], usedFlags[i], nowNanos);
            }
            if (seat.isRoundOver()) {
                reading = false;
                knownUntil = roundBegan;
            }
        }
        lastSweep = nowNanos;
        int count = book.expire(knownUntil, EXPIRED_AT_ONCE, gone);
        if (count > 0) {
            counters.count(WorkerCounter.IDLE, count);
        }
        return count;
    }

    /** How many flows to read after so long, for a round to be over when the next one is due. */
    private int share(long elapsedNanos) {
        double flows = (double) ROUNDS_PER_IDLE * book.size() * elapsedNanos / idleNanos;
        return Math.clamp((long) flows, LEAST_READ, READ_AT_ONCE);
    }

    private void onUsed(long id, long packets, long bytes, long lastUsedNanos, int tcpFlags) {
        if (!book.contains(id)) {
            return;
        }
        book.used(id, lastUsedNanos);
        if (parties[(int) id] != Connections.NOBODY) {
            usedFlags[usedCount] = tcpFlags;
            usedParties[usedCount++] = parties[(int) id];
        }
    }

    boolean usedSince(long tag, long nanos) {
        return book.usedSince(tag, nanos);
    }

    int size() {
        return book.size();
    }

    private void onGone(FlowBook from, long id, int why) {
        if (why == FlowBook.EVICTED) {
            counters.count(WorkerCounter.EVICTED);
        }
        seat.remove(id);
    }
}
