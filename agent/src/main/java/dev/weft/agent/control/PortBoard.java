package dev.weft.agent.control;

import dev.weft.datapath.PortSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** What {@code status} shows of this host's ports: written by their actors, read by anyone. */
public final class PortBoard {
    private final Map<UUID, Entry> entries = new ConcurrentHashMap<>();

    /**
     * @param datapathPort 0 while it is not attached
     * @param state {@code up}, {@code no interface}, or why the datapath refused it
     */
    public record Entry(PortSpec spec, int datapathPort, int tunnelKey, String state) {}

    void put(UUID port, Entry entry) {
        entries.put(port, entry);
    }

    void remove(UUID port) {
        entries.remove(port);
    }

    public List<Entry> all() {
        return entries.values().stream()
                .sorted((a, b) -> a.spec().id().compareTo(b.spec().id()))
                .toList();
    }

    public Optional<Entry> find(UUID port) {
        return Optional.ofNullable(entries.get(port));
    }
}
