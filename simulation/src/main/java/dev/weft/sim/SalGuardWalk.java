package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.guard.SalGuard;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;
import dev.weft.sim.packet.Translation;
import dev.weft.sim.packet.Vlan;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.sal.SalKey;
import java.lang.foreign.MemorySegment;

/**
 * What the simulation does for the guards of ports: finds the packets that a guard has to hear of or to judge, and writes
 * down the latter as they would leave. No flow comes of them. All else, data of Serval's connections and plain ACKs too,
 * goes its way as to any port.
 */
@HotPath
final class SalGuardWalk {
    private SalGuardWalk() {}

    /** The VM behind a guarded port sent the packet; before any device has rewritten it. */
    static void hears(Simulation sim) {
        if (mayBeSal(sim) && sim.useFragment() == FlowKey.NOT_FRAGMENT && SalGuard.isJudged(sim.useSalControl())) {
            sim.out.notCacheable();
            sim.out.sayToGuard();
        }
    }

    /** Whether the packet does not leave by the guarded port of its own; then it is the guard's, or dropped. */
    static boolean takes(Simulation sim, Port port) {
        if (!mayBeSal(sim)) {
            return false;
        }
        if (sim.useFragment() != FlowKey.NOT_FRAGMENT) {
            sim.drop(port, DropReason.SAL_FRAGMENT);
            return true;
        }
        if (isPlain(sim)) {
            return false;
        }
        sim.out.notCacheable();
        write(sim, port);
        return true;
    }

    /** As the packet is here: ports that it was given on the way count, too. */
    private static boolean mayBeSal(Simulation sim) {
        if (sim.useEtherType() != Ethernet.IPV4) {
            return false;
        }
        int protocol = sim.useProtocol();
        if (protocol != Ipv4.UDP) {
            return protocol == SalHeader.IP_PROTOCOL;
        }
        sim.useFragment();
        return SalKey.isEncapsulation(sim.useL4Src(), sim.useL4Dst());
    }

    /** Whether the key proves that it is no control packet, or a mere ACK. */
    private static boolean isPlain(Simulation sim) {
        FlowKey key = sim.packet.key;
        if (key.protocol() == Ipv4.UDP) {
            boolean readAsSal = SalKey.isEncapsulation(key.l4Src(), key.l4Dst());
            if (!readAsSal || sim.useSalFlow() == 0 && key.salControl() == 0) {
                return false;
            }
        }
        return !SalGuard.isJudged(sim.useSalControl());
    }

    private static void write(Simulation sim, Port port) {
        Packet packet = sim.packet;
        int octets = packet.l3End - packet.l3Offset;
        int mtu = sim.mtuAt(port);
        boolean fits = mtu == 0 || octets <= mtu;
        if (!fits || Ethernet.LENGTH + octets > Outcome.MAX_EMIT_LENGTH - Vlan.LENGTH) {
            sim.drop(port, DropReason.TOO_LONG);
            return;
        }
        if (!sim.out.hasEmitRoom()) {
            sim.drop(port, DropReason.TOO_MANY_OUTPUTS);
            return;
        }
        var out = sim.out.emitBuffer();
        long at = sim.out.nextEmit();
        long l3 = at + Ethernet.LENGTH;
        int length = Ethernet.LENGTH + octets;
        Ethernet.write(out, at, sim.dstMac(), sim.srcMac(), Ethernet.IPV4);
        MemorySegment.copy(packet.segment, packet.offset + packet.l3Offset, out, l3, octets);
        if (sim.ttl() != packet.ttl) {
            Ipv4.setTtl(out, l3, sim.ttl());
        }
        Translation.apply(out, l3, at + length, true, sim.headers);
        int tci = sim.vlanTci & ~FlowKey.VLAN_PRESENT;
        sim.toSalGuard(port, sim.isTagged() ? PacketWriter.tag(out, at, length, tci) : length);
    }
}
