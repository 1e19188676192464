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

    /** Frames that no flow answered, from VMs and from the tunnel. */
    long upcalls() {
        return number("upcalls");
    }

    /** Of these, frames that came through the tunnel for a port: an egress host never simulates them. */
    long egressUpcalls() {
        return number("egress-upcalls");
    }

    /** Whether a flow sends to this underlay address. */
    boolean sendsTo(String underlay) {
        return flows.stream()
                .anyMatch(flow -> String.valueOf(flow.get("actions")).contains("tunnel " + underlay + " "));
    }

    /** Whether the host takes tunnel packets from this underlay address. */
    boolean knows(String underlay) {
        return status.get("peers") instanceof List<?> peers
                && peers.stream()
                        .anyMatch(peer -> peer.equals(underlay)
                                || peer instanceof Map<?, ?> fields && fields.containsValue(underlay));
    }

    private long number(String field) {
        if (status.get(field) instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("status has no number '" + field + "': " + status.keySet());
    }
}
