package dev.weft.agent.control;

import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Whether the control side knows all that there is to know after a start: each table has been read as far as the present
 * network, each port has been looked for. Thread safe: each part is reported by its actor.
 */
final class Readiness {
    private final Map<UUID, State> tables = new ConcurrentHashMap<>();
    private final Set<UUID> absentPorts = ConcurrentHashMap.newKeySet();

    /** @param network the change number of the network that its entries were told for */
    private record State(boolean read, long network) {}

    /** A table is followed from now on. */
    void expectTable(UUID device) {
        tables.put(device, new State(false, -1));
    }

    /** Everything that the store has of the table was told to the workers. */
    void tableRead(UUID device) {
        tables.computeIfPresent(device, (id, state) -> new State(true, state.network));
    }

    /** The entries were told anew, for this network. */
    void tableFollows(UUID device, long network) {
        tables.computeIfPresent(device, (id, state) -> new State(state.read, network));
    }

    void forgetTable(UUID device) {
        tables.remove(device);
    }

    void portIs(UUID port, boolean attached) {
        if (attached) {
            absentPorts.remove(port);
        } else {
            absentPorts.add(port);
        }
    }

    void forgetPort(UUID port) {
        absentPorts.remove(port);
    }

    boolean hasTables(long network) {
        return tables.values().stream().allMatch(state -> state.read && state.network >= network);
    }

    boolean hasPorts() {
        return absentPorts.isEmpty();
    }
}
