package dev.weft.base;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts the bytes that this thread allocates, by the JVM's own counter. */
public final class Allocation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Allocation() {}

    /**
     * Bytes allocated while {@code body} ran. What the counter itself costs is taken off; warm the body first, since
     * interpreted code may box where compiled code does not.
     */
    public static long bytes(Runnable body) {
        measure(() -> {});
        long overhead = measure(() -> {});
        return Math.max(0, measure(body) - overhead);
    }

    private static long measure(Runnable body) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        body.run();
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
