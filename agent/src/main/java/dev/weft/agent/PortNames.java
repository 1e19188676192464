package dev.weft.agent;

import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Tenant;
import java.util.List;
import java.util.UUID;

/** Ports as people name them: {@code tenant/name}, {@code name} when only one has it, or an id. */
final class PortNames {
    private PortNames() {}

    /** @throws AgentException when there is no such port, or several */
    static Port find(TopologySnapshot snapshot, String text) {
        List<Port> named = snapshot.ports().stream()
                .filter(port -> text.equals(port.getId())
                        || text.equals(port.getName())
                        || text.equals(tenant(snapshot, port) + "/" + port.getName()))
                .toList();
        if (named.size() == 1) {
            return named.getFirst();
        }
        throw new AgentException("port '" + text + "' "
                + (named.isEmpty() ? "does not exist" : "is the name of " + named.size() + " ports")
                + " (expected TENANT/NAME, a NAME that only one port has, or an id)");
    }

    private static String tenant(TopologySnapshot snapshot, Port port) {
        return snapshot.tenant(UUID.fromString(port.getTenantId()))
                .map(Tenant::getName)
                .orElse("");
    }
}
