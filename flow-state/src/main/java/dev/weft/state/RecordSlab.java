package dev.weft.state;

import dev.weft.base.HotPath;

/**
 * The fixed part of a table's records, eleven words each. Not thread safe: part of a {@link ConnectionTable}.
 *
 * <pre>
 * 0..3  forward source and destination, high and low
 * 4     forward transport           5  scope of the forward tuple     6  scope of the answer's
 * 7     source MAC (63..16) | TCI (15..0)        8  destination MAC (63..16) | host (15..0)
 * 9     created (63..32) | refreshed (31..0), in ticks of 2^20 ns; compared by subtraction
 *       host: the owner's; of an owned record: the one told of it last
 * 10    epoch (63..32) | answered (9) | owned (8) | phase (7..0)
 * </pre>
 */
@HotPath
final class RecordSlab {
    private static final int SRC_HIGH = 0;
    private static final int SRC_LOW = 1;
    private static final int DST_HIGH = 2;
    private static final int DST_LOW = 3;
    private static final int TRANSPORT = 4;
    private static final int SCOPE = 5;
    private static final int ANSWER_SCOPE = 6;
    private static final int SRC_MAC = 7;
    private static final int DST_MAC = 8;
    private static final int TIMES = 9;
    private static final int STATE = 10;
    private static final int WORDS = 11;

    private static final int TICK_BITS = 20;
    private static final long OWNED = 1L << 8;
    private static final long ANSWERED = 1L << 9;
    private static final int PHASE_BITS = 0xff;

    private final long[] words;

    RecordSlab(int capacity) {
        words = new long[Math.multiplyExact(capacity, WORDS)];
    }

    static int ticks(long nanos) {
        return (int) (nanos >> TICK_BITS);
    }

    static long nanos(int ticks) {
        return (long) ticks << TICK_BITS;
    }

    void write(int slot, Connection from, int host, long nowNanos) {
        int at = slot * WORDS;
        ConnectionKey key = from.forward;
        words[at + SRC_HIGH] = key.srcHigh();
        words[at + SRC_LOW] = key.srcLow();
        words[at + DST_HIGH] = key.dstHigh();
        words[at + DST_LOW] = key.dstLow();
        words[at + TRANSPORT] = key.transport();
        words[at + SCOPE] = key.scope();
        words[at + ANSWER_SCOPE] = from.answer.scope();
        words[at + SRC_MAC] = from.srcMac() << 16 | from.vlanTci();
        words[at + DST_MAC] = from.dstMac() << 16 | host;
        int now = ticks(nowNanos);
        words[at + TIMES] = (long) now << 32 | now & 0xffff_ffffL;
        words[at + STATE] = 0;
        state(slot, from.phase(), from.epoch(), from.isOwned());
    }

    void readForward(int slot, ConnectionKey into) {
        int at = slot * WORDS;
        into.transport(words[at + TRANSPORT]);
        into.src(words[at + SRC_HIGH], words[at + SRC_LOW], into.srcPort());
        into.dst(words[at + DST_HIGH], words[at + DST_LOW], into.dstPort());
        into.scope(words[at + SCOPE]);
    }

    void read(int slot, Connection into) {
        int at = slot * WORDS;
        readForward(slot, into.forward);
        into.frame(words[at + SRC_MAC] >>> 16, words[at + DST_MAC] >>> 16, (int) words[at + SRC_MAC] & 0xffff);
        into.state(phase(slot), epoch(slot), isOwned(slot));
    }

    boolean isForward(int slot, ConnectionKey key) {
        int at = slot * WORDS;
        return words[at + SRC_HIGH] == key.srcHigh()
                && words[at + SRC_LOW] == key.srcLow()
                && words[at + DST_HIGH] == key.dstHigh()
                && words[at + DST_LOW] == key.dstLow()
                && words[at + TRANSPORT] == key.transport()
                && words[at + SCOPE] == key.scope();
    }

    long answerScope(int slot) {
        return words[slot * WORDS + ANSWER_SCOPE];
    }

    int host(int slot) {
        return (int) words[slot * WORDS + DST_MAC] & 0xffff;
    }

    void host(int slot, int host) {
        int at = slot * WORDS + DST_MAC;
        words[at] = words[at] & ~0xffffL | host;
    }

    void state(int slot, int phase, int epoch, boolean owned) {
        int at = slot * WORDS + STATE;
        words[at] = (long) epoch << 32 | words[at] & ANSWERED | (owned ? OWNED : 0) | phase;
    }

    int phase(int slot) {
        return (int) words[slot * WORDS + STATE] & PHASE_BITS;
    }

    int epoch(int slot) {
        return (int) (words[slot * WORDS + STATE] >>> 32);
    }

    boolean isOwned(int slot) {
        return (words[slot * WORDS + STATE] & OWNED) != 0;
    }

    boolean isAnswered(int slot) {
        return (words[slot * WORDS + STATE] & ANSWERED) != 0;
    }

    void answered(int slot) {
        words[slot * WORDS + STATE] |= ANSWERED;
    }

    int protocol(int slot) {
        return (int) (words[slot * WORDS + TRANSPORT] >>> 32);
    }

    void refresh(int slot, long nowNanos) {
        int at = slot * WORDS + TIMES;
        words[at] = words[at] & 0xffff_ffff_0000_0000L | ticks(nowNanos) & 0xffff_ffffL;
    }

    /** Nanoseconds since it was last refreshed, to a tick. */
    long idleNanos(int slot, long nowNanos) {
        return nanos(ticks(nowNanos) - (int) words[slot * WORDS + TIMES]);
    }

    /** Nanoseconds from its creation to its last refresh, to a tick. */
    long ageNanos(int slot) {
        long times = words[slot * WORDS + TIMES];
        int ticks = (int) times - (int) (times >>> 32);
        return ticks < 0 ? Long.MAX_VALUE : nanos(ticks);
    }
}
