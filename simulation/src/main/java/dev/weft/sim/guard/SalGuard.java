package dev.weft.sim.guard;

import dev.weft.base.HotPath;
import dev.weft.sim.DropReason;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.sal.SalControl;
import dev.weft.sim.sal.SalHeader;
import dev.weft.sim.sal.SalKey;
import dev.weft.sim.sal.SalLayout;
import dev.weft.sim.sal.SalSource;
import dev.weft.state.SalFlow;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Which of Serval's control packets reach the VM of a guarded port.
 *
 * <pre>
 * SYN         always; its nonce is kept until the VM answers
 * SYN-ACK     the VM began the flow, and ackno is the number of its SYN and one: the first such names the peer
 * FIN, RSYN   both flow ids are of a connection of the VM, and the nonce is the peer's
 * RST         the same; or the nonce is the VM's own, as whoever knows no such connection echoes it
 * ACK alone   always: it ends nothing, and the VM judges it by number, when it opens a connection by nonce
 * </pre>
 *
 * <p>Addresses do not matter, since either end may move. A connection that was there before its guard is known by the
 * control packets that the VM sends; the peer's nonce then is that of the first one which has the right flow ids. Not
 * thread safe: one worker has the guard of a port, and all control packets of the port come to it.
 */
@HotPath
public final class SalGuard {
    /** Flows of all ports of one worker. */
    public static final int CAPACITY = 1 << 15;
    /** Connections of one port; and as many that clients began with it. */
    private static final int PER_PORT = 1 << 12;

    private static final int SYN_ACK = SalControl.SYN | SalControl.ACK;
    private static final int JUDGED = SalControl.SYN | SalControl.RST | SalControl.FIN | SalControl.RSYN;

    private static final SalFlows NO_FLOWS = new SalFlows(2, 1, 0, slot -> {});

    /** Keeps flows for a guard after this one. */
    public interface Keeper {
        /** Neither says anything to anybody. */
        Keeper NONE = new Keeper() {
            @Override
            public void keep(
                    int slot, int port, int flow, int peerFlow, int verno, int bits, long ownNonce, long peerNonce) {}

            @Override
            public void erase(int slot) {}
        };

        /** A flow of a port's VM is so now. Slots are those of {@link #CAPACITY}. */
        void keep(int slot, int port, int flow, int peerFlow, int verno, int bits, long ownNonce, long peerNonce);

        void erase(int slot);
    }

    private final int capacity;
    private final int perPort;
    private final long seed;
    private SalFlows flows = NO_FLOWS;
    private Keeper keeper = Keeper.NONE;

    /** @param seed of the hash; secret */
    public SalGuard(long seed) {
        this(CAPACITY, PER_PORT, seed);
    }

    SalGuard(int capacity, int perPort, long seed) {
        this.capacity = capacity;
        this.perPort = perPort;
        this.seed = seed;
    }

    /** Most hosts have no guarded port: the memory is taken with the first control packet of one. */
    private void begin() {
        if (flows == NO_FLOWS) {
            flows = new SalFlows(capacity, perPort, seed, keeper::erase);
        }
    }

    /** Before the first packet. */
    public void keepBy(Keeper other) {
        keeper = other;
    }

    /** As an earlier guard of the port knew it; what this one knows already stays. */
    public void restore(int port, SalFlow known, long nowNanos) {
        begin();
        if (flows.own(port, known.flow(), nowNanos) == SalFlows.NONE) {
            int slot = flows.openOwn(port, known.flow(), nowNanos);
            flows.setOwnNonce(slot, known.ownNonce());
            flows.setPeerNonce(slot, known.peerNonce());
            flows.setPeerFlow(slot, known.peerFlow());
            flows.setOwnVerno(slot, known.verno());
            flows.setBits(slot, known.bits());
            keep(slot);
        }
    }

    private void keep(int slot) {
        keeper.keep(
                slot,
                flows.port(slot),
                flows.flow(slot),
                flows.peerFlow(slot),
                flows.ownVerno(slot),
                flows.bits(slot),
                flows.ownNonce(slot),
                flows.peerNonce(slot));
    }

