package dev.weft.agent.control;

import dev.weft.datapath.PortSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/** What {@code status} shows of this host's ports: written by their actors, read by anyone. */
public final class PortBoard {
    private static final String GONE = "gone";

    private final BiConsumer<UUID, String> listener;
    private final Map<UUID, Entry> entries = new ConcurrentHashMap<>();

    /** @param listener hears of ports whose state is another now, from the thread that says so */
    PortBoard(BiConsumer<UUID, String> listener) {
        this.listener = listener;
    }

    /**
     * @param datapathPort 0 while it is not attached
     * @param state as {@link PortKeeper#state()} says it
     */
    public record Entry(PortSpec spec, int datapathPort, int tunnelKey, String state) {
        /** Frames pass: attached, and its interface is up and has a carrier. */
        boolean isUp() {
            return datapathPort > 0 && state.equals(PortKeeper.UP);
        }
    }

    void put(UUID port, Entry entry) {
        Entry before = entries.put(port, entry);
        if (before == null || !before.state().equals(entry.state())) {
            listener.accept(port, entry.state());
        }
    }

    void remove(UUID port) {
        if (entries.remove(port) != null) {
            listener.accept(port, GONE);
        }
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
