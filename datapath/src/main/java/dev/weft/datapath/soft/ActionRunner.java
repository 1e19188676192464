package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.datapath.WorkerPort.UpcallHandler;
import dev.weft.sim.flow.ActionList;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Runs an action list on a frame. The frame itself is never changed: the first rewrite copies it into a buffer of the
 * runner's own. One runner per thread and nesting; not thread safe.
 */
@HotPath
final class ActionRunner {
    private static final ValueLayout.OfShort BE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int ETHERNET = 14;
    private static final int VLAN = 4;
    private static final int TYPE_VLAN = 0x8100;
    private static final int TYPE_IPV4 = 0x0800;
    private static final int TYPE_IPV6 = 0x86dd;
    private static final int MAC_LENGTH = 6;
    private static final int IPV4_TTL = 8;
    private static final int IPV4_CHECKSUM = 10;
    private static final int IPV4_MIN = 20;
    private static final int IPV6_HOP_LIMIT = 7;
    private static final int IPV6_MIN = 40;

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
                case ActionList.SET_SRC_MAC -> setMac(MAC_LENGTH, ActionList.mac(word));
                case ActionList.SET_DST_MAC -> setMac(0, ActionList.mac(word));
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

    private void setMac(int at, long mac) {
        own();
        segment.set(BE_SHORT, offset + at, (short) (mac >>> 32));
        segment.set(BE_SHORT, offset + at + 2, (short) (mac >>> 16));
        segment.set(BE_SHORT, offset + at + 4, (short) mac);
    }

    /** False when the frame goes no further by these actions. */
    private boolean decrementTtl(Exits exits) {
        int l3 = l3Offset();
        int type = Short.toUnsignedInt(segment.get(BE_SHORT, offset + l3 - 2));
        if (type == TYPE_IPV4 && length >= l3 + IPV4_MIN) {
            return decrementTtl(l3 + IPV4_TTL, l3 + IPV4_CHECKSUM, exits);
        }
        if (type == TYPE_IPV6 && length >= l3 + IPV6_MIN) {
            return decrementTtl(l3 + IPV6_HOP_LIMIT, 0, exits);
        }
        exits.drop(FrameDrop.NOT_IP);
        return false;
    }

    /** @param checksumAt 0 when the header has none */
    private boolean decrementTtl(int ttlAt, int checksumAt, Exits exits) {
        int ttl = segment.get(ValueLayout.JAVA_BYTE, offset + ttlAt) & 0xff;
        if (ttl <= 1) {
            exits.punt(UpcallHandler.TTL);
            return false;
        }
        own();
        segment.set(ValueLayout.JAVA_BYTE, offset + ttlAt, (byte) (ttl - 1));
        if (checksumAt != 0) {
            // RFC 1624 eqn. 3, HC' = ~(~HC + ~m + m'): the TTL is the high byte of its word, so the word fell by 0x100.
            int checksum = Short.toUnsignedInt(segment.get(BE_SHORT, offset + checksumAt));
            int sum = (~checksum & 0xffff) + 0xfeff;
            sum = (sum & 0xffff) + (sum >>> 16);
            segment.set(BE_SHORT, offset + checksumAt, (short) ~sum);
        }
        return true;
    }

    private int l3Offset() {
        boolean tagged = length >= ETHERNET + VLAN
                && Short.toUnsignedInt(segment.get(BE_SHORT, offset + ETHERNET - 2)) == TYPE_VLAN;
        return tagged ? ETHERNET + VLAN : ETHERNET;
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
