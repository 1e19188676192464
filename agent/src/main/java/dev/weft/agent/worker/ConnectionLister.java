package dev.weft.agent.worker;

import dev.weft.base.IpAddress;
import dev.weft.base.NanoClock;
import dev.weft.sim.Simulator;
import dev.weft.sim.VirtualNetwork;
import dev.weft.state.Connection;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** Shows a worker's connections to a person, a page at a time. Its worker's thread only. */
final class ConnectionLister {
    private final int worker;
    private final ConnectionTable table;
    private final Simulator simulator;
    private final NanoClock clock;
    private final Connection connection = new Connection();

    ConnectionLister(WorkerParts parts) {
        worker = parts.index;
        table = parts.tables.connections();
        simulator = parts.simulator;
        clock = parts.clock;
    }

    void show(Command.ShowConnections question) {
        int end = (int) Math.min(table.capacity(), (long) question.from() + question.slots());
        var rows = new ArrayList<ConnectionPage.Row>();
        for (int slot = Math.max(0, question.from()); slot < end; slot++) {
            if (table.isUsed(slot)) {
                rows.add(row(slot));
            }
        }
        question.answer().complete(new ConnectionPage(rows, end == table.capacity() ? ConnectionPage.END : end));
    }

    private ConnectionPage.Row row(int slot) {
        table.read(slot, connection);
        long idle = table.idleNanos(slot, clock.nanoTime());
        boolean owned = table.isOwner(slot);
        var port = new UUID(connection.portHigh(), connection.portLow());
        return new ConnectionPage.Row(
                worker,
                port,
                portName(port),
                connection.forward.toString(),
                connection.answer.toString(),
                state(connection.phase()),
                table.isAnswered(slot),
                owned ? "here" : host(connection.ownerHigh(), connection.ownerLow(), "sibling"),
                owned ? host(table.toldHigh(slot), table.toldLow(slot), "") : "",
                connection.epoch(),
                TimeUnit.NANOSECONDS.toSeconds(idle),
                TimeUnit.NANOSECONDS.toSeconds(Math.max(0, table.lifetimeNanos(slot) - idle)),
                translations());
    }

    private String portName(UUID id) {
        VirtualNetwork network = simulator.network();
        int port = network.portIndex(id);
        return network.hasPort(port) ? network.portName(port) : id.toString();
    }

    private static String state(int phase) {
        return switch (phase) {
            case Phase.OPENING -> "opening";
            case Phase.CLOSING -> "closing";
            default -> "open";
        };
    }

    private static String host(long high, long low, String none) {
        return (high | low) == 0 ? none : IpAddress.toString(high, low);
    }

    private List<String> translations() {
        var all = new ArrayList<String>();
        for (int i = 0; i < connection.bindings(); i++) {
            all.add(simulator.network().deviceName(connection.device(i)).orElse("a router that is gone") + ": "
                    + (connection.kind(i) == Connection.SOURCE ? "source" : "destination") + " becomes "
                    + IpAddress.toString(connection.high(i), connection.low(i)) + " " + connection.l4Port(i));
        }
        return all;
    }
}
