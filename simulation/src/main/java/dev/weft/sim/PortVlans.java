package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.topology.VlanRange;
import dev.weft.topology.schema.Port;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which VLANs a bridge port carries, and how their frames look there. Immutable.
 *
 * <pre>
 *              untagged frames are    tagged frames are
 * access port  in its VLAN            refused
 * trunk port   in its native VLAN,    in the VLAN of the tag, if it is on the list
 *              or refused
 * plain port   in VLAN 0              in the VLAN of the tag
 * </pre>
 *
 * VLAN 0 is that of untagged frames where nobody gave them one. A tag of VLAN 0 (a priority tag) is as none.
 */
@HotPath
final class PortVlans {
    /** What {@link #vlanOf} says of frames that the port refuses, and {@link #form} of VLANs that it does not carry. */
    static final int NONE = -1;

    // Forms of a frame at a port.
    static final int UNTAGGED = 0;
    static final int TAGGED = 1;

    private static final PortVlans PLAIN = new PortVlans(0, true, null);

    /** VLAN of untagged frames, or {@link #NONE}. */
    private final int untagged;

    private final boolean trunk;
    /** Bit set of those a trunk carries tagged; null: all. */
    private final long @Nullable [] tagged;

    private PortVlans(int untagged, boolean trunk, long @Nullable [] tagged) {
        this.untagged = untagged;
        this.trunk = trunk;
        this.tagged = tagged;
    }

    static PortVlans of(Port port) {
        if (port.getTrunkCount() > 0) {
            long[] bits = new long[VlanRange.MAX / Long.SIZE + 1];
            for (String text : port.getTrunkList()) {
                VlanRange range = VlanRange.parse(text);
                for (int vlan = range.first(); vlan <= range.last(); vlan++) {
                    bits[vlan >>> 6] |= 1L << vlan;
                }
            }
            return new PortVlans(port.getNativeVlan() == 0 ? NONE : port.getNativeVlan(), true, bits);
        }
        return port.getVlan() == 0 ? PLAIN : new PortVlans(port.getVlan(), false, null);
    }

    /** Whatever tag a frame has, it passes as it is. */
    boolean isPlain() {
        return this == PLAIN;
    }

    /** Of a frame that comes in with this VLAN id in its tag, 0 for none; or {@link #NONE}. */
    int vlanOf(int tag) {
        if (tag == 0) {
            return untagged;
        }
        return isTagged(tag) ? tag : NONE;
    }

    /** How frames of this VLAN leave: {@link #UNTAGGED}, {@link #TAGGED}, or {@link #NONE} when they do not. */
    int form(int vlan) {
        if (vlan == untagged) {
            return UNTAGGED;
        }
        return isTagged(vlan) ? TAGGED : NONE;
    }

    /** The VLAN of untagged frames, or {@link #NONE}. */
    int untagged() {
        return untagged;
    }

    /** It has a list of VLANs. */
    boolean isTrunk() {
        return tagged != null;
    }

    private boolean isTagged(int vlan) {
        return trunk && vlan != 0 && (tagged == null || (tagged[vlan >>> 6] & 1L << vlan) != 0);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PortVlans vlans
                && untagged == vlans.untagged
                && trunk == vlans.trunk
                && Arrays.equals(tagged, vlans.tagged);
    }

    @Override
    public int hashCode() {
        return untagged * 31 + Arrays.hashCode(tagged);
    }
}
