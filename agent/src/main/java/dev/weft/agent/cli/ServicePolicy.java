package dev.weft.agent.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Decides from the events of services which part each instance gets: what {@code weft service controller} runs, and an
 * example of what can be built on events and writes alone. Not thread safe.
 */
abstract sealed class ServicePolicy {
    /** Instances that count just now, by the name of their port. */
    final Map<String, Instance> instances = new TreeMap<>();

    private final String service;

    /** @param service as events have it */
    record Instance(String service, String address) {}

    /** A request of the agent: {@code service-share} without the table. */
    record Write(Map<String, String> arguments) {}

    /** @param service that it is about: only instances of it are looked at */
    ServicePolicy(String service) {
        this.service = service;
    }

    /** What to write because of this event. */
    final List<Write> on(Map<?, ?> event) {
        String port = String.valueOf(event.get("port"));
        switch (String.valueOf(event.get("event"))) {
            case "instance-up" -> {
                if (!service.equals(event.get("service"))) {
                    return List.of();
                }
                instances.put(port, new Instance(service, String.valueOf(event.get("address"))));
                return changed();
            }
            case "instance-down" -> {
                return service.equals(event.get("service")) && instances.remove(port) != null ? changed() : List.of();
            }
            case "statistics" -> {
                return measured(Instant.parse(String.valueOf(event.get("at"))), traffic(event));
            }
            default -> {
                return List.of();
            }
        }
    }

    /** Others are instances now. */
    abstract List<Write> changed();

    /** @param bytes from and to the VMs of this host so far, by port */
    abstract List<Write> measured(Instant at, Map<String, Long> bytes);

    /** Nothing is left to do. */
    boolean isDone() {
        return false;
    }

    static Write write(Instance instance, String... more) {
        var arguments = new HashMap<>(Map.of("service", instance.service(), "port", instance.address()));
        for (int i = 0; i < more.length; i += 2) {
            arguments.put(more[i], more[i + 1]);
        }
        return new Write(arguments);
    }

    private static Map<String, Long> traffic(Map<?, ?> event) {
        Map<String, Long> bytes = new HashMap<>();
        if (event.get("ports") instanceof List<?> ports) {
            for (Object each : ports) {
                var port = (Map<?, ?>) each;
                bytes.put(
                        String.valueOf(port.get("port")), number(port, "received-bytes") + number(port, "sent-bytes"));
            }
        }
        return bytes;
    }

    private static long number(Map<?, ?> row, String name) {
        return row.get(name) instanceof Number number ? number.longValue() : 0;
    }

    /** Bytes per second since the last time, by port; of those that were there then. */
    private static final class Rates {
        private Map<String, Long> before = Map.of();
        private Instant beforeAt = Instant.EPOCH;

        Map<String, Double> at(Instant now, Map<String, Long> bytes) {
            Map<String, Double> rates = new HashMap<>();
            double seconds = Duration.between(beforeAt, now).toNanos() / 1e9;
            bytes.forEach((port, count) -> {
                Long earlier = before.get(port);
                if (earlier != null && seconds > 0) {
                    rates.put(port, Math.max(0, count - earlier) / seconds);
                }
            });
            before = bytes;
            beforeAt = now;
            return rates;
        }
    }

    /** The busier an instance of this host is, the smaller its part: 100 when idle, 1 when at its capacity. */
    static final class Load extends ServicePolicy {
        private static final int IDLE = 100;
        /** What is less is not worth a write. */
        private static final int STEP = 10;

        private final double bytesPerSecond;
        private final Rates rates = new Rates();
        private final Map<String, Integer> written = new HashMap<>();

        /** @param bytesPerSecond that one instance can do */
        Load(String service, double bytesPerSecond) {
            super(service);
            this.bytesPerSecond = bytesPerSecond;
        }

        @Override
        List<Write> changed() {
            written.keySet().retainAll(instances.keySet());
            return List.of();
        }

        @Override
        List<Write> measured(Instant at, Map<String, Long> bytes) {
            List<Write> writes = new ArrayList<>();
            rates.at(at, bytes).forEach((port, rate) -> {
                Instance instance = instances.get(port);
                int weight = (int) Math.max(1, Math.round(IDLE * (1 - rate / bytesPerSecond)));
                Integer before = written.get(port);
                if (instance != null && (before == null || Math.abs(before - weight) >= STEP)) {
                    written.put(port, weight);
                    writes.add(write(instance, "weight", Integer.toString(weight)));
                }
            });
            return writes;
        }
    }

    /** Gives an instance no new connections, and is done when its traffic has ebbed away. */
    static final class Drain extends ServicePolicy {
        private static final int QUIET_TIMES = 3;

        private final String port;
        private final double quietBytesPerSecond;
        private final Rates rates = new Rates();
        private boolean drained;
        private int quiet;

        /** @param quietBytesPerSecond below this an instance has no connections to speak of */
        Drain(String service, String port, double quietBytesPerSecond) {
            super(service);
            this.port = port;
            this.quietBytesPerSecond = quietBytesPerSecond;
        }

        @Override
        List<Write> changed() {
            Instance instance = instances.get(port);
            if (drained || instance == null) {
                return List.of();
            }
            drained = true;
            return List.of(write(instance, "drain", "true"));
        }

        @Override
        List<Write> measured(Instant at, Map<String, Long> bytes) {
            Double rate = rates.at(at, bytes).get(port);
            if (drained && rate != null) {
                quiet = rate < quietBytesPerSecond ? quiet + 1 : 0;
            }
            return List.of();
        }

        @Override
        boolean isDone() {
            return quiet >= QUIET_TIMES;
        }
    }

    /**
     * All new connections go to the instances whose ports' names begin with one word, once there are enough of them. The
     * others stand by, and are used again when none of those is left.
     */
    static final class BlueGreen extends ServicePolicy {
        private final String active;
        private final int quorum;
        private final Map<String, String> written = new HashMap<>();

        /** @param quorum instances that the active group must have before it is used */
        BlueGreen(String service, String active, int quorum) {
            super(service);
            this.active = active;
            this.quorum = quorum;
        }

        @Override
        List<Write> changed() {
            written.keySet().retainAll(instances.keySet());
            long ready = instances.keySet().stream().filter(this::isActive).count();
            List<Write> writes = new ArrayList<>();
            if (ready >= quorum) {
                instances.forEach((port, instance) -> {
                    String priority = isActive(port) ? "1000" : "0";
                    if (!priority.equals(written.put(port, priority))) {
                        writes.add(write(instance, "priority", priority));
                    }
                });
            }
            return writes;
        }

        private boolean isActive(String port) {
            return port.startsWith(active);
        }

        @Override
        List<Write> measured(Instant at, Map<String, Long> bytes) {
            return List.of();
        }
    }
}
