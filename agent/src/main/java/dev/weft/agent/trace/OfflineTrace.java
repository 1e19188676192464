package dev.weft.agent.trace;

import dev.weft.base.IpAddress;
import dev.weft.sim.FloodVlans;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.trace.PacketExpression;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Traces a packet through a network that lives in files: no store, no agent. Every host is thought to be up, with each
 * port bound to it in place; tunnel keys are counted from 1. What VMs would have to be asked for stays unknown.
 */
public final class OfflineTrace {
    private final TopologySnapshot snapshot;
    private final VirtualNetwork network;

    public OfflineTrace(TopologySnapshot snapshot) {
        this.snapshot = snapshot;
        this.network = VirtualNetwork.compile(snapshot, VirtualNetwork.EMPTY);
    }

    /**
     * @param ingress the port the packet enters at
     * @param expression as {@link PacketExpression} reads it
     */
    public TraceResult run(Port ingress, String expression) {
        byte[] frame = PacketExpression.parse(expression, new SnapshotMacs(snapshot, network, ingress));
        var tables = new Tables(
                new ConnectionTable(new ConnectionTable.Limits(64, 64, 64), Lifetimes.STANDARD, 0, 0),
                Tables.Limits.STANDARD,
                0);
        placePorts(tables, ingress);
        var simulator = new Simulator(tables, 0);
        simulator.setNetwork(network);
        return TraceResult.of(simulator, network.portIndex(UUID.fromString(ingress.getId())), frame, 0, new Outcome());
    }

    /** The ingress host's ports are local, those of other hosts behind the tunnel. */
    private void placePorts(Tables tables, Port ingress) {
        int local = 0;
        int key = 0;
        var floods = new HashMap<String, Integer>();
        for (Port port : snapshot.ports()) {
            int index = network.portIndex(UUID.fromString(port.getId()));
            boolean here = port.getId().equals(ingress.getId())
                    || !port.getHostId().isEmpty() && port.getHostId().equals(ingress.getHostId());
            if (here) {
                tables.setLocalPort(index, ++local);
            } else if (!port.getHostId().isEmpty()) {
                IpAddress host = underlay(port.getHostId());
                tables.setRemotePort(index, host.high(), host.low(), ++key);
                for (int vlan : FloodVlans.of(port)) {
                    floods.putIfAbsent(port.getBridgeId() + " " + port.getHostId() + " " + vlan, ++key);
                }
            }
        }
        for (Map.Entry<String, Integer> flood : floods.entrySet()) {
            String[] where = flood.getKey().split(" ");
            IpAddress host = underlay(where[1]);
            tables.setFloodTarget(
                    network.bridgeIndex(UUID.fromString(where[0])),
                    Integer.parseInt(where[2]),
                    UUID.fromString(where[1]),
                    host.high(),
                    host.low(),
                    flood.getValue());
        }
    }

    private IpAddress underlay(String hostId) {
        return IpAddress.parse(
                snapshot.host(UUID.fromString(hostId)).map(Host::getUnderlay).orElseThrow());
    }
}
