package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.ServiceId;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.IcmpError;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Vlan;
import dev.weft.sim.sal.SalControl;
import dev.weft.sim.sal.SalForward;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.sal.SalKey;
import dev.weft.sim.sal.SalRegistration;
import dev.weft.sim.sal.SalService;
import dev.weft.sim.service.ServiceEntry;
import dev.weft.sim.service.ServiceSlot;
import dev.weft.sim.service.ServiceTable;
import dev.weft.sim.service.ServiceTarget;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What routers and bridges do with a packet that names a service: the first of a connection, or an unconnected datagram.
 * It is taken in, and goes on as another packet that comes in by the same port, so that routes, chains and connections see
 * where it goes now. No flow comes of it; the packets after it name no service any more and go by their addresses.
 */
@HotPath
final class ServiceWalk {
    private ServiceWalk() {}

    /** An IPv4 packet to one of the router's addresses. */
    static boolean isForRouter(Simulation sim, Router router) {
        return router.serviceTable != CompiledServices.NONE
                && sim.packet.sal.isForService()
                && sim.headers.rewritten == 0;
    }

    /** Needs {@link #isForRouter}. */
    static void atRouter(Simulation sim, Router router, Port in) {
        sim.out.notCacheable();
        if (SalForward.hasPassed(sim.packet)) {
            sim.drop(router, DropReason.SERVICE_LOOP);
            return;
        }
        if (registers(sim, router, router.serviceTable)) {
            return;
        }
        ServiceEntry entry = resolve(sim, router, router.serviceTable);
        if (entry == null) {
            return;
        }
        if (sim.ttl() <= 1) {
            sim.drop(router, DropReason.TTL_EXPIRED);
            sim.icmpError(in, IcmpError.TIME_EXCEEDED);
            return;
        }
        if (!entry.isToAll()) {
            send(sim, router, in, choose(sim, entry), in.mac);
            return;
        }
        for (int i = 0; i < entry.top() && sim.out.hasEmitRoom(); i++) {
            send(sim, router, in, entry.rule(i), in.mac);
        }
    }

    /**
     * Whether a frame to all looks for a service: then it goes to the instances that the table knows, and to nobody else.
     * A bridge with a table looks at every IPv4 packet to all; those of SAL become no flow.
     */
    static boolean isDiscovery(Simulation sim, Bridge bridge, Port in, BridgeVlan known) {
        if (!useMayBeSal(sim)) {
            return false;
        }
        sim.out.notCacheable();
        if (!sim.packet.sal.isForService() || sim.headers.rewritten != 0) {
            return false;
        }
        if (registers(sim, bridge, bridge.serviceTable)) {
            return true;
        }
        ServiceEntry entry = resolve(sim, bridge, bridge.serviceTable);
        if (entry != null) {
            discover(sim, bridge, in, known, entry);
        }
        return true;
    }

    private static void discover(Simulation sim, Bridge bridge, Port in, BridgeVlan known, ServiceEntry entry) {
        boolean reached = false;
        for (int i = 0; i < entry.top() && sim.out.hasEmitRoom(); i++) {
            ServiceSlot slot = entry.rule(i);
            ServiceTarget target = slot.rule().target();
            long mac = known.known.get(0, mapped(target.address()));
            boolean goesOn =
                    target.action() == ServiceTarget.Action.FORWARD || target.action() == ServiceTarget.Action.DEMUX;
            if (!goesOn) {
                send(sim, bridge, in, slot, 0);
                return;
            }
            if (mac != FrozenMap.NONE && mac != sim.srcMac()) {
                reached = true;
                sim.out.resolved(slot);
                readdress(sim, bridge, in, slot, mac, sim.ttl());
            } else if (sim.isExplaining()) {
                sim.explain(bridge, target + ": no port of the bridge has that address");
            }
        }
        if (!reached) {
            sim.drop(bridge, DropReason.NO_INSTANCE);
        }
    }

    /** A host says that it serves something, or no longer. Then there is nothing to resolve, and nobody is answered. */
    private static boolean registers(Simulation sim, Device device, int index) {
        CompiledServices.Table table = sim.network.services.table(index);
        Packet packet = sim.packet;
        MemorySegment segment = packet.segment;
        long named = packet.offset + packet.sal.service;
        if (table == null
                || packet.sal.control != 0
                || !table.isRegistrar(
                        SalService.word(segment, named, 0),
                        SalService.word(segment, named, 1),
                        SalService.word(segment, named, 2),
                        SalService.word(segment, named, 3))) {
            return false;
        }
        int found = SalRegistration.find(packet);
        Port from = sim.ingressPort();
        if (found == 0 || from == null) {
            sim.drop(device, DropReason.BAD_REGISTRATION);
            return true;
        }
        long at = packet.offset + found;
        sim.out.instance(
                SalRegistration.isUnregister(segment, at),
                SalRegistration.bits(segment, at),
                (int) sim.srcLow(),
                SalRegistration.word(segment, at, 0),
                SalRegistration.word(segment, at, 1),
                SalRegistration.word(segment, at, 2),
                SalRegistration.word(segment, at, 3));
        sim.consume(device, SalRegistration.isUnregister(segment, at) ? "unregisters" : "registers");
        return true;
    }

