package dev.weft.agent.lab;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs programs, on the machine or inside a namespace. Every run has a time limit. */
public final class Commands {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private Commands() {}

    /** What a program said and how it ended; output and errors are together. */
    public record Result(int exitCode, String output) {
        public boolean ok() {
            return exitCode == 0;
        }
    }

    /**
     * Runs to the end, whatever the exit code.
     *
     * @throws LabException when it cannot be started or takes longer than the limit
     */
    public static Result run(Duration limit, String input, List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            var output =
                    CompletableFuture.supplyAsync(() -> readAll(process.getInputStream()), Thread::startVirtualThread);
            boolean heard = write(process, input);
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new LabException(
                        "'" + String.join(" ", command) + "' did not end within " + limit.toSeconds() + " s");
            }
            String said = output.join().strip();
            return new Result(process.exitValue(), heard ? said : said + " (it ended without reading its input)");
        } catch (IOException e) {
            throw new LabException("cannot start '" + command.getFirst() + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted while '" + String.join(" ", command) + "' ran", e);
        }
    }

    /** Runs to the end and returns the output. @throws LabException unless it exits with 0 */
    public static String expect(String... command) {
        Result result = run(LIMIT, "", List.of(command));
        if (!result.ok()) {
            throw new LabException(
                    "'" + String.join(" ", command) + "' exited with " + result.exitCode() + ": " + result.output());
        }
        return result.output();
    }

    /** Many {@code ip} commands at once, one a line: a process each would take most of a lab's time. */
    static void ipBatch(List<String> lines) {
        Result result = run(LIMIT, String.join("\n", lines) + "\n", List.of("ip", "-batch", "-"));
        if (!result.ok()) {
            throw new LabException("ip -batch exited with " + result.exitCode() + ": " + result.output() + " in:\n"
                    + String.join("\n", lines));
        }
    }

    /** Starts and leaves running; output and errors go to {@code log}. */
    static Process start(Path log, List<String> command) {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
        } catch (IOException e) {
            throw new LabException("cannot start '" + command.getFirst() + "': " + e.getMessage(), e);
        }
    }

    /** False when it ended before it had read everything: its exit code and output say why. */
    private static boolean write(Process process, String input) {
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
            return true;
        } catch (IOException closed) {
            return input.isEmpty();
        }
    }

    private static String readAll(InputStream in) {
        try (in) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "(output lost: " + e.getMessage() + ")";
        }
    }
}
