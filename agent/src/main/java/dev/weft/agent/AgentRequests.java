package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.agent.socket.RequestHandler;
import dev.weft.agent.trace.SnapshotMacs;
import dev.weft.agent.trace.TraceResult;
import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.Worker;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.FlowDump;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowText;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.schema.Port;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Answers the control socket: {@code status}, {@code flows}, {@code connections}, {@code trace}. Thread safe. */
final class AgentRequests implements RequestHandler {
    private static final int DEFAULT_FLOWS = 1000;
    private static final long ANSWER_SECONDS = 5;

    private final AgentStatus status;
    private final WorkerCrew crew;
    private final Datapath datapath;
    private final ControlSide control;
    private final TopologyStore store;
    private final NanoClock clock;
    private final ConnectionRequests connections;

    AgentRequests(
            AgentStatus status,
            WorkerCrew crew,
            Datapath datapath,
            ControlSide control,
            TopologyStore store,
            NanoClock clock) {
        this.status = status;
        this.crew = crew;
        this.datapath = datapath;
        this.control = control;
        this.store = store;
        this.clock = clock;
        connections = new ConnectionRequests(crew.workers());
    }

    @Override
    public Map<String, ?> handle(String command, Map<String, String> arguments) {
        return switch (command) {
            case "status" -> status.all();
            case "flows" -> flows(arguments);
            case "connections" -> connections.list(arguments);
            case "trace" -> trace(arguments);
            default ->
                throw new AgentException("request '" + command + "' (expected status, flows, connections or trace)");
        };
    }

    /**
     * Arguments, all optional: {@code port} (name or id of an exterior port here, or {@code tunnel}), {@code worker},
     * {@code contains} (text in the key or the actions), {@code limit}.
     */
    private Map<String, ?> flows(Map<String, String> arguments) {
        String contains = arguments.getOrDefault("contains", "");
        int limit = number(arguments, "limit", DEFAULT_FLOWS);
        int worker = number(arguments, "worker", -1);
        int port = arguments.containsKey("port") ? datapathPort(arguments.get("port")) : -1;
        long now = clock.nanoTime();
        List<FlowDump> all = datapath.flows();
        List<Map<String, Object>> shown = all.stream()
                .filter(flow -> worker < 0 || flow.worker() == worker)
                .filter(flow -> port < 0 || flow.key().inPort() == port)
                .map(flow -> flow(flow, now))
                .filter(row -> contains.isEmpty() || row.values().toString().contains(contains))
                .limit(limit)
                .toList();
        return Map.of("flows", shown, "total", all.size());
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

    private int datapathPort(String port) {
        if (port.equals("tunnel")) {
            return FlowKey.TUNNEL_PORT;
        }
        Port found = PortNames.find(store.snapshot(), port);
        return control.ports()
                .find(UUID.fromString(found.getId()))
                .filter(entry -> entry.datapathPort() > 0)
                .orElseThrow(() -> new AgentException("port '" + port
                        + "' is not attached on this host (expected one that 'weft status' shows as up)"))
                .datapathPort();
    }

    /** Arguments: {@code port} (name or id), {@code packet} (an expression). Nothing is sent, learned or installed. */
    private Map<String, ?> trace(Map<String, String> arguments) {
        String port = required(arguments, "port", "the port the packet enters at");
        String expression = required(arguments, "packet", "a packet expression like 'udp 10.0.1.5:1000 > 10.0.2.9:53'");
        Port found = PortNames.find(store.snapshot(), port);
        int index = control.network().portIndex(UUID.fromString(found.getId()));
        if (!control.network().hasPort(index)) {
            throw new AgentException("port '" + port + "' has not reached this agent yet; try again in a moment");
        }
        var macs = new SnapshotMacs(store.snapshot(), control.network(), found);
        var result = new LinkedHashMap<String, Object>();
        result.put("port", found.getName());
        result.putAll(inspect(index, PacketExpression.parse(expression, macs)).toMap());
        return result;
    }

    /** By the worker that would get the packet: it has the connection, if anybody has. */
    private TraceResult inspect(int port, byte[] frame) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        int code = PacketParser.parse(packet);
        if (code != Malformed.OK) {
            throw new AgentException(
                    "the packet is malformed: " + Malformed.of(code).label());
        }
        Worker home = crew.workers().get(FlowHome.of(packet, crew.workers().size()));
        var answer = new CompletableFuture<TraceResult>();
        if (!home.offer(new Command.Inspect(port, frame, answer))) {
            throw new AgentException("the worker has no time for a trace just now; try again");
        }
        try {
            return answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AgentException("the worker did not answer within " + ANSWER_SECONDS + " s", e);
        } catch (ExecutionException e) {
            throw new AgentException("the trace failed: " + e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AgentException("the trace was interrupted", e);
        }
    }

    private static String required(Map<String, String> arguments, String name, String what) {
        String value = arguments.get(name);
        if (value == null) {
            throw new AgentException("argument '" + name + "' is missing (expected " + what + ")");
        }
        return value;
    }

    static int number(Map<String, String> arguments, String name, int otherwise) {
        String text = arguments.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new AgentException(name + " '" + text + "' (expected a number)", e);
        }
    }
}
