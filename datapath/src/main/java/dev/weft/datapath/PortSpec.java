package dev.weft.datapath;

import java.util.UUID;

/**
 * An interface to attach.
 *
 * @param id the virtual port it carries
 * @param interfaceName as the namespace knows it
 * @param namespace a name under /run/netns, an absolute path, or empty for the agent's own
 * @param upcallsPerSecond budget of misses this port may cause; more are dropped and counted
 * @param floodsPerSecond budget of frames of this port that flows send to a group address or to several ways out; more are
 *     dropped and counted
 */
public record PortSpec(UUID id, String interfaceName, String namespace, int upcallsPerSecond, int floodsPerSecond) {
    /** As many floods as it likes. */
    public PortSpec(UUID id, String interfaceName, String namespace, int upcallsPerSecond) {
        this(id, interfaceName, namespace, upcallsPerSecond, Integer.MAX_VALUE);
    }
}
