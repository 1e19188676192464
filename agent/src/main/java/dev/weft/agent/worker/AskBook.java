package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import java.util.concurrent.TimeUnit;

/**
 * Which hosts want to hear when a neighbour becomes known here: a host that asked floods its ARP or ND question and
 * tells us who it is, so that the answer reaches it without the store. Not thread safe: touched only by its worker
 * thread.
 *
 * <p>A fixed number of notes, the oldest is overwritten: asks repeat, and an ask that is forgotten costs the asker a
 * second or the table's way through the store.
 */
@HotPath
final class AskBook {
    static final long LIFETIME_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int NOTES = 256;
    private static final int ROUTER_HIGH = 0;
    private static final int ROUTER_LOW = 1;
    private static final int HIGH = 2;
    private static final int LOW = 3;
    private static final int ASKER_HIGH = 4;
    private static final int ASKER_LOW = 5;
    private static final int ASKER_HOME = 6;
    private static final int DEADLINE = 7;
    private static final int WORDS = 8;

    private final long[] notes = new long[NOTES * WORDS];
    private final boolean[] used = new boolean[NOTES];
    private int next;

    /** Takes an asker out of the book. */
    interface Answer {
        void to(long askerHigh, long askerLow, int askerHome);
    }

    void remember(
            long routerHigh,
            long routerLow,
            long high,
            long low,
            long askerHigh,
            long askerLow,
            int askerHome,
            long nowNanos) {
        int note = find(routerHigh, routerLow, high, low, askerHigh, askerLow);
        if (note < 0) {
            note = next;
            next = (next + 1) % NOTES;
        }
        int at = note * WORDS;
        used[note] = true;
        notes[at + ROUTER_HIGH] = routerHigh;
        notes[at + ROUTER_LOW] = routerLow;
        notes[at + HIGH] = high;
        notes[at + LOW] = low;
        notes[at + ASKER_HIGH] = askerHigh;
        notes[at + ASKER_LOW] = askerLow;
        notes[at + ASKER_HOME] = askerHome;
        notes[at + DEADLINE] = nowNanos + LIFETIME_NANOS;
    }

    /** Calls for every asker that still waits for this neighbour, and forgets it. */
    void answer(long routerHigh, long routerLow, long high, long low, long nowNanos, Answer answer) {
        for (int note = 0; note < NOTES; note++) {
            int at = note * WORDS;
            if (used[note] && isAbout(at, routerHigh, routerLow, high, low)) {
                used[note] = false;
                if (notes[at + DEADLINE] - nowNanos > 0) {
                    answer.to(notes[at + ASKER_HIGH], notes[at + ASKER_LOW], (int) notes[at + ASKER_HOME]);
                }
            }
        }
    }

    private int find(long routerHigh, long routerLow, long high, long low, long askerHigh, long askerLow) {
        for (int note = 0; note < NOTES; note++) {
            int at = note * WORDS;
            if (used[note]
                    && isAbout(at, routerHigh, routerLow, high, low)
                    && notes[at + ASKER_HIGH] == askerHigh
                    && notes[at + ASKER_LOW] == askerLow) {
                return note;
            }
        }
        return -1;
    }

    private boolean isAbout(int at, long routerHigh, long routerLow, long high, long low) {
        return notes[at + HIGH] == high
                && notes[at + LOW] == low
                && notes[at + ROUTER_HIGH] == routerHigh
                && notes[at + ROUTER_LOW] == routerLow;
    }
}
