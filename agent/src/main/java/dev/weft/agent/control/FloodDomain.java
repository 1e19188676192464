package dev.weft.agent.control;

import dev.weft.sim.FloodVlans;
import dev.weft.topology.schema.Port;
import java.util.Arrays;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * What one flood key stands for.
 *
 * @param vlan whose frames come with the key, untagged; {@link FloodVlans#WITH_TAGS}: frames of all VLANs
 */
record FloodDomain(UUID bridge, int vlan) {
    /** Those in which a bridge port takes floods. */
    static Stream<FloodDomain> of(Port port) {
        UUID bridge = UUID.fromString(port.getBridgeId());
        return Arrays.stream(FloodVlans.of(port)).mapToObj(vlan -> new FloodDomain(bridge, vlan));
    }

    /** As the tunnel keys name it. */
    @Override
    public String toString() {
        return bridge + "/" + vlan;
    }
}
