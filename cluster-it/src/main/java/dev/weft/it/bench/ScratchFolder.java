package dev.weft.it.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder for what a benchmark writes; it and all in it are gone when it is closed. */
public record ScratchFolder(Path path) implements AutoCloseable {
    public static ScratchFolder make() {
        try {
            return new ScratchFolder(Files.createTempDirectory("weft-bench-"));
        } catch (IOException e) {
            throw new UncheckedIOException("no folder for the benchmark", e);
        }
    }

    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the benchmark's folder stays behind", e);
        }
    }
}
