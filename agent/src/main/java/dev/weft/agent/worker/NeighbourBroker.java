package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.concurrent.TimeUnit;

/**
 * The questions for neighbours' MACs that a worker has out, and the answers it got, until they are too old. Not thread
 * safe: touched only by its worker thread. It sends nothing and knows no MAC: it says when to.
 *
 * <p>A question is repeated each second until 5 s after the first; then it has failed, and for {@value
 * #FAILED_SECONDS} s nobody asks again. An answer is good for 60 s. From half of that on it is asked for again if a
 * flow used it since, so that a neighbour in use never drops out; nobody asks for one that is idle. While an answer is
 * being refreshed it stays good; when its 60 s are over it is forgotten.
 *
 * <p>When it is full, new questions and answers are refused, and counted: what is there ends within 65 s, and per port
 * the number of neighbours is bounded elsewhere.
 */
@HotPath
public final class NeighbourBroker {
    /** The caller sends the request now. */
    public static final int SEND = 0;
    /** It has been sent; the answer, or the failure, will come. */
    public static final int ASKED = 1;
    /** It failed a moment ago: the neighbour is not there. */
    public static final int FAILED = 2;
    /** Too many questions are out; nobody asks. */
    public static final int REFUSED = 3;

    public static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
    public static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(5);
    public static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(60);
    static final int FAILED_SECONDS = 3;
    private static final long FAILED_NANOS = TimeUnit.SECONDS.toNanos(FAILED_SECONDS);

    private static final byte FREE = 0;
    private static final byte ASKING = 1; // no answer yet; "since" is the first request
    private static final byte GOOD = 2; // "since" is the answer
    private static final byte REFRESHING = 3; // good still, and asked for again; "since" is the answer
    private static final byte SILENT = 4; // failed; "since" is the failure

    private final int mask;
    private final byte[] state;
    private final int[] router;
    private final int[] routerPort;
    private final long[] high;
    private final long[] low;
    private final long[] since;
    private final long[] nextLook; // when tick has something to do
    private final int[] buckets;
    private final int[] nextInBucket; // of a free entry: the next free one
    private int free;
    private int size;
    private int unanswered; // asking or silent
    private int cursor;
    private long requests;
    private long answers;
    private long failures;
    private long refused;

    /** What {@link #tick} wants done. All but {@link #isUsed} may come back to the broker. */
    public interface Errands {
        /** Send the request again. */
        void send(int router, int routerPort, long high, long low);

        /** Whether a flow that rests on this neighbour was used in the last {@code nanos}. */
        boolean isUsed(int router, long high, long low, long nanos);

        /** No answer came: parked frames are run again and get "unreachable". */
        void failed(int router, int routerPort, long high, long low);

        /** The answer is too old, or the failure: forget it, and flows that rest on it go. */
        void ended(int router, int routerPort, long high, long low);
    }

    public NeighbourBroker(int entries) {
        Slabs.require("neighbours", entries, 1, 1 << 20);
        state = new byte[entries];
        router = new int[entries];
        routerPort = new int[entries];
        high = new long[entries];
        low = new long[entries];
        since = new long[entries];
        nextLook = new long[entries];
        buckets = Slabs.buckets(entries);
        mask = buckets.length - 1;
        nextInBucket = Slabs.chained(entries);
    }

    /**
     * A simulation misses the MAC of an address.
     *
     * @param throughPort the router's port towards it
     * @return {@link #SEND}, {@link #ASKED}, {@link #FAILED} or {@link #REFUSED}
     */
    public int ask(int ofRouter, int throughPort, long forHigh, long forLow, long nowNanos) {
        int entry = find(ofRouter, forHigh, forLow);
        if (entry == NONE) {
            if (free == NONE) {
                refused++;
                return REFUSED;
            }
            entry = open(ofRouter, forHigh, forLow);
        } else if (state[entry] == ASKING || state[entry] == REFRESHING) {
            return ASKED;
        } else if (state[entry] == SILENT) {
            return FAILED;
        }
        // A good answer that is asked for: the network lost it (a new port, a forgotten table). Begin anew.
        unanswered++;
        routerPort[entry] = throughPort;
        state[entry] = ASKING;
        since[entry] = nowNanos;
        nextLook[entry] = nowNanos + RETRY_NANOS;
        requests++;
        return SEND;
    }

    /**
     * An answer came, asked for or not, and the worker's tables hold it now.
     *
     * @return false: there is no room to look after it; the caller lets it go from the tables in {@link #ANSWER_NANOS},
     *     or at once
     */
    public boolean answered(int ofRouter, int throughPort, long forHigh, long forLow, long nowNanos) {
        int entry = find(ofRouter, forHigh, forLow);
        if (entry == NONE) {
            if (free == NONE) {
                refused++;
                return false;
            }
            entry = open(ofRouter, forHigh, forLow);
        }
        if (isUnanswered(entry)) {
            unanswered--;
        }
        routerPort[entry] = throughPort;
        state[entry] = GOOD;
        since[entry] = nowNanos;
        nextLook[entry] = nowNanos + ANSWER_NANOS / 2;
        answers++;
        return true;
    }

