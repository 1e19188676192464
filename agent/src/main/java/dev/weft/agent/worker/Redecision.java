package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.sim.DropReason;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionTable;
import java.lang.foreign.Arena;
import java.util.UUID;

/**
 * Decides connections again after the network has changed: one whose forward packets would be dropped now ends, so that
 * its answers are no longer let in either. A few at a time, between packets. Not thread safe: touched only by its worker
 * thread.
 */
@HotPath
final class Redecision {
    private static final int AT_ONCE = 64;

    // Immutable after construction.
    private final ConnectionTable table;
    private final Tables tables;
    private final Simulator simulator;
    private final Connections connections;
    // Owned by the worker thread.
    private final ImaginedPacket imagined;
    private final Connection connection = new Connection();
    private final Outcome outcome = new Outcome();
    private int next;

    Redecision(Tables tables, Simulator simulator, Connections connections, Arena arena) {
        this.tables = tables;
        this.simulator = simulator;
        this.connections = connections;
        table = tables.connections();
        next = table.capacity();
        imagined = new ImaginedPacket(arena);
    }

    /** From the first on; what is under way begins anew. */
    void begin() {
        next = 0;
    }

    /** Returns how many there were to look at. */
    int doWork(long nowNanos) {
        int looked = 0;
        while (looked < AT_ONCE && next < table.capacity()) {
            int slot = next++;
            if (table.isUsed(slot) && table.isOwner(slot)) {
                looked++;
                decide(slot, nowNanos);
            }
        }
        return looked;
    }

    private void decide(int slot, long nowNanos) {
        table.read(slot, connection);
        VirtualNetwork network = simulator.network();
        int port = network.portIndex(new UUID(connection.portHigh(), connection.portLow()));
        if (!network.hasPort(port)) {
            connections.end(slot);
            return;
        }
        if (tables.localPort(port) == Tables.NONE) {
            return; // its packets enter elsewhere now, and are decided there
        }
        imagined.fill(
                connection.forward,
                tables.localPort(port),
                connection.srcMac(),
                connection.dstMac(),
                connection.vlanTci());
        simulator.simulate(imagined.packet, port, nowNanos, outcome);
        DropReason why = outcome.dropReason();
        if (why != null && why.isPolicy()) {
            connections.end(slot);
        }
    }
}
