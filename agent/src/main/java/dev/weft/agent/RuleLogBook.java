package dev.weft.agent;

import dev.weft.agent.socket.Json;
import dev.weft.agent.worker.RuleLog;
import dev.weft.agent.worker.Worker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down what rules want noted: a file of JSON lines, of bounded size, and the latest lines for whoever asks. Thread
 * safe; a thread of its own collects from the workers.
 */
final class RuleLogBook implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RuleLogBook.class);
    /** Of the file; the one before it is kept beside it. */
    private static final long MAX_BYTES = 16L << 20;

    private static final int REMEMBERED = 1000;
    private static final int READ_AT_ONCE = 200;
    private static final long COLLECT_MILLIS = 100;
    private static final long READ_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    // Immutable after construction.
    private final Path file;
    private final List<RuleLog> logs;
    private final RuleLines lines;
    private final ScheduledExecutorService collector = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("rule-log").daemon().factory());
    // Owned by the collector.
    private final StringBuilder written = new StringBuilder();
    private boolean failing;
    // Guarded by this.
    private final Deque<Map<String, Object>> latest = new ArrayDeque<>();
    /** Of the line after the last one. */
    private long next;

    private RuleLogBook(Path file, List<RuleLog> logs, RuleLines lines) {
        this.file = file;
        this.logs = logs;
        this.lines = lines;
    }

    static RuleLogBook open(Path file, List<Worker> workers, RuleLines lines) {
        var book = new RuleLogBook(file, workers.stream().map(Worker::ruleLog).toList(), lines);
        book.collector.scheduleWithFixedDelay(
                book::collectSafely, COLLECT_MILLIS, COLLECT_MILLIS, TimeUnit.MILLISECONDS);
        return book;
    }

    private void collectSafely() {
        try {
            collect();
        } catch (RuntimeException broken) {
            LOG.error("lines of the rule log are lost", broken);
        }
    }

    private void collect() {
        written.setLength(0);
        for (RuleLog log : logs) {
            log.drain(entry -> lines.line(entry).ifPresent(this::add));
        }
        if (!written.isEmpty()) {
            write(written.toString());
        }
    }

    private void add(Map<String, Object> line) {
        written.append(Json.write(line)).append('\n');
        synchronized (this) {
            if (latest.size() == REMEMBERED) {
                latest.removeFirst();
            }
            latest.addLast(line);
            next++;
            notifyAll();
        }
    }

    /** A full disk ends no agent; the latest lines can be read all the same. */
    private void write(String text) {
        try {
            if (Files.exists(file) && Files.size(file) > MAX_BYTES) {
                Files.move(file, file.resolveSibling(file.getFileName() + ".1"), StandardCopyOption.REPLACE_EXISTING);
            }
            Files.writeString(file, text, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            failing = false;
        } catch (IOException e) {
            if (!failing) {
                LOG.warn("{} cannot be written, so lines are missing there: {}", file, e.toString());
            }
            failing = true;
        }
    }

    /**
     * Arguments, both optional: {@code after} (the {@code next} of the answer before; waits a moment for a line that is
     * newer), {@code limit} (of the latest). The answer: {@code lines}, the oldest first, and {@code next}.
     */
    Map<String, ?> read(Map<String, String> arguments) {
        int limit = Math.min(READ_AT_ONCE, Arguments.number(arguments, "limit", READ_AT_ONCE));
        String after = arguments.getOrDefault("after", "");
        synchronized (this) {
            if (after.isEmpty()) {
                return answer(Math.max(first(), next - limit), limit);
            }
            long from = number(after);
            if (from == next) {
                awaitLine();
            }
            return answer(Math.clamp(from, first(), next), limit);
        }
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new AgentException("after '" + text + "' (expected the 'next' of an answer before)", e);
        }
    }

    private long first() {
        return next - latest.size();
    }

    private void awaitLine() {
        try {
            TimeUnit.NANOSECONDS.timedWait(this, READ_WAIT_NANOS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Map<String, ?> answer(long from, int limit) {
        var some = new ArrayList<Map<String, Object>>();
        long number = first();
        for (Map<String, Object> line : latest) {
            if (number++ >= from && some.size() < limit) {
                some.add(line);
            }
        }
        return Map.of("lines", some, "next", from + some.size());
    }

    /** Writes what came last. */
    @Override
    public void close() {
        collector.shutdown();
        try {
            if (collector.awaitTermination(1, TimeUnit.SECONDS)) {
                collectSafely();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
