package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.agent.control.ServiceEvent;
import dev.weft.agent.control.ServiceEvents;
import dev.weft.base.IpAddress;
import dev.weft.base.NanoClock;
import dev.weft.sim.service.ServiceInstance;
import dev.weft.topology.TableKind.DelayedService;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.ServiceTable;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Answers {@code service-events-start}, {@code -read} and {@code -stop}: the stream that controllers of services read. One
 * that nobody reads any more is forgotten. Thread safe.
 */
final class ServiceEventRequests {
    private static final int MOST = 8;
    private static final int READ_AT_ONCE = 512;
    private static final long READ_WAIT_MILLIS = 500;
    private static final long FORGOTTEN_NANOS = TimeUnit.SECONDS.toNanos(30);

    // Immutable after construction.
    private final ControlSide control;
    private final TopologyStore store;
    private final NanoClock clock;
    private final InstantSource time;
    // Shared.
    private final Map<Integer, Session> sessions = new ConcurrentHashMap<>();
    private final AtomicInteger lastId = new AtomicInteger();

    ServiceEventRequests(ControlSide control, TopologyStore store, NanoClock clock, InstantSource time) {
        this.control = control;
        this.store = store;
        this.clock = clock;
        this.time = time;
    }

    /** One reader. Guarded by itself. */
    private final class Session {
        private final ServiceEvents.Reader reader = control.events().open();
        private final long statisticsNanos;
        private final Supplier<Map<String, ?>> statistics;
        private long nextStatistics = clock.nanoTime();
        private volatile long readAt = clock.nanoTime();
        private List<Map<String, Object>> first = List.of();

        Session(int statisticsMillis, Supplier<Map<String, ?>> statistics) {
            this.statistics = statistics;
            statisticsNanos = TimeUnit.MILLISECONDS.toNanos(statisticsMillis);
        }

