package dev.weft.topology;

import java.util.concurrent.atomic.LongAdder;

/** What happened to table writes of this process. Written and read by anyone. */
public final class TableCounters {
    final LongAdder created = new LongAdder();
    final LongAdder deleted = new LongAdder();
    final LongAdder delayed = new LongAdder();
    final LongAdder localOnly = new LongAdder();
    final LongAdder malformed = new LongAdder();

    /** Entries written. */
    public long created() {
        return created.sum();
    }

    /** Own entries deleted. */
    public long deleted() {
        return deleted.sum();
    }

    /** Puts that had to wait for the write rate. */
    public long delayed() {
        return delayed.sum();
    }

    /** Puts over the limits of a session, known to this host only. */
    public long localOnly() {
        return localOnly.sum();
    }

    /** Entries of others that could not be read and were ignored. */
    public long malformed() {
        return malformed.sum();
    }
}