    private static boolean useMayBeSal(Simulation sim) {
        if (sim.useEtherType() != Ethernet.IPV4) {
            return false;
        }
        int protocol = sim.useProtocol();
        if (protocol == SalHeader.IP_PROTOCOL) {
            return sim.useFragment() == FlowKey.NOT_FRAGMENT;
        }
        if (protocol != Ipv4.UDP || sim.useFragment() != FlowKey.NOT_FRAGMENT) {
            return false;
        }
        return SalKey.isEncapsulation(sim.useL4Src(), sim.useL4Dst());
    }

    /** The entry for the packet's service; null, and the packet dropped, when there is none. */
    private static @Nullable ServiceEntry resolve(Simulation sim, Device device, int index) {
        Packet packet = sim.packet;
        long at = packet.offset + packet.sal.service;
        long w0 = SalService.word(packet.segment, at, 0);
        long w1 = SalService.word(packet.segment, at, 1);
        long w2 = SalService.word(packet.segment, at, 2);
        long w3 = SalService.word(packet.segment, at, 3);
        ServiceEntry entry = find(sim, device, index, w0, w1, w2, w3);
        if (entry == null) {
            sim.drop(device, DropReason.NO_SERVICE);
        }
        return entry;
    }

    /** The entry of a table for a service, given as its four words; null when there is none. */
    static @Nullable ServiceEntry find(Simulation sim, Device device, int index, long w0, long w1, long w2, long w3) {
        ServiceTable table = sim.tables.services().table(index);
        sim.out.service(index, w0, w1, w2, w3);
        ServiceEntry entry = table == null ? null : table.find(w0, w1, w2, w3);
        if (sim.isExplaining()) {
            sim.explain(
                    device,
                    "service " + new ServiceId(w0, w1, w2, w3) + " "
                            + (entry == null
                                    ? "has no entry"
                                    : "has entry " + entry.prefix() + ": " + entry.top() + " of " + entry.rules()
                                            + (entry.rules() == 1 ? " rule counts" : " rules count")
                                            + (entry.isToAll() ? ", all of them" : "")));
        }
        return entry;
    }

    /** As the packets of this connection before it, or else by weight. */
    private static ServiceSlot choose(Simulation sim, ServiceEntry entry) {
        long connection = connection(sim);
        sim.out.serviceConnection(connection);
        ServiceTarget before = sim.tables.services().choices().find(connection, sim.nowNanos);
        ServiceSlot again = before == null ? null : entry.topWith(before);
        return again != null ? again : entry.choose(connection >>> 1); // the last bit is always set
    }

    /** Client, its flow, the number it begins with and its nonce, the service, and who chooses; never 0. */
    private static long connection(Simulation sim) {
        Packet packet = sim.packet;
        long hash = Hashing.combine(sim.srcLow(), packet.sal.srcFlow);
        hash = Hashing.combine(hash, packet.key.serviceDigest());
        if (packet.sal.control != 0) {
            long at = packet.offset + packet.sal.control;
            hash = Hashing.combine(hash, SalControl.verno(packet.segment, at));
            hash = Hashing.combine(hash, SalControl.nonce(packet.segment, at));
        }
        return Hashing.combine(hash, sim.out.serviceTable()) | 1;
    }

    private static void send(Simulation sim, Device device, Port in, ServiceSlot slot, long dstMac) {
        ServiceTarget target = slot.rule().target();
        apply(sim, device, slot);
        switch (target.action()) {
            case FORWARD -> forward(sim, device, in, slot, dstMac);
            // The router that it comes in to once more counts the hop.
            case DEMUX -> readdress(sim, device, in, slot, dstMac, sim.ttl());
            case DELAY -> {
                sim.out.parkOnService();
                sim.explain(device, "waits for another rule");
            }
            case DROP -> sim.drop(device, DropReason.SERVICE_DROPPED);
        }
    }

    /** Says that a rule holds for the packet. */
    static void apply(Simulation sim, Device device, ServiceSlot slot) {
        if (sim.isExplaining()) {
            sim.explain(
                    device,
                    "rule: " + slot.rule().target() + " (priority "
                            + slot.rule().priority() + ", weight " + slot.rule().weight() + ")");
        }
        sim.out.resolved(slot);
    }

    private static void forward(Simulation sim, Device device, Port in, ServiceSlot slot, long dstMac) {
        if (!SalForward.hasRoom(sim.packet)) {
            sim.drop(device, DropReason.SOURCE_FULL);
            return;
        }
        if (fits(sim, device, SalForward.forwardedLength(sim.packet))) {
            int address = slot.rule().target().address();
            int length = SalForward.forward(
                    sim.out.emitBuffer(), sim.out.nextEmit(), sim.packet, sim.srcMac(), dstMac, address, sim.ttl());
            sim.goesOn(device, in, length, address);
        }
    }

    private static void readdress(Simulation sim, Device device, Port in, ServiceSlot slot, long dstMac, int ttl) {
        if (fits(sim, device, SalForward.readdressedLength(sim.packet))) {
            int address = slot.rule().target().address();
            int length = SalForward.readdress(
                    sim.out.emitBuffer(), sim.out.nextEmit(), sim.packet, sim.srcMac(), dstMac, address, ttl);
            sim.goesOn(device, in, length, address);
        }
    }

    private static boolean fits(Simulation sim, Device device, int length) {
        if (length > Outcome.MAX_EMIT_LENGTH - Vlan.LENGTH) {
            sim.drop(device, DropReason.TOO_LONG);
            return false;
        }
        return sim.out.hasEmitRoom();
    }

    private static long mapped(int address) {
        return IpAddress.V4_MARK | address & 0xffff_ffffL;
    }
}
