package dev.weft.datapath.userspace;

import dev.weft.datapath.DatapathConfig;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.Feature;
import dev.weft.datapath.PortSpec;
import dev.weft.datapath.link.Link;
import dev.weft.datapath.link.LinkException;
import dev.weft.datapath.link.Links;
import dev.weft.datapath.link.NetworkNamespace;
import dev.weft.datapath.soft.FrameDrop;
import dev.weft.datapath.soft.SoftDatapath;
import dev.weft.datapath.soft.SoftPort;
import dev.weft.datapath.soft.SoftPort.SendResult;
import java.lang.foreign.MemorySegment;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.PcapHandle.PcapDirection;
import org.pcap4j.core.PcapNativeException;
import org.pcap4j.core.PcapNetworkInterface.PromiscuousMode;
import org.pcap4j.core.Pcaps;

/**
 * Frames captured by libpcap, tunnelled by Netty. The interface of a port is the host's end of a pair whose other end
 * the VM has; while it is attached the host's own stack sees nothing of what the VM sends ({@link StackGuard}).
 */
public final class UserspaceDatapath extends SoftDatapath {
    private static final String KIND = "userspace";

    /** A super-packet of 64 KB is captured whole. */
    private static final int SNAPSHOT_BYTES = MAX_FRAME;

    /** In immediate mode each frame takes a slot of the snapshot's size: some 250 of them. */
    private static final int RING_BYTES = 16 << 20;

    private static final int READ_TIMEOUT_MILLIS = 100;

    /** Outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14. */
    private static final int OVERHEAD_V4 = 50;

    private static final int OVERHEAD_V6 = 70;

    private final StackGuard guard = new StackGuard();
    private final VxlanSocket socket;
    private final int tunnelMtu;

    public UserspaceDatapath(DatapathConfig config) {
        super(config);
        tunnelMtu = underlayMtu(config) - (config.underlay().isV4() ? OVERHEAD_V4 : OVERHEAD_V6);
        socket = new VxlanSocket(config, this::datagram, () -> count(FrameDrop.TUNNEL_FAILED));
    }

    /** What it needs of the machine. */
    public static List<Feature> features() {
        try {
            return List.of(new Feature(KIND, "libpcap", true, Pcaps.libVersion()));
        } catch (LinkageError missing) {
            return List.of(new Feature(
                    KIND,
                    "libpcap",
                    false,
                    "it cannot be loaded (" + missing.getMessage()
                            + "); install it (Debian: apt-get install libpcap0.8)"));
        }
    }

    private static int underlayMtu(DatapathConfig config) {
        try {
            var device = NetworkInterface.getByInetAddress(config.underlay().toInetAddress());
            // An address of 127/8 need not stand on any interface to be ours.
            return device == null ? MAX_FRAME : device.getMTU();
        } catch (SocketException unreadable) {
            throw new DatapathException(
                    "the MTU of the interface with underlay address " + config.underlay() + " cannot be read",
                    unreadable);
        }
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    protected SoftPort open(int number, PortSpec spec) {
        NetworkNamespace namespace = NetworkNamespace.parse(spec.namespace());
        Link link = find(namespace, spec);
        PcapHandle handle;
        try {
            handle = namespace.call(() -> capture(spec.interfaceName()));
        } catch (PcapNativeException refused) {
            throw new DatapathException(
                    "interface " + spec.interfaceName() + " in " + namespace + " cannot be captured: "
                            + refused.getMessage() + "; it must exist and be up, and the agent needs CAP_NET_RAW",
                    refused);
        }
        try {
            int guarded = guard.guard(namespace, spec.interfaceName(), link.ifindex());
            return new CapturePort(this, number, spec, handle, guarded, link.mtu(), tunnelMtu);
        } catch (LinkException gone) {
            handle.close();
            throw new DatapathException(
                    "interface " + spec.interfaceName() + " went away while it was attached: " + gone.getMessage(),
                    gone);
        }
    }

    private static Link find(NetworkNamespace namespace, PortSpec spec) {
        try (var links = Links.in(namespace)) {
            return links.find(spec.interfaceName())
                    .orElseThrow(() -> new DatapathException("interface " + spec.interfaceName() + " is not in "
                            + namespace + "; create it first, or correct the binding"));
        } catch (LinkException unreachable) {
            throw new DatapathException(
                    "interface " + spec.interfaceName() + " cannot be looked up: " + unreachable.getMessage(),
                    unreachable);
        }
    }

    private static PcapHandle capture(String interfaceName) throws PcapNativeException {
        return new PcapHandle.Builder(interfaceName)
                .snaplen(SNAPSHOT_BYTES)
                .bufferSize(RING_BYTES)
                .promiscuousMode(PromiscuousMode.PROMISCUOUS)
                .immediateMode(true)
                .timeoutMillis(READ_TIMEOUT_MILLIS)
                // What we inject leaves by the interface and must not come back as a frame of the VM.
                .direction(PcapDirection.IN)
                .build();
    }

    void captured(CapturePort port, MemorySegment segment, long offset, int length) {
        receive(port, segment, offset, length);
    }

    /** The host's own stack is kept out. */
    boolean isGuarded() {
        return guard.isAvailable();
    }

    void release(int guarded) {
        guard.release(guarded);
    }

    void vanished(CapturePort port) {
        lost(port);
    }

    private void datagram(long sourceHigh, long sourceLow, MemorySegment datagram, int length) {
        int vni = VxlanHeader.vni(datagram, 0, length);
        if (vni == VxlanHeader.BAD) {
            count(FrameDrop.BAD_TUNNEL_HEADER);
        } else {
            receiveTunnel(sourceHigh, sourceLow, vni, datagram, VxlanHeader.LENGTH, length - VxlanHeader.LENGTH);
        }
    }

    @Override
    protected SendResult sendTunnel(
            long remoteHigh, long remoteLow, int key, MemorySegment segment, long offset, int length) {
        return socket.send(remoteHigh, remoteLow, key, segment, offset, length);
    }

    @Override
    protected void closeUnderlay() {
        socket.close();
        guard.close();
    }
}