        private synchronized List<Map<String, Object>> read() {
            readAt = clock.nanoTime();
            var rows = new ArrayList<>(first);
            first = List.of();
            try {
                long wait = rows.isEmpty() ? READ_WAIT_MILLIS : 0;
                if (statisticsNanos > 0) {
                    long left = TimeUnit.NANOSECONDS.toMillis(nextStatistics - readAt);
                    wait = Math.max(0, Math.min(wait, left));
                }
                TopologySnapshot snapshot = store.snapshot();
                for (ServiceEvents.Stamped event : reader.read(READ_AT_ONCE, wait)) {
                    rows.add(row(snapshot, event.at(), event.event()));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (statisticsNanos > 0 && clock.nanoTime() - nextStatistics >= 0) {
                nextStatistics = clock.nanoTime() + statisticsNanos;
                Map<String, Object> row = begin(time.instant(), "statistics");
                row.putAll(statistics.get());
                rows.add(row);
            }
            return rows;
        }
    }

    /**
     * Argument, optional: {@code statistics}, milliseconds from one to the next.
     *
     * @param statistics what is shown then
     */
    Map<String, ?> start(Map<String, String> arguments, Supplier<Map<String, ?>> statistics) {
        endForgotten();
        if (sessions.size() >= MOST) {
            throw new AgentException(MOST + " readers of service events are there already (expected fewer); end one");
        }
        var session = new Session(Arguments.number(arguments, "statistics", 0), statistics);
        session.first = present();
        int id = lastId.incrementAndGet();
        sessions.put(id, session);
        return Map.of("id", id);
    }

    /** What there is already, as events of now: a reader need not ask for it in another way. */
    private List<Map<String, Object>> present() {
        TopologySnapshot snapshot = store.snapshot();
        Instant now = time.instant();
        List<Map<String, Object>> rows = new ArrayList<>();
        rows.add(row(snapshot, now, new ServiceEvent.Topology(control.changeNumber())));
        var failing = control.instances().failing();
        control.instances().all().forEach((key, entry) -> {
            var value = entry.value();
            var instance =
                    new ServiceInstance(key.prefix(), key.port(), value.address(), value.priority(), value.weight());
            boolean fails = failing.contains(key);
            rows.add(row(snapshot, now, fails ? new ServiceEvent.Down(instance, true) : new ServiceEvent.Up(instance)));
        });
        control.instances()
                .delayed()
                .forEach((of, entry) -> rows.add(row(snapshot, now, unresolved(of, entry.host()))));
        return rows;
    }

    private static ServiceEvent unresolved(DelayedService of, UUID host) {
        return new ServiceEvent.Unresolved(of.table(), of.service(), host);
    }

    /** Waits a moment for an event. Argument: {@code id}. */
    Map<String, ?> read(Map<String, String> arguments) {
        return Map.of("events", session(arguments).read());
    }

    Map<String, ?> stop(Map<String, String> arguments) {
        Session session = session(arguments);
        session.reader.close();
        sessions.values().remove(session);
        return Map.of();
    }

    private Session session(Map<String, String> arguments) {
        Session session = sessions.get(Arguments.number(arguments, "id", 0));
        if (session == null) {
            throw new AgentException("these service events have ended (expected one of " + sessions.keySet() + ")");
        }
        return session;
    }

    private void endForgotten() {
        long now = clock.nanoTime();
        sessions.values().removeIf(session -> {
            boolean forgotten = now - session.readAt > FORGOTTEN_NANOS;
            if (forgotten) {
                session.reader.close();
            }
            return forgotten;
        });
    }

    private static Map<String, Object> begin(Instant at, String what) {
        var row = new LinkedHashMap<String, Object>();
        row.put("at", at.toString());
        row.put("event", what);
        return row;
    }

    private static Map<String, Object> row(TopologySnapshot snapshot, Instant at, ServiceEvent event) {
        return switch (event) {
            case ServiceEvent.Up up -> instance(snapshot, begin(at, "instance-up"), up.instance());
            case ServiceEvent.Down down -> {
                Map<String, Object> row = instance(snapshot, begin(at, "instance-down"), down.instance());
                row.put("reason", down.failed() ? "health" : "gone");
                yield row;
            }
            case ServiceEvent.Unresolved of ->
                delayed(snapshot, begin(at, "unresolved"), new DelayedService(of.table(), of.service()), of.host());
            case ServiceEvent.Settled of ->
                delayed(snapshot, begin(at, "settled"), new DelayedService(of.table(), of.service()), of.host());
            case ServiceEvent.Topology changed -> {
                Map<String, Object> row = begin(at, "topology");
                row.put("change", changed.change());
                yield row;
            }
            case ServiceEvent.Interface of -> {
                Map<String, Object> row = begin(at, "interface");
                row.put("port", portName(snapshot, of.port()));
                row.put("state", of.state());
                yield row;
            }
            case ServiceEvent.Gap gap -> {
                Map<String, Object> row = begin(at, "gap");
                row.put("lost", gap.events());
                yield row;
            }
        };
    }

    private static Map<String, Object> instance(
            TopologySnapshot snapshot, Map<String, Object> row, ServiceInstance instance) {
        row.put("service", instance.prefix().toString());
        row.put("port", portName(snapshot, instance.port()));
        row.put("address", IpAddress.ofV4(instance.address()).toString());
        row.put("priority", instance.priority());
        row.put("weight", instance.weight());
        return row;
    }

    private static Map<String, Object> delayed(
            TopologySnapshot snapshot, Map<String, Object> row, DelayedService of, UUID host) {
        row.put("service", of.service().toString());
        row.put(
                "table",
                snapshot.find(ServiceTable.class, of.table())
                        .map(ServiceTable::getName)
                        .orElse(of.table().toString()));
        row.put("host", snapshot.find(Host.class, host).map(Host::getName).orElse(host.toString()));
        return row;
    }

    private static String portName(TopologySnapshot snapshot, UUID port) {
        return snapshot.find(Port.class, port).map(Port::getName).orElse(port.toString());
    }
}
