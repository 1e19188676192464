package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.sim.flow.ActionList;
import java.lang.foreign.MemorySegment;

/**
 * Runs an action list on a frame. The frame itself is never changed: rewrites are made in a copy. One runner per thread and nesting; not thread safe.
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

    private final WorkingFrame frame = new WorkingFrame();

    /** @param inPort never an output; {@link dev.weft.sim.flow.FlowKey#TUNNEL_PORT} for frames of the tunnel */
    void run(ActionList actions, MemorySegment segment, long at, int length, int inPort, Exits exits) {
        frame.start(segment, at, length);
        if (actions.isDrop()) {
            exits.drop(FrameDrop.BY_FLOW);
        }
        boolean puntedForMtu = false;
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            long word = actions.word(i);
            switch (ActionList.operation(word)) {
                case ActionList.OUTPUT, ActionList.TUNNEL -> {
                    int mtu = ActionList.mtu(word);
                    if (mtu == 0 || frame.packetLength() <= mtu) {
                        leave(actions, i, inPort, exits);
                    } else if (!puntedForMtu) {
                        // Once per frame, however many outputs of a flood are too narrow.
                        puntedForMtu = true;
                        exits.punt(UpcallHandler.MTU);
                    }
                }
                case ActionList.DEC_TTL -> {
                    if (!decrementTtl(exits)) {
                        return;
                    }
                }
                default -> rewrite(actions, i);
            }
        }
    }

    private void leave(ActionList actions, int at, int inPort, Exits exits) {
        long word = actions.word(at);
        boolean tunnel = ActionList.operation(word) == ActionList.TUNNEL;
        if (!tunnel && ActionList.port(word) == inPort) {
            exits.drop(FrameDrop.INGRESS_PORT);
            return;
        }
        if (ActionList.mtu(word) != 0) {
            frame.clampMss(ActionList.mtu(word));
        }
        if (tunnel) {
            exits.tunnel(
                    actions.word(at + 1),
                    actions.word(at + 2),
                    ActionList.key(word),
                    frame.segment(),
                    frame.offset(),
                    frame.length());
        } else {
            exits.output(ActionList.port(word), frame.segment(), frame.offset(), frame.length());
        }
    }

    /** False when the frame goes no further by these actions. */
    private boolean decrementTtl(Exits exits) {
        int ttl = frame.ttl();
        if (ttl < 0) {
            exits.drop(FrameDrop.NOT_IP);
            return false;
        }
        if (ttl <= 1) {
            exits.punt(UpcallHandler.TTL);
            return false;
        }
        frame.setTtl(ttl - 1);
        return true;
    }

    private void rewrite(ActionList actions, int at) {
        long word = actions.word(at);
        switch (ActionList.operation(word)) {
            case ActionList.SET_SRC_MAC -> frame.setSrcMac(ActionList.mac(word));
            case ActionList.SET_DST_MAC -> frame.setDstMac(ActionList.mac(word));
            case ActionList.SET_SRC -> frame.setSrc(actions.word(at + 1), actions.word(at + 2));
            case ActionList.SET_DST -> frame.setDst(actions.word(at + 1), actions.word(at + 2));
            case ActionList.SET_L4_SRC -> frame.setL4Src(ActionList.operand(word));
            case ActionList.SET_L4_DST -> frame.setL4Dst(ActionList.operand(word));
            case ActionList.SET_ICMP_ID -> frame.setIcmpId(ActionList.operand(word));
            case ActionList.SET_DSCP -> frame.setDscp(ActionList.operand(word));
            case ActionList.PUSH_VLAN -> frame.pushVlan(ActionList.operand(word));
            case ActionList.POP_VLAN -> frame.popVlan();
            default ->
                throw new IllegalArgumentException("action " + ActionList.operation(word) + " at word " + at
                        + " (expected 1..13): the list is damaged");
        }
    }
}
