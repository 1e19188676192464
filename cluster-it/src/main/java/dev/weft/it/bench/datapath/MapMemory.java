package dev.weft.it.bench.datapath;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Kernel memory of the BPF maps that a process has open, as /proc/PID/fdinfo tells it. */
final class MapMemory {
    private MapMemory() {}

    /** Of this process. Each map once, however often it is open. */
    static long bytes() {
        return bytes(ProcessHandle.current().pid());
    }

    static long bytes(long pid) {
        Path all = Path.of("/proc", Long.toString(pid), "fdinfo");
        var byMap = new HashMap<Long, Long>();
        try (Stream<Path> descriptors = Files.list(all)) {
            descriptors.forEach(descriptor -> read(descriptor, byMap));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(all + " cannot be listed", unreadable);
        }
        return byMap.values().stream().mapToLong(Long::longValue).sum();
    }

    private static void read(Path descriptor, Map<Long, Long> byMap) {
        List<String> lines;
        try {
            lines = Files.readAllLines(descriptor);
        } catch (IOException closed) {
            return;
        }
        long id = value(lines, "map_id:");
        if (id > 0) {
            byMap.put(id, value(lines, "memlock:"));
        }
    }

    private static long value(List<String> lines, String name) {
        return lines.stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.substring(name.length()).strip()))
                .findFirst()
                .orElse(0);
    }
}
