package dev.weft.agent.lab;

import dev.weft.base.NanoClock;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A process of the lab: the store, an agent, or a program in a VM. Closing ends it, kindly first. */
public final class WeftProcess implements AutoCloseable {
    private static final String MAIN = "dev.weft.agent.cli.Weft";
    private static final Duration KINDLY = Duration.ofSeconds(5);
    private static final long POLL_MILLIS = 20;

    private final String name;
    private final Path log;
    private final Process process;

    private WeftProcess(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
    }

    /** Several agents share two cores with everything else: less compiling, no collector threads. */
    static final List<String> SMALL = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m");

    /** @param flags of its JVM, beside those that it needs */
    static WeftProcess start(Place place, String name, Path log, List<String> flags, List<String> arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        inheritedFlags().forEach(command::add);
        command.addAll(flags);
        // A start cache that does not fit is not worth a word in the log.
        command.addAll(List.of("-Xlog:disable", "-Xlog:all=error:stderr"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN));
        command.addAll(arguments);
        return new WeftProcess(name, log, place.start(log, command));
    }

    static WeftProcess program(Place place, String name, Path log, List<String> command) {
        return new WeftProcess(name, log, place.start(log, command));
    }

    /** The access flags this JVM was started with, and its start cache: the children need the same. */
    private static Stream<String> inheritedFlags() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--enable-native-access")
                        || flag.startsWith("--sun-misc-unsafe-memory-access")
                        || flag.startsWith("--add-exports")
                        || flag.startsWith("-XX:AOTCache="));
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public String output() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return "(" + log + " cannot be read: " + e.getMessage() + ")";
        }
    }

    /** Returns once a line of its output contains {@code text}. @throws LabException when it ends or time is up */
    public void awaitOutput(String text, Duration limit) {
        long deadline = NanoClock.SYSTEM.nanoTime() + limit.toNanos();
        while (!output().contains(text)) {
            if (!process.isAlive()) {
                throw new LabException(name + " ended with " + process.exitValue() + " before it said '" + text
                        + "'; its output:\n" + output());
            }
            if (deadline - NanoClock.SYSTEM.nanoTime() < 0) {
                throw new LabException(name + " did not say '" + text + "' within " + limit.toSeconds()
                        + " s; its output:\n" + output());
            }
            try {
                process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LabException("interrupted while waiting for " + name, e);
            }
        }
    }

    /** Returns its output once it has exited with 0. @throws LabException for another exit code or when time is up */
    public String awaitEnd(Duration limit) {
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new LabException(name + " did not end within " + limit.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted while waiting for " + name, e);
        }
        if (process.exitValue() != 0) {
            throw new LabException(name + " exited with " + process.exitValue() + ":\n" + output());
        }
        return output();
    }

    /** SIGSTOP, and every thread of it stands still when this returns. */
    public void stop() {
        signal("STOP");
        long deadline = NanoClock.SYSTEM.nanoTime() + KINDLY.toNanos();
        while (!standsStill()) {
            if (deadline - NanoClock.SYSTEM.nanoTime() < 0) {
                throw new LabException(name + " did not stop within " + KINDLY.toSeconds() + " s of SIGSTOP");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    /** SIGCONT. */
    public void goOn() {
        signal("CONT");
    }

    private void signal(String signal) {
        // The shell's own kill: a bare machine has no other.
        Commands.expect("sh", "-c", "kill -" + signal + " " + pid());
    }

    /** The state of a thread follows its name in parentheses: proc(5), /proc/pid/task/tid/stat. */
    private boolean standsStill() {
        try (var tasks = Files.list(Path.of("/proc", Long.toString(pid()), "task"))) {
            return tasks.allMatch(task -> {
                try {
                    String stat = Files.readString(task.resolve("stat"));
                    return stat.startsWith("T", stat.lastIndexOf(')') + 2);
                } catch (IOException threadEnded) {
                    return true;
                }
            });
        } catch (IOException e) {
            throw new LabException(name + " cannot be looked at: " + e.getMessage(), e);
        }
    }

    /** SIGKILL, and gone when this returns. */
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    @Override
    public void close() {
        if (!process.isAlive()) {
            return;
        }
        process.destroy();
        try {
            if (!process.waitFor(KINDLY.toMillis(), TimeUnit.MILLISECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            kill();
            Thread.currentThread().interrupt();
        }
    }

    private void awaitEnd() {
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
