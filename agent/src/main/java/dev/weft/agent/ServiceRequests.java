package dev.weft.agent;

import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.ServicePage;
import dev.weft.agent.worker.Worker;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Answers {@code services}: the rules of all service tables, with what all workers used them for. */
final class ServiceRequests {
    private static final int DEFAULT_ROWS = 1000;
    private static final int ENTRIES_AT_ONCE = 256;

    private final List<Worker> workers;

    ServiceRequests(List<Worker> workers) {
        this.workers = workers;
    }

    /** Arguments, both optional: {@code table} (name), {@code limit}. */
    Map<String, ?> list(Map<String, String> arguments) {
        int limit = Arguments.number(arguments, "limit", DEFAULT_ROWS);
        String only = arguments.getOrDefault("table", "");
        Map<String, Map<String, Object>> rules = new LinkedHashMap<>();
        Map<String, Map<String, Object>> tables = new LinkedHashMap<>();
        for (Worker worker : workers) {
            int table = 0;
            int entry = 0;
            while (table != ServicePage.END) {
                ServicePage page = ask(worker, table, entry);
                page.rows().stream()
                        .filter(row -> only.isEmpty() || row.table().equals(only))
                        .filter(row -> rules.size() < limit || rules.containsKey(key(row)))
                        .forEach(row -> add(rules, row));
                page.totals().stream()
                        .filter(row -> only.isEmpty() || row.table().equals(only))
                        .forEach(row -> add(tables, row));
                table = page.nextTable();
                entry = page.nextEntry();
            }
        }
        return Map.of(
                "services", new ArrayList<>(rules.values()),
                "entries", entries(rules.values()),
                "tables", new ArrayList<>(tables.values()));
    }

    /** The rules of one prefix together. */
    private static List<Map<String, Object>> entries(Collection<Map<String, Object>> rules) {
        Map<String, Map<String, Object>> entries = new LinkedHashMap<>();
        for (Map<String, Object> rule : rules) {
            var row = entries.computeIfAbsent(rule.get("table") + " " + rule.get("prefix"), key -> {
                var fresh = new LinkedHashMap<String, Object>();
                fresh.put("table", rule.get("table"));
                fresh.put("prefix", rule.get("prefix"));
                return fresh;
            });
            sum(row, "rules", 1);
            sum(row, "packets", (Long) rule.get("packets"));
            sum(row, "bytes", (Long) rule.get("bytes"));
        }
        return new ArrayList<>(entries.values());
    }

    private static String key(ServicePage.Row row) {
        return row.table() + " " + row.prefix() + " " + row.target();
    }

    private static void add(Map<String, Map<String, Object>> rules, ServicePage.Row of) {
        var row = rules.computeIfAbsent(key(of), key -> {
            var fresh = new LinkedHashMap<String, Object>();
            fresh.put("table", of.table());
            fresh.put("prefix", of.prefix());
            fresh.put("rule", of.target());
            fresh.put("priority", of.priority());
            fresh.put("weight", of.weight());
            fresh.put("counts", of.counts());
            return fresh;
        });
        sum(row, "packets", of.packets());
        sum(row, "bytes", of.bytes());
    }

    private static void add(Map<String, Map<String, Object>> tables, ServicePage.Totals of) {
        var row = tables.computeIfAbsent(of.table(), name -> {
            var fresh = new LinkedHashMap<String, Object>();
            fresh.put("table", name);
            fresh.put("entries", of.entries());
            return fresh;
        });
        sum(row, "resolved-packets", of.resolvedPackets());
        sum(row, "resolved-bytes", of.resolvedBytes());
        sum(row, "dropped-packets", of.droppedPackets());
        sum(row, "dropped-bytes", of.droppedBytes());
        sum(row, "unresolved-packets", of.unresolvedPackets());
    }

    private static void sum(Map<String, Object> row, String name, long more) {
        row.merge(name, more, (before, now) -> (Long) before + (Long) now);
    }

    private static ServicePage ask(Worker worker, int table, int entry) {
        var answer = new CompletableFuture<ServicePage>();
        if (!worker.offer(new Command.ShowServices(table, entry, ENTRIES_AT_ONCE, answer))) {
            throw new AgentException("a worker has no time to show its services just now; try again");
        }
        return Answers.await(answer, "a worker", "the services cannot be shown");
    }
}
