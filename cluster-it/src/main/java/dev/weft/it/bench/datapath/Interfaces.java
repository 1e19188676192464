package dev.weft.it.bench.datapath;

import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the kernel says of the interfaces of a namespace. */
final class Interfaces {
    // proc_net_dev: after "name:" the received bytes, then the received packets.
    private static final Path COUNTERS = Path.of("/proc/thread-self/net/dev");
    private static final int RECEIVED_PACKETS = 1;

    private Interfaces() {}

    static int index(String namespace, String name) {
        try (var links = Links.in(NetworkNamespace.named(namespace))) {
            return links.get(name).ifindex();
        }
    }

    /** Packets that the interface has received since it was made. */
    static long receivedPackets(String namespace, String name) {
        List<String> lines = NetworkNamespace.named(namespace).call(Interfaces::counters);
        for (String line : lines) {
            String[] parts = line.strip().split("[:\\s]+");
            if (parts[0].equals(name)) {
                return Long.parseLong(parts[1 + RECEIVED_PACKETS]);
            }
        }
        throw new MeasureException("interface " + name + " in " + namespace + " has no counters: it is gone");
    }

    private static List<String> counters() {
        try {
            return Files.readAllLines(COUNTERS);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(COUNTERS + " cannot be read", unreadable);
        }
    }
}
