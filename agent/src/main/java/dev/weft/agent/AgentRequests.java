package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.agent.socket.RequestHandler;
import dev.weft.agent.trace.SnapshotMacs;
import dev.weft.agent.trace.TraceResult;
import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.Worker;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.topology.TopologyStore;
import dev.weft.topology.schema.Port;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Answers the control socket: {@code status}, {@code connections}, {@code services}, {@code rule-log}, {@code trace}, and what is about the datapath. Thread safe. */
final class AgentRequests implements RequestHandler {

    private final AgentStatus status;
    private final WorkerCrew crew;
    private final DatapathRequests datapath;
    private final ControlSide control;
    private final TopologyStore store;
    private final ConnectionRequests connections;
    private final ServiceRequests services;
    private final InstanceRequests instances;
    private final ServiceWrites writes;
    private final ServiceEventRequests events;
    private final RuleLogBook ruleLog;

    AgentRequests(
            AgentStatus status,
            WorkerCrew crew,
            DatapathRequests datapath,
            ControlSide control,
            TopologyStore store,
            RuleLogBook ruleLog,
            ServiceEventRequests events) {
        this.status = status;
        this.crew = crew;
        this.datapath = datapath;
        this.control = control;
        this.store = store;
        this.ruleLog = ruleLog;
        connections = new ConnectionRequests(crew.workers(), store);
        services = new ServiceRequests(crew.workers());
        instances = new InstanceRequests(control, store);
        writes = new ServiceWrites(store);
        this.events = events;
    }

    private Map<String, ?> statistics() {
        Map<String, Object> all = new LinkedHashMap<>(services.list(Map.of()));
        all.putAll(datapath.handle("datapath-ports", Map.of()));
        return all;
    }

    @Override
    public Map<String, ?> handle(String command, Map<String, String> arguments) {
        return switch (command) {
            case "status" -> status.all();
            case "connections" -> connections.list(arguments);
            case "services" -> services.list(arguments);
            case "register" -> instances.register(arguments);
            case "unregister" -> instances.unregister(arguments);
            case "instances" -> instances.list();
            case "service-rule" -> writes.rule(arguments);
            case "service-share" -> writes.share(arguments);
            case "service-events-start" -> events.start(arguments, this::statistics);
            case "service-events-read" -> events.read(arguments);
            case "service-events-stop" -> events.stop(arguments);
            case "rule-log" -> ruleLog.read(arguments);
            case "trace" -> trace(arguments);
            default -> datapath.handle(command, arguments);
        };
    }

    /** Arguments: {@code port} (name or id), {@code packet} (an expression). Nothing is sent, learned or installed. */
    private Map<String, ?> trace(Map<String, String> arguments) {
        String port = Arguments.required(arguments, "port", "the port the packet enters at");
        String expression =
                Arguments.required(arguments, "packet", "a packet expression like 'udp 10.0.1.5:1000 > 10.0.2.9:53'");
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

    /** By the worker that would decide about the packet: it has the connection, if anybody has. */
    private TraceResult inspect(int port, byte[] frame) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        int code = PacketParser.parse(packet);
        if (code != Malformed.OK) {
            throw new AgentException(
                    "the packet is malformed: " + Malformed.of(code).label());
        }
        Worker home =
                crew.workers().get(FlowHome.ofDecision(packet, crew.workers().size()));
        var answer = new CompletableFuture<TraceResult>();
        if (!home.offer(new Command.Inspect(port, frame, answer))) {
            throw new AgentException("the worker has no time for a trace just now; try again");
        }
        return Answers.await(answer, "the worker", "the trace failed");
    }
}
