package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.sim.Outcome;
import dev.weft.sim.ServiceTables;
import dev.weft.sim.sal.SalKey;
import dev.weft.sim.service.ServiceEntry;
import dev.weft.sim.service.ServiceTable;
import dev.weft.sim.service.ServiceTarget.Action;

/**
 * Which services packets in the parking lot wait for, so that they go on when a rule says where to. Bounded: one too
 * many takes the place of the one that was asked for longest ago, whose packets then wait until their time is over. Not
 * thread safe: touched only by its worker thread.
 */
@HotPath
final class DelayedServices {
    private static final int WORDS = 4;
    private static final long TELL_NANOS = 1_000_000_000L;

    // Immutable after construction.
    private final ServiceTables services;
    private final int capacity;
    private final Learnings learnings;
    // Owned by the worker thread. By place:
    private final int[] tables;
    private final long[] words;
    private final long[] asked;
    private final long[] told;
    private int size;
    private boolean changed;

    /** Packets that wait for this can be simulated again. */
    @FunctionalInterface
    interface Ready {
        /** As in {@link Outcome#parkedRouter()} and so on. */
        void onReady(int router, long high, long low);
    }

    DelayedServices(ServiceTables services, int capacity, Learnings learnings) {
        this.services = services;
        this.learnings = learnings;
        this.capacity = capacity;
        tables = new int[capacity];
        words = new long[capacity * WORDS];
        asked = new long[capacity];
        told = new long[capacity];
    }

    /** A packet was parked for a service. */
    void waits(Outcome outcome, long nowNanos) {
        int place = place(outcome);
        boolean known = place < size && isAt(place, outcome);
        if (!known || nowNanos - told[place] >= TELL_NANOS) {
            told[place] = nowNanos;
            learnings.serviceDelayed(
                    outcome.serviceTable(),
                    outcome.serviceWord(0),
                    outcome.serviceWord(1),
                    outcome.serviceWord(2),
                    outcome.serviceWord(3));
        }
        tables[place] = outcome.serviceTable();
        asked[place] = nowNanos;
        for (int i = 0; i < WORDS; i++) {
            words[place * WORDS + i] = outcome.serviceWord(i);
        }
        size = Math.max(size, place + 1);
    }

    /** Where it is, or is to be. */
    private int place(Outcome outcome) {
        int oldest = 0;
        for (int i = 0; i < size; i++) {
            if (isAt(i, outcome)) {
                return i;
            }
            oldest = asked[i] - asked[oldest] < 0 ? i : oldest;
        }
        return size < capacity ? size : oldest;
    }

    private boolean isAt(int place, Outcome outcome) {
        boolean same = tables[place] == outcome.serviceTable();
        for (int i = 0; i < WORDS; i++) {
            same &= words[place * WORDS + i] == outcome.serviceWord(i);
        }
        return same;
    }

    /** Rules are not what they were. */
    void rulesChanged() {
        changed = size > 0;
    }

    /** Calls for each service that is not delayed any more, once. */
    void drainReady(Ready ready) {
        if (!changed) {
            return;
        }
        changed = false;
        for (int place = size - 1; place >= 0; place--) {
            if (!isDelayed(place)) {
                int table = tables[place];
                long digest = SalKey.digest(
                        words[place * WORDS],
                        words[place * WORDS + 1],
                        words[place * WORDS + 2],
                        words[place * WORDS + 3]);
                size--;
                tables[place] = tables[size];
                asked[place] = asked[size];
                told[place] = told[size];
                System.arraycopy(words, size * WORDS, words, place * WORDS, WORDS);
                ready.onReady(Outcome.SERVICE, digest, table);
            }
        }
    }

    private boolean isDelayed(int place) {
        ServiceTable table = services.table(tables[place]);
        int at = place * WORDS;
        ServiceEntry entry = table == null ? null : table.find(words[at], words[at + 1], words[at + 2], words[at + 3]);
        return entry != null && entry.rule(0).rule().target().action() == Action.DELAY;
    }
}