    /** The VM of this port sent this packet. */
    public void said(int port, Packet packet, long nowNanos) {
        begin();
        SalLayout sal = packet.sal;
        if (!sal.present || sal.control == 0) {
            return;
        }
        MemorySegment segment = packet.segment;
        long control = packet.offset + sal.control;
        long nonce = SalControl.nonce(segment, control);
        if (SalControl.opens(sal.flags)) {
            int slot = ownFlow(port, sal.srcFlow, nonce, nowNanos);
            flows.setOwnVerno(slot, SalControl.verno(segment, control));
            keep(slot);
        } else if ((sal.flags & SYN_ACK) == SYN_ACK) {
            answered(port, sal, nonce, Ipv4.dst(segment, packet.offset + packet.l3Offset), nowNanos);
        } else if (sal.dstFlow != 0) {
            wentOn(port, sal, nonce, nowNanos);
        }
    }

    /** The flow with this nonce; another nonce is another connection, whatever was known of its flow id. */
    private int ownFlow(int port, int flow, long nonce, long nowNanos) {
        int slot = flows.own(port, flow, nowNanos);
        if (slot != SalFlows.NONE && flows.has(slot, SalFlows.OWN_NONCE) && flows.ownNonce(slot) == nonce) {
            flows.touch(slot, nowNanos);
            return slot;
        }
        slot = flows.openOwn(port, flow, nowNanos);
        flows.setOwnNonce(slot, nonce);
        return slot;
    }

    private void answered(int port, SalLayout sal, long nonce, int client, long nowNanos) {
        int slot = ownFlow(port, sal.srcFlow, nonce, nowNanos);
        flows.setPeerFlow(slot, sal.dstFlow);
        int began = flows.client(port, sal.dstFlow, client, nowNanos);
        if (began != SalFlows.NONE) {
            flows.setPeerNonce(slot, flows.peerNonce(began));
        }
        keep(slot);
    }

    private void wentOn(int port, SalLayout sal, long nonce, long nowNanos) {
        boolean reset = (sal.flags & SalControl.RST) != 0;
        int slot = flows.own(port, sal.srcFlow, nowNanos);
        if (slot == SalFlows.NONE) {
            if (reset) {
                return; // about no connection, and the nonce is not the VM's
            }
            slot = flows.openOwn(port, sal.srcFlow, nowNanos);
            flows.setOwnNonce(slot, nonce);
            flows.setPeerFlow(slot, sal.dstFlow);
        }
        flows.touch(slot, nowNanos);
        if (reset) {
            flows.add(slot, SalFlows.RESET);
        } else if ((sal.flags & SalControl.FIN) != 0) {
            flows.add(slot, SalFlows.OWN_FIN);
        }
        keep(slot);
    }

    /** Whether a packet with this control word of its {@link dev.weft.sim.flow.FlowKey} is for a guard to judge. */
    public static boolean isJudged(int salControl) {
        return (salControl & (JUDGED | SalKey.OTHER_ORDER)) != 0;
    }

    /** Why this packet does not reach the VM of this port; null when it does. */
    public @Nullable DropReason judge(int port, Packet packet, long nowNanos) {
        begin();
        SalLayout sal = packet.sal;
        if (!sal.present) {
            return hidesControl(packet) ? DropReason.SAL_UNREADABLE : null;
        }
        if ((sal.flags & JUDGED) == 0) {
            return null;
        }
        MemorySegment segment = packet.segment;
        long control = packet.offset + sal.control;
        long nonce = SalControl.nonce(segment, control);
        if (SalControl.opens(sal.flags)) {
            int slot = flows.openClient(port, sal.srcFlow, client(packet), nowNanos);
            flows.setPeerNonce(slot, nonce);
            return null;
        }
        int slot = flows.own(port, sal.dstFlow, nowNanos);
        boolean fits = slot != SalFlows.NONE
                && switch (sal.flags & (SalControl.SYN | SalControl.RST)) {
                    case SalControl.SYN -> fitsAnswer(slot, sal, nonce, SalControl.ackno(segment, control));
                    case SalControl.RST -> fitsReset(slot, sal, nonce);
                    default -> fitsPeer(slot, sal, nonce);
                };
        if (!fits) {
            return refusal(sal.flags);
        }
        flows.touch(slot, nowNanos);
        if ((sal.flags & SalControl.RST) != 0) {
            flows.add(slot, SalFlows.RESET);
        } else if ((sal.flags & SalControl.FIN) != 0) {
            flows.add(slot, SalFlows.PEER_FIN);
        }
        keep(slot);
        return null;
    }

