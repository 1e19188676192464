package dev.weft.datapath.ebpf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process holds, as the kernel counts it. */
final class Leaks {
    private static final Path FILES = Path.of("/proc/self/fd");
    private static final Path MAPPINGS = Path.of("/proc/self/maps");

    private Leaks() {}

    /** Descriptors that stayed open after something was done, once it had been done before. */
    static long openedBy(Runnable body) {
        body.run();
        long before = openFiles();
        body.run();
        return openFiles() - before;
    }

    static long openFiles() {
        try (var files = Files.list(FILES)) {
            return files.count();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** Mappings of BPF maps and rings: the JVM's own come and go. */
    static long bpfMappings() {
        try (var lines = Files.lines(MAPPINGS)) {
            return lines.filter(line -> line.contains("anon_inode:bpf-map")).count();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
