package dev.weft.agent;

import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.ConnectionPage;
import dev.weft.agent.worker.Worker;
import dev.weft.topology.TopologyStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Answers {@code connections}: asks each worker for a page at a time, so that none is kept from its packets. */
final class ConnectionRequests {
    private static final int DEFAULT_ROWS = 1000;
    private static final int SLOTS_AT_ONCE = 1024;

    private final List<Worker> workers;
    private final TopologyStore store;

    ConnectionRequests(List<Worker> workers, TopologyStore store) {
        this.workers = workers;
        this.store = store;
    }

    /**
     * Arguments, all optional: {@code port} (name or id), {@code contains} (text in the tuples or translations), {@code
     * worker}, {@code copies} (also those that others own), {@code limit}.
     */
    Map<String, ?> list(Map<String, String> arguments) {
        int limit = Arguments.number(arguments, "limit", DEFAULT_ROWS);
        int only = Arguments.number(arguments, "worker", -1);
        boolean copies = arguments.containsKey("copies");
        Optional<UUID> port = Optional.ofNullable(arguments.get("port")).map(this::port);
        List<Map<String, Object>> shown = new ArrayList<>();
        for (int i = 0; i < workers.size(); i++) {
            if (only >= 0 && only != i) {
                continue;
            }
            int next = 0;
            while (next != ConnectionPage.END && shown.size() < limit) {
                ConnectionPage page = ask(workers.get(i), next);
                next = page.next();
                page.rows().stream()
                        .filter(row -> copies || row.owner().equals("here"))
                        .filter(row -> port.isEmpty() || port.get().equals(row.portId()))
                        .filter(row -> matches(row, arguments.getOrDefault("contains", "")))
                        .limit(limit - (long) shown.size())
                        .map(ConnectionRequests::row)
                        .forEach(shown::add);
            }
        }
        return Map.of("connections", shown);
    }

    /** Of a port that may be gone: then only its id says which. */
    private UUID port(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException name) {
            return UUID.fromString(PortNames.find(store.snapshot(), text).getId());
        }
    }

    private static boolean matches(ConnectionPage.Row row, String contains) {
        return row.forward().contains(contains)
                || row.answer().contains(contains)
                || row.translations().toString().contains(contains);
    }

    private static Map<String, Object> row(ConnectionPage.Row of) {
        var row = new LinkedHashMap<String, Object>();
        row.put("worker", of.worker());
        row.put("port", of.port());
        row.put("connection", of.forward());
        row.put("answer", of.answer());
        row.put("state", of.state());
        row.put("answered", of.answered());
        row.put("owner", of.owner());
        row.put("told", of.told());
        row.put("epoch", of.epoch());
        row.put("idle-seconds", of.idleSeconds());
        row.put("ends-in-seconds", of.endsInSeconds());
        row.put("translations", of.translations());
        return row;
    }

    private static ConnectionPage ask(Worker worker, int from) {
        var answer = new CompletableFuture<ConnectionPage>();
        if (!worker.offer(new Command.ShowConnections(from, SLOTS_AT_ONCE, answer))) {
            throw new AgentException("a worker has no time to show its connections just now; try again");
        }
        return Answers.await(answer, "a worker", "the connections cannot be shown");
    }
}
