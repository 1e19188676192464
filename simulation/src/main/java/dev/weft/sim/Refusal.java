package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.MacAddress;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.TcpReset;

/**
 * The answer to a packet that a rule rejects: a reset for TCP, ICMP "administratively prohibited" for all else.
 *
 * <p>From the last router that the packet came to, on its own account; where there was none, to the sender directly and
 * in the name of whom it was meant for. Groups and strangers get none, nor do copies of a flood that another host sent.
 */
@HotPath
final class Refusal {
    private Refusal() {}

    /** @param inPort by which the packet came into the device that refuses it */
    static void answer(Simulation sim, int inPort) {
        sim.noteDrop(DropReason.REFUSED);
        sim.out.notCacheable();
        Port router = sim.routerIn;
        long toMac = sim.routerInSrcMac;
        Port in = sim.network.port(inPort);
        if (in != null && !in.onBridge) {
            if (in != router) {
                toMac = sim.srcMac();
            }
            router = in;
        }
        boolean tcp = sim.packet.key.protocol() == Ipv4.TCP;
        if (tcp && !TcpReset.mayAnswer(sim.packet)) {
            return;
        }
        if (router != null && tcp) {
            reset(sim, router, toMac);
        } else if (router != null) {
            sim.icmpError(router, toMac, IcmpError.ADMIN_PROHIBITED, 0);
        } else {
            direct(sim, tcp);
        }
    }

    private static void reset(Simulation sim, Port out, long toMac) {
        if (sim.out.hasEmitRoom()) {
            sim.leaveAt(sim.network.device(out)); // a stateful port lets in what answers
            int length = TcpReset.write(sim.out.emitBuffer(), sim.out.nextEmit(), sim.packet, out.mac, toMac);
            sim.translateAnswer(length);
            sim.emitted(out, length, "TCP reset", "");
        }
    }

    private static void direct(Simulation sim, boolean tcp) {
        Port ingress = sim.ingressPort();
        if (ingress == null || !sim.out.hasEmitRoom() || MacAddress.isGroup(sim.dstMac())) {
            return;
        }
        if (tcp) {
            int length =
                    TcpReset.write(sim.out.emitBuffer(), sim.out.nextEmit(), sim.packet, sim.dstMac(), sim.srcMac());
            sim.emitted(ingress, sim.tagged(length), "TCP reset", "");
        } else {
            sim.icmpErrorInNameOfTarget(ingress, IcmpError.ADMIN_PROHIBITED, 0);
        }
    }
}
