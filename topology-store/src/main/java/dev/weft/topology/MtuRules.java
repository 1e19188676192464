package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.base.IpAddress;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import org.jspecify.annotations.Nullable;

/** What MTUs may be, each for itself and against the underlay. */
public final class MtuRules {
    /** Ethernet 14, IPv4 20, UDP 8, VXLAN 8: what a tunnel packet is longer than the packet in it. */
    private static final int OVERHEAD_V4 = 50;

    private static final int OVERHEAD_V6 = 70;
    private static final int MIN = 576;
    /** Every link that carries IPv6 takes so much (RFC 8200 §5). */
    private static final int MIN_V6 = 1280;

    private static final int MAX = 65_535;

    private final Draft draft;
    private final Rules.Report report;

    MtuRules(Draft draft, Rules.Report report) {
        this.draft = draft;
        this.report = report;
    }

    /** The longest packet of VMs that the tunnels of a host take; 0: unknown. */
    public static int insideTunnel(Host host) {
        int overhead = IpAddress.parse(host.getUnderlay()).isV4() ? OVERHEAD_V4 : OVERHEAD_V6;
        return Math.max(0, host.getMtu() - overhead);
    }

    void checkPort(ObjectRef ref, Port port) {
        int mtu = port.getMtu();
        if (mtu == 0) {
            return;
        }
        boolean interior = !port.getBridgeId().isEmpty() && !port.getPeerId().isEmpty();
        boolean v6 = port.getAddressesList().stream()
                .anyMatch(text -> !InterfaceAddress.parse(text).address().isV4());
        int min = v6 ? MIN_V6 : MIN;
        if (interior) {
            report.of(
                    port,
                    "mtu",
                    Integer.toUnsignedString(mtu),
                    "only router ports and ports with a host and interface have an MTU; remove it");
        } else if (mtu < min || mtu > MAX) {
            report.of(
                    port,
                    "mtu",
                    Integer.toUnsignedString(mtu),
                    "expected " + min + ".." + MAX + (v6 ? " where there is IPv6" : "") + ", or 0 for no limit");
        } else if (draft.isTouched(ref)) {
            checkUnderlay(port, "mtu", mtu);
        }
    }

    void checkBridge(ObjectRef ref, Bridge bridge) {
        for (int i = 0; i < bridge.getDhcpCount() && draft.isTouched(ref); i++) {
            int mtu = bridge.getDhcp(i).getMtu();
            if (mtu >= MIN && mtu <= MAX) {
                checkUnderlay(bridge, "dhcp[" + i + "].mtu", mtu);
            }
        }
    }

    /** Who writes it now hears of it; a host that comes later with less is not refused for it. */
    private void checkUnderlay(Message object, String field, int mtu) {
        var least = new Least();
        draft.forEach(Schema.kindOf(Host.class), (ref, message) -> least.consider((Host) message));
        Host host = least.host;
        if (host != null && mtu > insideTunnel(host)) {
            report.of(
                    object,
                    field,
                    Integer.toString(mtu),
                    "expected at most " + insideTunnel(host) + ": the underlay of host '" + host.getName() + "' takes "
                            + host.getMtu() + ", the tunnel needs the rest; lower it, or raise the underlay's MTU");
        }
    }

    /** The host whose tunnels take least, of those that say so. */
    private static final class Least {
        private @Nullable Host host;

        void consider(Host other) {
            if (other.getMtu() != 0 && (host == null || insideTunnel(other) < insideTunnel(host))) {
                host = other;
            }
        }
    }
}