    /** Also of a second instance, whose answer the VM will ignore; what else it may ask for has to be the peer's. */
    private boolean fitsAnswer(int slot, SalLayout sal, long nonce, int ackno) {
        if (!flows.has(slot, SalFlows.OWN_VERNO) || ackno != flows.ownVerno(slot) + 1) {
            return false;
        }
        if (!flows.has(slot, SalFlows.PEER_FLOW)) {
            flows.setPeerFlow(slot, sal.srcFlow);
            flows.setPeerNonce(slot, nonce);
            return true;
        }
        boolean plain = (sal.flags & (SalControl.FIN | SalControl.RSYN)) == 0;
        return plain && flows.peerFlow(slot) != sal.srcFlow || fitsPeer(slot, sal, nonce);
    }

    private boolean fitsReset(int slot, SalLayout sal, long nonce) {
        boolean ofPeer = flows.has(slot, SalFlows.PEER_FLOW) && flows.peerFlow(slot) == sal.srcFlow;
        if (ofPeer && flows.has(slot, SalFlows.PEER_NONCE) && flows.peerNonce(slot) == nonce) {
            return true;
        }
        boolean echoed = flows.has(slot, SalFlows.OWN_NONCE) && flows.ownNonce(slot) == nonce;
        // Whom a SYN reached in vain has no flow of its own.
        return echoed && (ofPeer || !flows.has(slot, SalFlows.PEER_FLOW));
    }

    private boolean fitsPeer(int slot, SalLayout sal, long nonce) {
        if (!flows.has(slot, SalFlows.PEER_FLOW) || flows.peerFlow(slot) != sal.srcFlow) {
            return false;
        }
        if (!flows.has(slot, SalFlows.PEER_NONCE)) {
            flows.setPeerNonce(slot, nonce);
        }
        return flows.peerNonce(slot) == nonce;
    }

    /** Where the VM sends its answer: SOURCE begins with the client. */
    private static int client(Packet packet) {
        return packet.sal.source == 0
                ? Ipv4.src(packet.segment, packet.offset + packet.l3Offset)
                : SalSource.address(packet.segment, packet.offset + packet.sal.source, 0);
    }

    private static DropReason refusal(int flags) {
        if ((flags & SalControl.RST) != 0) {
            return DropReason.SAL_FORGED_RST;
        }
        if ((flags & SalControl.RSYN) != 0) {
            return DropReason.SAL_FORGED_RSYN;
        }
        return (flags & SalControl.FIN) != 0 ? DropReason.SAL_FORGED_FIN : DropReason.SAL_FORGED_SYN_ACK;
    }

    /** UDP between SAL's ports which is no sound SAL to us, but has room for what another reader may take for control. */
    private static boolean hidesControl(Packet packet) {
        long l4 = packet.offset + packet.l4Offset;
        if (packet.key.protocol() != Ipv4.UDP
                || !SalKey.isEncapsulation(Udp.srcPort(packet.segment, l4), Udp.dstPort(packet.segment, l4))) {
            return false;
        }
        int available = packet.l3End - packet.l4Offset - Udp.LENGTH;
        if (available < SalHeader.LENGTH) {
            return false;
        }
        int length = SalHeader.length(packet.segment, l4 + Udp.LENGTH);
        return length > SalHeader.LENGTH && length <= available;
    }

    /** The port is no longer here: another guard has it. */
    public void forget(int port) {
        flows.forget(port);
    }

    /** Flows known now. */
    public int size() {
        return flows.size();
    }

    /** Flows forgotten before their time, to make room. */
    public long evicted() {
        return flows.evicted();
    }
}
