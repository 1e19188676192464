package dev.weft.agent.cli;

import dev.weft.agent.socket.ControlClient;
import dev.weft.agent.socket.ControlException;
import java.util.List;
import java.util.Map;

/** The events of services of one agent: what there is first, then what happens. One thread. */
final class EventStream implements AutoCloseable {
    private final ControlClient agent;
    private final Map<String, String> id;

    /** @param statisticsMillis from one statistics event to the next; 0: none */
    EventStream(ControlClient agent, int statisticsMillis) {
        this.agent = agent;
        Map<String, Object> started =
                agent.call("service-events-start", Map.of("statistics", Integer.toString(statisticsMillis)));
        id = Map.of("id", String.valueOf(started.get("id")));
    }

    /** Waits a moment; may be none. */
    List<Map<?, ?>> next() {
        Object events = agent.call("service-events-read", id).getOrDefault("events", List.of());
        return ((List<?>) events)
                .stream().<Map<?, ?>>map(event -> (Map<?, ?>) event).toList();
    }

    @Override
    public void close() {
        try {
            agent.call("service-events-stop", id);
        } catch (ControlException gone) {
            // The agent forgets it by itself.
        }
        agent.close();
    }
}
