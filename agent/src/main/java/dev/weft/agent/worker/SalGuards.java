package dev.weft.agent.worker;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.DropReason;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.guard.SalGuard;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.state.SalFlow;
import dev.weft.state.SalJournal;
import dev.weft.state.StateMessage;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.agrona.collections.Long2LongHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Brings Serval's control packets to the guard of a guarded port: to the host where the port is, and there to the one
 * worker that has its guard. What the guard lets in leaves by the port. Not thread safe: touched only by its worker
 * thread.
 */
@HotPath
final class SalGuards implements SalGuard.Keeper {
    private static final int ANY_LENGTH = 0;

    // Immutable after construction.
    private final SalGuard guard;
    private final WorkerPort seat;
    private final Tables tables;
    private final Simulator simulator;
    private final StateChannel channel;
    private final Siblings siblings;
    private final WorkerCounters counters;
    // Owned by the worker thread.
    private final Long2LongHashMap portsHere = new Long2LongHashMap(Tables.NONE); // hash of the id -> port
    private final Packet packet = new Packet();
    private final ActionList actions = new ActionList();
    private final Map<UUID, List<SalFlow>> left = new HashMap<>(); // by earlier guards, of ports that are not here yet
    private @Nullable SalJournal journal;

    SalGuards(
            SalGuard guard,
            WorkerPort seat,
            Tables tables,
            Simulator simulator,
            StateChannel channel,
            Siblings siblings,
            WorkerCounters counters) {
        this.guard = guard;
        this.seat = seat;
        this.tables = tables;
        this.simulator = simulator;
        this.channel = channel;
        this.siblings = siblings;
        this.counters = counters;
    }

    /** What is known from now on outlives the agent. Before the first packet. */
    void keepIn(SalJournal file) {
        journal = file;
        guard.keepBy(this);
    }

    /** An earlier guard knew this. */
    void restore(SalFlow flow) {
        left.computeIfAbsent(new UUID(flow.portHigh(), flow.portLow()), port -> new ArrayList<>())
                .add(flow);
    }

    /** A port is at this host. */
    void placed(int port, long nowNanos) {
        if (simulator.network().hasPort(port)) {
            UUID id = simulator.network().portId(port);
            portsHere.put(hash(id), port);
            List<SalFlow> known = left.remove(id);
            if (known != null) {
                known.forEach(flow -> guard.restore(port, flow, nowNanos));
            }
        }
    }

    @Override
    public void keep(int slot, int port, int flow, int peerFlow, int verno, int bits, long ownNonce, long peerNonce) {
        SalJournal to = journal;
        if (to != null && simulator.network().hasPort(port)) {
            UUID id = simulator.network().portId(port);
            to.write(
                    slot,
                    id.getMostSignificantBits(),
                    id.getLeastSignificantBits(),
                    flow,
                    peerFlow,
                    verno,
                    bits,
                    ownNonce,
                    peerNonce);
        }
    }

    @Override
    public void erase(int slot) {
        SalJournal from = journal;
        if (from != null) {
            from.erase(slot);
        }
    }

    /** A port is no longer at this host: what its guard knew is of no use. */
    void gone(int port) {
        portsHere.values().removeIf(value -> value == port);
        guard.forget(port);
    }

    /** The VM behind a guarded port sent the packet. */
    void said(int port, Packet from, long nowNanos) {
        UUID id = simulator.network().portId(port);
        int home = home(id);
        if (siblings.isHome(home)) {
            guard.said(port, from, nowNanos);
        } else if (from.length <= StateMessage.MAX_PACKET_LENGTH) {
            int length = channel.writeGuarded(id, true, from.segment, from.offset, from.length);
            siblings.handState(home, channel.frame(), 0, length);
        }
    }

    /** The packet would leave by a guarded port, wherever that is. */
    void take(int port, MemorySegment segment, long offset, int length, long nowNanos) {
        UUID id = simulator.network().portId(port);
        int home = home(id);
        boolean here = tables.localPort(port) != Tables.NONE;
        if (here && siblings.isHome(home)) {
            judge(port, segment, offset, length, nowNanos);
        } else if (here) {
            siblings.handState(home, channel.frame(), 0, channel.writeGuarded(id, false, segment, offset, length));
        } else if (tables.remoteKey(port) != Tables.NONE) {
            int whole = channel.writeGuarded(id, false, segment, offset, length);
            if (fitsTunnel(whole)) {
                channel.send(tables.remoteHigh(port), tables.remoteLow(port), whole);
            } else {
                counters.drop(DropReason.TOO_LONG);
            }
        } else {
            counters.drop(DropReason.NOT_LOCATED);
        }
    }

    private boolean fitsTunnel(int length) {
        return simulator.tunnelMtu() == 0 || length <= simulator.tunnelMtu();
    }

    /** A sibling or another host has such a packet. */
    void received(MemorySegment segment, long offset, long nowNanos) {
        long high = StateMessage.guardedPortHigh(segment, offset);
        long low = StateMessage.guardedPortLow(segment, offset);
        int port = (int) portsHere.get(Hashing.combine(high, low));
        if (port == Tables.NONE) {
            counters.drop(DropReason.NOT_LOCATED);
            return;
        }
        long at = offset + StateMessage.PACKET_AT;
        int length = StateMessage.packetLength(segment, offset);
        if (!StateMessage.isSaid(segment, offset)) {
            judge(port, segment, at, length, nowNanos);
        } else if (parses(segment, at, length)) {
            guard.said(port, packet, nowNanos);
        }
    }

    private void judge(int port, MemorySegment segment, long offset, int length, long nowNanos) {
        if (!parses(segment, offset, length)) {
            return;
        }
        DropReason refusal = guard.judge(port, packet, nowNanos);
        int datapathPort = tables.localPort(port);
        if (refusal != null || datapathPort == Tables.NONE) {
            counters.drop(refusal == null ? DropReason.NOT_LOCATED : refusal);
            return;
        }
        counters.count(WorkerCounter.SAL_LET_IN);
        actions.clear();
        actions.output(datapathPort, ANY_LENGTH);
        seat.execute(segment, offset, length, PacketPath.EMITTED, actions);
    }

    private boolean parses(MemorySegment segment, long offset, int length) {
        packet.wrap(segment, offset, length);
        boolean sound = PacketParser.parse(packet) == Malformed.OK && packet.key.etherType() == Ethernet.IPV4;
        if (!sound) {
            counters.drop(WorkerDrop.MALFORMED);
        }
        return sound;
    }

    int flows() {
        return guard.size();
    }

    long evicted() {
        return guard.evicted();
    }

    private static int home(UUID port) {
        return StateMessage.homeOfPort(port.getMostSignificantBits(), port.getLeastSignificantBits());
    }

    private static long hash(UUID port) {
        return Hashing.combine(port.getMostSignificantBits(), port.getLeastSignificantBits());
    }
}
