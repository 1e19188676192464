package dev.weft.datapath;

import dev.weft.base.IpAddress;
import dev.weft.base.NanoClock;
import java.util.UUID;

/**
 * How a datapath is opened.
 *
 * @param host whose datapath it is: what survives is found again by this id; {@link #NO_HOST}: nothing shall survive
 * @param workers seats, 1..127
 * @param underlay the address tunnel packets leave from and arrive at, in the process's own network namespace
 * @param tunnelPort UDP port of the tunnel; {@link #VXLAN_PORT} everywhere but in tests
 * @param flowCapacity flows of all workers together
 * @param upcallQueueBytes memory for waiting frames, of each worker
 * @param clock stamps the use of flows and fills upcall budgets
 * @param namespace where the underlay and the interfaces are, for the kind {@code ebpf}: a name under /run/netns, an
 *     absolute path, or empty for the process's own
 */
public record DatapathConfig(
        UUID host,
        int workers,
        IpAddress underlay,
        int tunnelPort,
        int flowCapacity,
        int upcallQueueBytes,
        NanoClock clock,
        String namespace) {
    /** The datapath dies with its process. */
    public static final UUID NO_HOST = new UUID(0, 0);

    /** RFC 7348 §5. */
    public static final int VXLAN_PORT = 4789;

    private static final int MAX_WORKERS = 127;
    private static final int DEFAULT_FLOWS = 65_536;
    private static final int DEFAULT_QUEUE_BYTES = 4 << 20;

    public DatapathConfig {
        if (workers < 1 || workers > MAX_WORKERS) {
            throw new DatapathException("workers " + workers + " (expected 1.." + MAX_WORKERS + ")");
        }
        if (tunnelPort < 1 || tunnelPort > 65_535) {
            throw new DatapathException("tunnel port " + tunnelPort + " (expected 1..65535)");
        }
        if (flowCapacity < 1 || flowCapacity > 1 << 24) {
            throw new DatapathException("flow capacity " + flowCapacity + " (expected 1..16777216)");
        }
        if (upcallQueueBytes < 1) {
            throw new DatapathException("upcall queue of " + upcallQueueBytes + " bytes (expected 1 or more)");
        }
    }

    public static DatapathConfig of(int workers, IpAddress underlay) {
        return new DatapathConfig(
                NO_HOST, workers, underlay, VXLAN_PORT, DEFAULT_FLOWS, DEFAULT_QUEUE_BYTES, NanoClock.SYSTEM, "");
    }

    public DatapathConfig withHost(UUID id) {
        return new DatapathConfig(id, workers, underlay, tunnelPort, flowCapacity, upcallQueueBytes, clock, namespace);
    }

    public DatapathConfig withTunnelPort(int port) {
        return new DatapathConfig(host, workers, underlay, port, flowCapacity, upcallQueueBytes, clock, namespace);
    }

    public DatapathConfig withFlowCapacity(int flows) {
        return new DatapathConfig(host, workers, underlay, tunnelPort, flows, upcallQueueBytes, clock, namespace);
    }

    public DatapathConfig withUpcallQueueBytes(int bytes) {
        return new DatapathConfig(host, workers, underlay, tunnelPort, flowCapacity, bytes, clock, namespace);
    }

    public DatapathConfig withClock(NanoClock nanoClock) {
        return new DatapathConfig(
                host, workers, underlay, tunnelPort, flowCapacity, upcallQueueBytes, nanoClock, namespace);
    }

    public DatapathConfig withNamespace(String name) {
        return new DatapathConfig(host, workers, underlay, tunnelPort, flowCapacity, upcallQueueBytes, clock, name);
    }
}
