package dev.weft.base;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts the bytes that this thread allocates, by the JVM's own counter. */
public final class Allocation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final int RUNS = 3;

    private Allocation() {}

    /**
     * Bytes allocated while {@code body} ran. What the counter itself costs is taken off; warm the body first, since
     * interpreted code may box where compiled code does not. A run that allocated is run again, at most twice: the JVM
     * charges a thread a few hundred bytes once when it links or recompiles what it runs, while code that allocates
     * does so each time.
     */
    public static long bytes(Runnable body) {
        measure(() -> {});
        long overhead = measure(() -> {});
        long least = Long.MAX_VALUE;
        for (int run = 0; run < RUNS && least > 0; run++) {
            least = Math.min(least, Math.max(0, measure(body) - overhead));
        }
        return least;
    }

    private static long measure(Runnable body) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        body.run();
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
