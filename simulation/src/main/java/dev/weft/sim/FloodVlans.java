package dev.weft.sim;

import dev.weft.topology.schema.Port;

/** By which flood keys a host takes floods for one of its bridge ports. */
public final class FloodVlans {
    /** The key by which frames of all VLANs come, with the tags they have. */
    public static final int WITH_TAGS = 0;

    private FloodVlans() {}

    /** The VLANs of the keys: that in which the port's frames are untagged, and {@link #WITH_TAGS} where others are. */
    public static int[] of(Port port) {
        if (port.getVlan() != 0) {
            return new int[] {port.getVlan()};
        }
        return port.getNativeVlan() == 0 ? new int[] {WITH_TAGS} : new int[] {WITH_TAGS, port.getNativeVlan()};
    }
}
