package dev.weft.sim;

import dev.weft.base.HotPath;
import org.jspecify.annotations.Nullable;

/** What a bridge knows in one VLAN without learning. Immutable. */
@HotPath
final class BridgeVlan {
    /** The VLAN of untagged frames where nobody gave them one. */
    static final int UNTAGGED = 0;

    static final BridgeVlan EMPTY = new BridgeVlan(UNTAGGED, FrozenMap.EMPTY, FrozenMap.EMPTY, FrozenMap.EMPTY, null);

    final int id;
    /** MAC of a joined router port, or of a VM behind a port with security: to our port towards it. */
    final FrozenMap fixedMacs;
    /** Address of a joined router port, to our port towards it. */
    final FrozenMap routerAddresses;
    /** Address of a router port, VM or seeded neighbour, to its MAC. */
    final FrozenMap known;

    final @Nullable DhcpServer dhcp;

    BridgeVlan(int id, FrozenMap fixedMacs, FrozenMap routerAddresses, FrozenMap known, @Nullable DhcpServer dhcp) {
        this.id = id;
        this.fixedMacs = fixedMacs;
        this.routerAddresses = routerAddresses;
        this.known = known;
        this.dhcp = dhcp;
    }
}
