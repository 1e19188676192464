package dev.weft.it.bench.datapath;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** CPU time that others than the calling thread have used: of the whole machine, of a process. */
final class CpuTime {
    private static final Path MACHINE = Path.of("/proc/stat");
    /** proc_stat(5): USER_HZ is 100 on every architecture that Linux runs on today. */
    private static final long NANOS_PER_TICK = 10_000_000L;
    // Of the line "cpu  user nice system idle iowait irq softirq steal": what is work.
    private static final int[] WORK = {1, 2, 3, 6, 7};

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private CpuTime() {}

    /** Of all CPUs together, since the machine started; in steps of 10 ms. */
    static long machineNanos() {
        try (Stream<String> lines = Files.lines(MACHINE)) {
            String[] fields = lines.findFirst().orElseThrow().split("\\s+");
            long ticks = 0;
            for (int field : WORK) {
                ticks += Long.parseLong(fields[field]);
            }
            return ticks * NANOS_PER_TICK;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(MACHINE + " cannot be read", unreadable);
        }
    }

    /** Of the live threads of this process with this name. */
    static long threadNanos(String name) {
        long sum = 0;
        for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().equals(name)) {
                sum += Math.max(0, THREADS.getThreadCpuTime(thread.getThreadId()));
            }
        }
        return sum;
    }

    /** Of all threads that a process has now: the first number of each one's schedstat. */
    static long processNanos(long pid) {
        try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            return tasks.mapToLong(task -> threadNanos(task.resolve("schedstat")))
                    .sum();
        } catch (IOException gone) {
            throw new MeasureException("process " + pid + " is gone", gone);
        }
    }

    private static long threadNanos(Path schedule) {
        try {
            return Long.parseLong(Files.readString(schedule).split(" ")[0]);
        } catch (IOException ended) {
            return 0;
        }
    }
}
