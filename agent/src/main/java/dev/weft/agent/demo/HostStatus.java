package dev.weft.agent.demo;

import dev.weft.agent.socket.ControlClient;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What a host's agent says of itself, asked at its control socket: counters, and the flows it has installed. */
record HostStatus(Map<String, Object> status, List<Map<?, ?>> flows) {
    static HostStatus of(Path socket) {
        try (var agent = ControlClient.connect(socket)) {
            return new HostStatus(
                    agent.call("status", Map.of()),
                    ((List<?>) agent.call("flows", Map.of()).getOrDefault("flows", List.of()))
                            .stream().<Map<?, ?>>map(flow -> (Map<?, ?>) flow).toList());
        }
    }

    /** The kind of datapath. */
    String datapath() {
        return String.valueOf(status.get("datapath"));
    }

    /** Whether established flows go on without the agent. */
    boolean datapathSurvives() {
        return Boolean.TRUE.equals(status.get("datapath-survives"));
    }

    /** Flows that this agent took over from the one before it. */
    long adoptedFlows() {
        return status.get("worker-counters") instanceof Map<?, ?> counters ? number(counters, "flows-adopted") : 0;
    }

    /** Frames that no flow answered, from VMs and from the tunnel. */
    long upcalls() {
        return status.get("datapath-counters") instanceof Map<?, ?> counters ? number(counters, "misses") : 0;
    }

    /** Of these, frames that came through the tunnel: an egress host never simulates them. */
    long egressUpcalls() {
        return number(status, "egress-upcalls");
    }

    /** Ports at other hosts that this one could send to. */
    long remotePorts() {
        return number(status, "remote-ports");
    }

    /** Whether a flow sends to this underlay address. */
    boolean sendsTo(String underlay) {
        return flows.stream()
                .anyMatch(flow -> String.valueOf(flow.get("actions")).contains("tunnel " + underlay + " "));
    }

    private static long number(Map<?, ?> fields, String name) {
        if (fields.get(name) instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("the agent's status has no number '" + name + "': " + fields.keySet());
    }
}
