package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.HotPath;
import dev.weft.datapath.ebpf.Layout.Step;
import dev.weft.sim.flow.ActionList;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Turns an action list into steps: the rewrites before an output go into its step, and a rewrite that another follows
 * before the next output is dropped. Rewrites behind the last output do nothing and vanish. Not thread safe; reused.
 */
@HotPath
final class StepCompiler {
    private static final ValueLayout.OfShort BE_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong BE_LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final RemoteTable remotes;
    private final MemorySegment steps;
    private final MemorySegment whole;
    private final MemorySegment empty;
    private int count;
    private int leastMtu;
    private int mostTtl;
    private boolean failed;

    StepCompiler(RemoteTable remotes, Arena arena) {
        this.remotes = remotes;
        steps = arena.allocate((long) Step.SIZE * (ActionList.MAX_WORDS + 1), 8);
        whole = arena.allocate(Step.SIZE, 8);
        empty = arena.allocate(Step.SIZE, 8);
    }

    /** False: a remote host is one too many for the table. */
    boolean compile(ActionList actions) {
        count = 0;
        leastMtu = 0;
        mostTtl = 0;
        failed = false;
        begin();
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            add(actions, i);
        }
        return !failed;
    }

    /** How many there are, 0 for a drop. */
    int count() {
        return count;
    }

    /** The narrowest output's, 0 when none has one. */
    int leastMtu() {
        return leastMtu;
    }

    /** By how much the TTL is lowered in all. */
    int mostTtl() {
        return mostTtl;
    }

    /** All steps, {@link Step#SIZE} bytes each. */
    MemorySegment steps() {
        return steps;
    }

    /**
     * What step {@code index} does to a frame as it came: with all rewrites of the steps before it, by its own way out.
     * Asked for in order, from 0 on.
     */
    MemorySegment whole(int index) {
        long at = (long) index * Step.SIZE;
        if (index == 0) {
            MemorySegment.copy(steps, 0, whole, 0, Step.SIZE);
            return whole;
        }
        int bits = steps.get(JAVA_SHORT_UNALIGNED, at);
        int before = whole.get(JAVA_SHORT_UNALIGNED, Step.SET);
        if ((bits & (Step.PUSH_VLAN | Step.POP_VLAN)) != 0) {
            before &= ~(Step.PUSH_VLAN | Step.POP_VLAN);
        }
        whole.set(JAVA_SHORT_UNALIGNED, Step.SET, (short) (before | bits));
        whole.set(JAVA_BYTE, Step.TTL, (byte) (whole.get(JAVA_BYTE, Step.TTL) + steps.get(JAVA_BYTE, at + Step.TTL)));
        carry(bits & Step.SET_DST_MAC, at, Step.DST_MAC, 6);
        carry(bits & Step.SET_SRC_MAC, at, Step.SRC_MAC, 6);
        carry(bits & Step.SET_SRC, at, Step.SRC, 16);
        carry(bits & Step.SET_DST, at, Step.DST, 16);
        carry(bits & Step.SET_L4_SRC, at, Step.L4_SRC, 2);
        carry(bits & Step.SET_L4_DST, at, Step.L4_DST, 2);
        carry(bits & Step.SET_ICMP_ID, at, Step.ICMP_ID, 2);
        carry(bits & Step.SET_DSCP, at, Step.DSCP, 1);
        carry(bits & Step.PUSH_VLAN, at, Step.TCI, 2);
        carry(1, at, Step.OUT, 1);
        carry(1, at, Step.MTU, 2);
        carry(1, at, Step.TARGET, 8);
        return whole;
    }

    private void carry(int wanted, long step, int field, int bytes) {
        if (wanted != 0) {
            MemorySegment.copy(steps, step + field, whole, field, bytes);
        }
    }

    private void add(ActionList actions, int i) {
        long word = actions.word(i);
        long at = at();
        switch (ActionList.operation(word)) {
            case ActionList.OUTPUT -> {
                steps.set(JAVA_INT_UNALIGNED, at + Step.TARGET, ActionList.port(word));
                finish(Step.OUT_PORT, ActionList.mtu(word));
            }
            case ActionList.TUNNEL -> {
                int remote = remotes.indexOf(actions.word(i + 1), actions.word(i + 2));
                failed |= remote < 0;
                steps.set(JAVA_INT_UNALIGNED, at + Step.TARGET, ActionList.key(word));
                steps.set(JAVA_INT_UNALIGNED, at + Step.REMOTE, remote);
                finish(Step.OUT_TUNNEL, ActionList.mtu(word));
            }
            case ActionList.SET_DST_MAC -> {
                set(Step.SET_DST_MAC);
                putMac(at + Step.DST_MAC, ActionList.mac(word));
            }
            case ActionList.SET_SRC_MAC -> {
                set(Step.SET_SRC_MAC);
                putMac(at + Step.SRC_MAC, ActionList.mac(word));
            }
            case ActionList.DEC_TTL -> {
                mostTtl++;
                steps.set(JAVA_BYTE, at + Step.TTL, (byte) (steps.get(JAVA_BYTE, at + Step.TTL) + 1));
            }
            case ActionList.SET_SRC -> putAddress(Step.SET_SRC, at + Step.SRC, actions, i);
            case ActionList.SET_DST -> putAddress(Step.SET_DST, at + Step.DST, actions, i);
            case ActionList.SET_L4_SRC -> putPort(Step.SET_L4_SRC, at + Step.L4_SRC, word);
            case ActionList.SET_L4_DST -> putPort(Step.SET_L4_DST, at + Step.L4_DST, word);
            case ActionList.SET_ICMP_ID -> putPort(Step.SET_ICMP_ID, at + Step.ICMP_ID, word);
            case ActionList.SET_DSCP -> {
                set(Step.SET_DSCP);
                steps.set(JAVA_BYTE, at + Step.DSCP, (byte) ActionList.operand(word));
            }
            case ActionList.PUSH_VLAN -> {
                unset(Step.POP_VLAN);
                set(Step.PUSH_VLAN);
                steps.set(JAVA_SHORT_UNALIGNED, at + Step.TCI, (short) ActionList.operand(word));
            }
            case ActionList.POP_VLAN -> {
                unset(Step.PUSH_VLAN);
                set(Step.POP_VLAN);
            }
            default ->
                throw new IllegalArgumentException("action " + ActionList.operation(word) + " at word " + i
                        + " (expected 1.." + ActionList.POP_VLAN + "): the list is damaged");
        }
    }

    private void begin() {
        MemorySegment.copy(empty, 0, steps, at(), Step.SIZE);
    }

    private void finish(int out, int mtu) {
        steps.set(JAVA_BYTE, at() + Step.OUT, (byte) out);
        steps.set(JAVA_SHORT_UNALIGNED, at() + Step.MTU, (short) mtu);
        if (mtu != 0 && (leastMtu == 0 || mtu < leastMtu)) {
            leastMtu = mtu;
        }
        count++;
        begin();
    }

    private void set(int bit) {
        steps.set(JAVA_SHORT_UNALIGNED, at(), (short) (steps.get(JAVA_SHORT_UNALIGNED, at()) | bit));
    }

    private void unset(int bit) {
        steps.set(JAVA_SHORT_UNALIGNED, at(), (short) (steps.get(JAVA_SHORT_UNALIGNED, at()) & ~bit));
    }

    private long at() {
        return (long) count * Step.SIZE;
    }

    private void putMac(long at, long mac) {
        steps.set(BE_SHORT, at, (short) (mac >>> 32));
        steps.set(BE_SHORT, at + 2, (short) (mac >>> 16));
        steps.set(BE_SHORT, at + 4, (short) mac);
    }

    private void putPort(int bit, long at, long word) {
        set(bit);
        steps.set(BE_SHORT, at, (short) ActionList.operand(word));
    }

    private void putAddress(int bit, long at, ActionList actions, int i) {
        set(bit);
        steps.set(BE_LONG, at, actions.word(i + 1));
        steps.set(BE_LONG, at + 8, actions.word(i + 2));
    }
}
