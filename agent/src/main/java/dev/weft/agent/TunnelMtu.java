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
        try {
            var device = NetworkInterface.getByInetAddress(underlay.toInetAddress());
            if (device == null) {
                return UNKNOWN;
            }
            return Math.clamp(device.getMTU() - (underlay.isV4() ? OVERHEAD_V4 : OVERHEAD_V6), 0, 0xffff);
        } catch (SocketException e) {
            throw new AgentException(
                    "the MTU of the interface with underlay address " + underlay + " cannot be read", e);
        }
    }
}
