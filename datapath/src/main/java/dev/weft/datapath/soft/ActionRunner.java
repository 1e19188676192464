package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Vlan;
import java.lang.foreign.MemorySegment;

/**
 * Runs an action list on a frame. The frame itself is never changed: the first rewrite copies it into a buffer of the
 * runner's own. One runner per thread and nesting; not thread safe.
 */
@HotPath
final class ActionRunner {
    /** Where the actions of a frame lead. */
    interface Exits {
        void output(int port, MemorySegment segment, long offset, int length);

        void tunnel(long remoteHigh, long remoteLow, int key, MemorySegment segment, long offset, int length);

        /** The frame as it came must go to user space, for one of {@link UpcallHandler}'s reasons. */
        void punt(int reason);

        void drop(FrameDrop why);
    }

    private MemorySegment scratch = MemorySegment.NULL;
    private MemorySegment segment = MemorySegment.NULL;
    private long offset;
    private int length;

    /** @param inPort never an output; {@link dev.weft.sim.flow.FlowKey#TUNNEL_PORT} for frames of the tunnel */
    void run(ActionList actions, MemorySegment frame, long at, int frameLength, int inPort, Exits exits) {
        segment = frame;
        offset = at;
        length = frameLength;
        if (actions.isDrop()) {
            exits.drop(FrameDrop.BY_FLOW);
        }
        boolean puntedForMtu = false;
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            long word = actions.word(i);
            switch (ActionList.operation(word)) {
                case ActionList.OUTPUT, ActionList.TUNNEL -> {
                    if (fits(ActionList.mtu(word))) {
                        leave(actions, i, inPort, exits);
                    } else if (!puntedForMtu) {
                        // Once per frame, however many outputs of a flood are too narrow.
                        puntedForMtu = true;
                        exits.punt(UpcallHandler.MTU);
                    }
                }
                case ActionList.SET_SRC_MAC -> {
                    own();
                    Ethernet.setSrc(segment, offset, ActionList.mac(word));
                }
                case ActionList.SET_DST_MAC -> {
                    own();
                    Ethernet.setDst(segment, offset, ActionList.mac(word));
                }
                case ActionList.DEC_TTL -> {
                    if (!decrementTtl(exits)) {
                        return;
                    }
                }
                default ->
                    throw new IllegalArgumentException("action " + ActionList.operation(word) + " at word " + i
                            + " (expected 1..5): the list is damaged");
            }
        }
    }

    private void leave(ActionList actions, int at, int inPort, Exits exits) {
        long word = actions.word(at);
        if (ActionList.operation(word) == ActionList.TUNNEL) {
            exits.tunnel(actions.word(at + 1), actions.word(at + 2), ActionList.key(word), segment, offset, length);
        } else if (ActionList.port(word) == inPort) {
            exits.drop(FrameDrop.INGRESS_PORT);
        } else {
            exits.output(ActionList.port(word), segment, offset, length);
        }
    }

    /** An MTU is of the packet behind the Ethernet header and its tag. */
    private boolean fits(int mtu) {
        return mtu == 0 || length - l3Offset() <= mtu;
    }

    /** False when the frame goes no further by these actions. */
    private boolean decrementTtl(Exits exits) {
        int l3 = l3Offset();
        // Tagged or not, the type of the packet is the last two octets before it.
        int type = Vlan.type(segment, offset + l3 - Vlan.LENGTH);
        boolean v4 = type == Ethernet.IPV4 && length >= l3 + Ipv4.LENGTH;
        boolean v6 = type == Ethernet.IPV6 && length >= l3 + Ipv6.LENGTH;
        if (!v4 && !v6) {
            exits.drop(FrameDrop.NOT_IP);
            return false;
        }
        int ttl = v4 ? Ipv4.ttl(segment, offset + l3) : Ipv6.hopLimit(segment, offset + l3);
        if (ttl <= 1) {
            exits.punt(UpcallHandler.TTL);
            return false;
        }
        own();
        if (v4) {
            Ipv4.setTtl(segment, offset + l3, ttl - 1);
        } else {
            Ipv6.setHopLimit(segment, offset + l3, ttl - 1);
        }
        return true;
    }

    private int l3Offset() {
        boolean tagged = length >= Ethernet.LENGTH + Vlan.LENGTH && Ethernet.type(segment, offset) == Ethernet.VLAN;
        return tagged ? Ethernet.LENGTH + Vlan.LENGTH : Ethernet.LENGTH;
    }

    private void own() {
        if (segment == scratch) {
            return;
        }
        if (scratch.byteSize() < length) {
            scratch = MemorySegment.ofArray(new byte[Math.max(length, SoftDatapath.MAX_FRAME)]);
        }
        MemorySegment.copy(segment, offset, scratch, 0, length);
        segment = scratch;
        offset = 0;
    }
}
