package dev.weft.agent;

import dev.weft.base.IpAddress;
import java.net.NetworkInterface;
import java.net.SocketException;

/** The longest frame that fits the tunnel of a host. */
final class TunnelMtu {
    /** Outer IPv4 20, UDP 8, VXLAN 8; the inner Ethernet header is part of the frame. */
    private static final int OVERHEAD_V4 = 36;

    private static final int OVERHEAD_V6 = 56;
    private static final int UNKNOWN = 0;

    private TunnelMtu() {}

    /**
     * @param underlay address of this host
     * @return octets, the inner Ethernet header included; 0 when no interface has the address
     */
    static int of(IpAddress underlay) {
        int mtu = ofUnderlay(underlay);
        return mtu == UNKNOWN ? UNKNOWN : Math.clamp(mtu - (underlay.isV4() ? OVERHEAD_V4 : OVERHEAD_V6), 0, 0xffff);
    }

    /** The MTU of the interface that has the address; 0 when there is none. */
    static int ofUnderlay(IpAddress underlay) {
        try {
            var device = NetworkInterface.getByInetAddress(underlay.toInetAddress());
            return device == null ? UNKNOWN : device.getMTU();
        } catch (SocketException e) {
            throw new AgentException(
                    "the MTU of the interface with underlay address " + underlay + " cannot be read", e);
        }
    }
}
