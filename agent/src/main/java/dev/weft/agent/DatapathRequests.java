package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.agent.control.PortBoard;
import dev.weft.agent.socket.RequestHandler;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathStatistics;
import dev.weft.datapath.FlowDump;
import dev.weft.datapath.PortStatistics;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowText;
import dev.weft.sim.trace.FlowFilter;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.schema.Port;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Answers what the control socket is asked about the datapath. Thread safe. */
final class DatapathRequests implements RequestHandler {
    private static final int DEFAULT_FLOWS = 1000;

    private final Datapath datapath;
    private final ControlSide control;
    private final TopologyStore store;
    private final Captures captures;
    private final NanoClock clock;

    DatapathRequests(Datapath datapath, ControlSide control, TopologyStore store, Captures captures, NanoClock clock) {
        this.datapath = datapath;
        this.control = control;
        this.store = store;
        this.captures = captures;
        this.clock = clock;
    }

    @Override
    public Map<String, ?> handle(String command, Map<String, String> arguments) {
        return switch (command) {
            case "flows" -> flows(arguments);
            case "datapath-ports" -> Map.of("ports", ports());
            case "datapath-masks" -> Map.of("masks", masks());
            case "datapath-stats" -> stats();
            case "capture-start" -> captureStart(arguments);
            case "capture-read" -> captures.read(Arguments.number(arguments, "id", 0));
            case "capture-stop" -> captures.stop(Arguments.number(arguments, "id", 0));
            default ->
                throw new AgentException(
                        "request '" + command + "' (expected status, trace, connections, flows, datapath-ports,"
                                + " datapath-masks, datapath-stats, capture-start, capture-read or capture-stop)");
        };
    }

    /**
     * Arguments, all optional: {@code port} (name or id of an exterior port here, or {@code tunnel}), {@code worker},
     * {@code filter} (see {@link FlowFilter}), {@code limit}.
     */
    private Map<String, ?> flows(Map<String, String> arguments) {
        FlowFilter filter = FlowFilter.parse(arguments.getOrDefault("filter", ""));
        int limit = Arguments.number(arguments, "limit", DEFAULT_FLOWS);
        int worker = Arguments.number(arguments, "worker", Integer.MIN_VALUE);
        int port = arguments.containsKey("port") ? datapathPort(arguments.get("port")) : -1;
        long now = clock.nanoTime();
        var shown = new ArrayList<Map<String, Object>>();
        var total = new AtomicLong();
        datapath.forEachFlow(flow -> {
            total.incrementAndGet();
            if (shown.size() < limit
                    && (worker == Integer.MIN_VALUE || flow.worker() == worker)
                    && (port < 0 || flow.key().inPort() == port)
                    && filter.matches(flow.key(), flow.mask())) {
                shown.add(flow(flow, now));
            }
        });
        return Map.of("flows", shown, "total", total.get());
    }

    private static Map<String, Object> flow(FlowDump flow, long now) {
        var row = new LinkedHashMap<String, Object>();
        row.put("worker", flow.worker());
        row.put("match", FlowText.of(flow.key(), flow.mask()));
        row.put("actions", flow.actions().toString());
        row.put("packets", flow.packets());
        row.put("bytes", flow.bytes());
        row.put(
                "idle-seconds",
                flow.lastUsedNanos() == 0 ? null : TimeUnit.NANOSECONDS.toSeconds(now - flow.lastUsedNanos()));
        return row;
    }

    /** The masks in use by ingress port, with how many flows and packets go by each. */
    private List<Map<String, Object>> masks() {
        record Use(int port, String mask) {}
        var uses = new LinkedHashMap<Use, long[]>();
        datapath.forEachFlow(flow -> {
            long[] counts =
                    uses.computeIfAbsent(new Use(flow.key().inPort(), FlowText.of(flow.mask())), use -> new long[2]);
            counts[0]++;
            counts[1] += flow.packets();
        });
        return uses.entrySet().stream()
                .map(use -> {
                    var row = new LinkedHashMap<String, Object>();
                    row.put("in", portName(use.getKey().port()));
                    row.put("datapath-port", use.getKey().port());
                    row.put("flows", use.getValue()[0]);
                    row.put("packets", use.getValue()[1]);
                    row.put("mask", use.getKey().mask());
                    return (Map<String, Object>) row;
                })
                .toList();
    }

    private List<Map<String, Object>> ports() {
        return datapath.ports().stream().map(this::port).toList();
    }

    private Map<String, Object> port(PortStatistics port) {
        var row = new LinkedHashMap<String, Object>();
        row.put("datapath-port", port.port());
        row.put("port", portName(port.port()));
        row.put("interface", port.spec().interfaceName());
        row.put("namespace", port.spec().namespace());
        row.put("up", port.up());
        row.put("received", port.receivedPackets());
        row.put("received-bytes", port.receivedBytes());
        row.put("sent", port.sentPackets());
        row.put("sent-bytes", port.sentBytes());
        row.put("upcalls", port.upcalls());
        row.put("over-budget", port.upcallsOverBudget());
        return row;
    }

    private Map<String, Object> stats() {
        DatapathStatistics statistics = datapath.statistics();
        var stats = new LinkedHashMap<String, Object>();
        stats.put("kind", datapath.kind());
        stats.put("survives", datapath.survives());
        stats.put("incarnation", Long.toHexString(datapath.incarnation()));
        stats.put("workers", datapath.workers());
        stats.put("flows", statistics.flows());
        stats.put("hits", statistics.hits());
        stats.put("misses", statistics.misses());
        stats.put("tunnel-upcalls", statistics.tunnelUpcalls());
        stats.put("state-frames", statistics.stateFrames());
        stats.put("delivered", statistics.delivered());
        stats.put("drops", statistics.drops());
        return stats;
    }

    private Map<String, ?> captureStart(Map<String, String> arguments) {
        int port = datapathPort(Arguments.required(arguments, "port", "the port to capture at"));
        return captures.start(port, FlowFilter.parse(arguments.getOrDefault("filter", "")));
    }

    private String portName(int number) {
        if (number == FlowKey.TUNNEL_PORT) {
            return "tunnel";
        }
        var network = control.network();
        return control.ports().all().stream()
                .filter(entry -> entry.datapathPort() == number)
                .map(entry -> network.portIndex(entry.spec().id()))
                .filter(network::hasPort)
                .map(network::portName)
                .findFirst()
                .orElse("-");
    }

    private int datapathPort(String port) {
        if (port.equals("tunnel")) {
            return FlowKey.TUNNEL_PORT;
        }
        Port found = PortNames.find(store.snapshot(), port);
        return control.ports()
                .find(UUID.fromString(found.getId()))
                .map(PortBoard.Entry::datapathPort)
                .filter(number -> number > 0)
                .orElseThrow(() -> new AgentException("port '" + port
                        + "' is not attached on this host (expected one that 'weft status' shows as up)"));
    }
}
