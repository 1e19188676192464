package dev.weft.agent;

import dev.weft.agent.control.ControlSide;
import dev.weft.agent.control.PortBoard;
import dev.weft.agent.worker.Worker;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.DatapathStatistics;
import dev.weft.datapath.Datapaths;
import dev.weft.datapath.PortStatistics;
import dev.weft.topology.Problem;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.TableCounters;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Warnings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What an agent says of itself, as plain values for the control socket. Thread safe. */
final class AgentStatus {
    private static final int MOST_WARNINGS = 20;

    private final AgentConfig config;
    private final UUID hostId;
    private final StoreConnection connection;
    private final BooleanSupplier storeIsRead;
    private final Datapath datapath;
    private final List<String> passedOver;
    private final WorkerCrew crew;
    private final ControlSide control;
    private final Supplier<TopologySnapshot> topology;

    AgentStatus(
            AgentConfig config,
            UUID hostId,
            StoreConnection connection,
            BooleanSupplier storeIsRead,
            Datapaths.Opened opened,
            WorkerCrew crew,
            ControlSide control,
            Supplier<TopologySnapshot> topology) {
        this.config = config;
        this.hostId = hostId;
        this.connection = connection;
        this.storeIsRead = storeIsRead;
        this.datapath = opened.datapath();
        this.passedOver = opened.passedOver();
        this.crew = crew;
        this.control = control;
        this.topology = topology;
    }

    /**
     * <pre>
     * host, id, underlay, datapath, store, session, change
     * stale            topology and tables are those of an earlier agent: the store has not answered since
     * taking-over      flows of an earlier agent are still being judged
     * datapath-survives whether it goes on without this agent
     * datapath-missing the better kinds of datapath, each with the feature that it misses here
     * warnings         what the topology asks for and the fabric does not give: MTUs above that of the tunnels
     * peers, remote-ports, flood-targets
     * egress-upcalls   frames from the tunnel that needed a simulation here: 0 in a sound network
     * datapath-counters, worker-counters, table-counters   by name
     * drops            by reason, those that happened
     * workers          [{worker, flows, change, upcalls, ...}]
     * ports            [{port, id, interface, namespace, state, tunnel-key, datapath-port, received, sent, upcalls}]
     * </pre>
     */
    Map<String, Object> all() {
        DatapathStatistics statistics = datapath.statistics();
        var status = new LinkedHashMap<String, Object>();
        status.put("host", config.name());
        status.put("id", hostId.toString());
        status.put("underlay", config.underlay().toString());
        status.put("datapath", datapath.kind());
        status.put("datapath-missing", passedOver);
        status.put("datapath-survives", datapath.survives());
        status.put("store", connection.connectString());
        status.put("session", connection.state().name().toLowerCase(Locale.ROOT));
        status.put("change", control.changeNumber());
        status.put("stale", !storeIsRead.getAsBoolean());
        status.put("taking-over", control.isTakingOver());
        status.put("warnings", warnings());
        var fabric = control.fabric().counts();
        status.put("peers", fabric.peers());
        status.put("remote-ports", fabric.remotePorts());
        status.put("flood-targets", fabric.floodTargets());
        status.put("egress-upcalls", statistics.tunnelUpcalls());
        status.put("datapath-counters", datapathCounters(statistics));
        status.put("worker-counters", workerCounters());
        status.put("table-counters", tableCounters());
        status.put("drops", drops(statistics));
        status.put("workers", workers());
        status.put("ports", ports());
        return status;
    }

    private List<String> warnings() {
        return Warnings.aboutMtus(topology.get()).stream()
                .limit(MOST_WARNINGS)
                .map(Problem::toString)
                .toList();
    }

    String datapath() {
        return datapath.kind();
    }

    private static Map<String, Long> datapathCounters(DatapathStatistics statistics) {
        var counters = new LinkedHashMap<String, Long>();
        counters.put("hits", statistics.hits());
        counters.put("misses", statistics.misses());
        counters.put("tunnel-upcalls", statistics.tunnelUpcalls());
        counters.put("state-frames", statistics.stateFrames());
        counters.put("delivered", statistics.delivered());
        counters.put("flows", statistics.flows());
        return counters;
    }

    private Map<String, Long> workerCounters() {
        var sums = new TreeMap<String, Long>();
        crew.workers().forEach(worker -> worker.counters().addTo(sums));
        return sums;
    }

    /** What this host wrote to the tables it shares, and what stayed here. */
    private Map<String, Long> tableCounters() {
        TableCounters tables = control.tableCounters();
        var counters = new LinkedHashMap<String, Long>();
        counters.put("created", tables.created());
        counters.put("deleted", tables.deleted());
        counters.put("delayed", tables.delayed());
        counters.put("local-only", tables.localOnly());
        counters.put("malformed", tables.malformed());
        counters.put("lessons-left-out", control.lessonsLeftOut());
        counters.put("registrations-refused", control.instances().refusals());
        return counters;
    }

    private Map<String, Long> drops(DatapathStatistics statistics) {
        var sums = new TreeMap<String, Long>(statistics.drops());
        crew.workers().forEach(worker -> worker.counters().addDropsTo(sums));
        sums.values().removeIf(count -> count == 0);
        return sums;
    }

    private List<Map<String, Object>> workers() {
        var rows = new ArrayList<Map<String, Object>>();
        int index = 0;
        for (Worker worker : crew.workers()) {
            var counters = new TreeMap<String, Long>();
            worker.counters().addTo(counters);
            var row = new LinkedHashMap<String, Object>();
            row.put("worker", index++);
            row.put("flows", worker.flows());
            row.put("change", worker.changeNumber());
            row.putAll(counters);
            rows.add(row);
        }
        return rows;
    }

    private List<Map<String, Object>> ports() {
        Map<Integer, PortStatistics> statistics =
                datapath.ports().stream().collect(Collectors.toMap(PortStatistics::port, Function.identity()));
        return control.ports().all().stream()
                .map(entry -> port(entry, statistics.get(entry.datapathPort())))
                .toList();
    }

    private Map<String, Object> port(PortBoard.Entry entry, @Nullable PortStatistics statistics) {
        var row = new LinkedHashMap<String, Object>();
        row.put("port", name(entry.spec().id()));
        row.put("id", entry.spec().id().toString());
        row.put("interface", entry.spec().interfaceName());
        row.put("namespace", entry.spec().namespace());
        row.put("state", entry.state());
        row.put("tunnel-key", entry.tunnelKey());
        row.put("datapath-port", entry.datapathPort());
        row.put("received", statistics == null ? 0 : statistics.receivedPackets());
        row.put("sent", statistics == null ? 0 : statistics.sentPackets());
        row.put("upcalls", statistics == null ? 0 : statistics.upcalls());
        return row;
    }

    /** The port's name, or its id when it has just gone. */
    private String name(UUID id) {
        var network = control.network();
        int index = network.portIndex(id);
        return network.hasPort(index) ? network.portName(index) : id.toString();
    }
}