    /**
     * Hosts or ports have come: what was silent may answer now, and is asked as if for the first time; a question that is
     * out may not have reached them, and begins anew at the next tick.
     */
    public void askAnew(long nowNanos, Errands errands) {
        for (int entry = 0; unanswered > 0 && entry < state.length; entry++) {
            if (state[entry] == SILENT) {
                end(entry, errands);
            } else if (state[entry] == ASKING) {
                since[entry] = nowNanos;
                nextLook[entry] = nowNanos;
            }
        }
    }

    private boolean isUnanswered(int entry) {
        return state[entry] == ASKING || state[entry] == SILENT;
    }

    /** Someone else looks after this neighbour from now on (a table that is shared, the schema). Whether it was there. */
    public boolean forget(int ofRouter, long forHigh, long forLow) {
        int entry = find(ofRouter, forHigh, forLow);
        if (entry == NONE) {
            return false;
        }
        close(entry);
        return true;
    }

    /** Looks at the next {@code limit} entries, round and round over the calls. Returns how many errands there were. */
    public int tick(long nowNanos, int limit, Errands errands) {
        int done = 0;
        for (int i = Math.min(limit, state.length); i > 0; i--) {
            int entry = cursor;
            cursor = entry + 1 == state.length ? 0 : entry + 1;
            if (state[entry] != FREE && nextLook[entry] - nowNanos <= 0) {
                look(entry, nowNanos, errands);
                done++;
            }
        }
        return done;
    }

    public int size() {
        return size;
    }

    public long requests() {
        return requests;
    }

    public long answers() {
        return answers;
    }

    public long failures() {
        return failures;
    }

    /** Neither asked for nor looked after: too many at once. */
    public long refused() {
        return refused;
    }

    private void look(int entry, long nowNanos, Errands errands) {
        switch (state[entry]) {
            case ASKING -> {
                if (nowNanos - since[entry] >= GIVE_UP_NANOS) {
                    state[entry] = SILENT;
                    since[entry] = nowNanos;
                    nextLook[entry] = nowNanos + FAILED_NANOS;
                    failures++;
                    errands.failed(router[entry], routerPort[entry], high[entry], low[entry]);
                } else {
                    send(entry, nowNanos, errands);
                }
            }
            case GOOD -> lookAtAnswer(entry, nowNanos, errands);
            case REFRESHING -> {
                if (nowNanos - since[entry] >= ANSWER_NANOS) {
                    end(entry, errands);
                } else {
                    send(entry, nowNanos, errands);
                }
            }
            default -> end(entry, errands);
        }
    }

    private void lookAtAnswer(int entry, long nowNanos, Errands errands) {
        long age = nowNanos - since[entry];
        if (age >= ANSWER_NANOS) {
            end(entry, errands);
        } else if (errands.isUsed(router[entry], high[entry], low[entry], age)) {
            state[entry] = REFRESHING;
            send(entry, nowNanos, errands);
        } else {
            // Idle so far: look again, so that it is asked for as soon as it is used.
            nextLook[entry] = nowNanos + Math.min(ANSWER_NANOS / 12, ANSWER_NANOS - age);
        }
    }

    private void send(int entry, long nowNanos, Errands errands) {
        nextLook[entry] = nowNanos + RETRY_NANOS;
        requests++;
        errands.send(router[entry], routerPort[entry], high[entry], low[entry]);
    }

    private void end(int entry, Errands errands) {
        int ofRouter = router[entry];
        int throughPort = routerPort[entry];
        long forHigh = high[entry];
        long forLow = low[entry];
        close(entry);
        errands.ended(ofRouter, throughPort, forHigh, forLow);
    }

    private int find(int ofRouter, long forHigh, long forLow) {
        int entry = buckets[bucket(ofRouter, forHigh, forLow)];
        while (entry != NONE && (router[entry] != ofRouter || high[entry] != forHigh || low[entry] != forLow)) {
            entry = nextInBucket[entry];
        }
        return entry;
    }

    private int open(int ofRouter, long forHigh, long forLow) {
        int entry = free;
        free = nextInBucket[entry];
        int bucket = bucket(ofRouter, forHigh, forLow);
        nextInBucket[entry] = buckets[bucket];
        buckets[bucket] = entry;
        router[entry] = ofRouter;
        high[entry] = forHigh;
        low[entry] = forLow;
        size++;
        return entry;
    }

    private void close(int entry) {
        int bucket = bucket(router[entry], high[entry], low[entry]);
        if (buckets[bucket] == entry) {
            buckets[bucket] = nextInBucket[entry];
        } else {
            int before = buckets[bucket];
            while (nextInBucket[before] != entry) {
                before = nextInBucket[before];
            }
            nextInBucket[before] = nextInBucket[entry];
        }
        if (isUnanswered(entry)) {
            unanswered--;
        }
        state[entry] = FREE;
        nextInBucket[entry] = free;
        free = entry;
        size--;
    }

    private int bucket(int ofRouter, long forHigh, long forLow) {
        return (int) Hashing.combine(Hashing.combine(ofRouter, forHigh), forLow) & mask;
    }
}
