package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Ipv4;

/** Gives the packet of a simulation another end: address, and port of TCP and UDP or id of an ICMP echo. */
@HotPath
final class NatRewrite {
    private NatRewrite() {}

    static void src(Simulation sim, long high, long low, int port, boolean v4) {
        if (high != sim.srcHigh() || low != sim.srcLow()) {
            sim.rewriteSrc(high, low);
        }
        if (!hasPorts(sim)) {
            id(sim, port, v4);
        } else if (port != sim.headers.l4Src) {
            sim.rewriteL4Src(port);
        }
    }

    static void dst(Simulation sim, long high, long low, int port, boolean v4) {
        if (high != sim.dstHigh() || low != sim.dstLow()) {
            sim.rewriteDst(high, low);
        }
        if (!hasPorts(sim)) {
            id(sim, port, v4);
        } else if (port != sim.headers.l4Dst) {
            sim.rewriteL4Dst(port);
        }
    }

    private static boolean hasPorts(Simulation sim) {
        int protocol = sim.packet.key.protocol();
        return protocol == Ipv4.TCP || protocol == Ipv4.UDP;
    }

    private static void id(Simulation sim, int id, boolean v4) {
        boolean echo = Tracking.isIcmp(sim.packet.key.protocol(), v4) && Tracking.isEcho(sim.packet.key.l4Src(), v4);
        if (echo && id != sim.headers.icmpId) {
            sim.rewriteIcmpId(id);
        }
    }
}
