package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/** 802.1Q tag behind its ethertype 0x8100: priority(3) drop-eligible(1) id(12) | ethertype(16). */
@HotPath
public final class Vlan {
    public static final int LENGTH = 4;

    static final int TCI_OFFSET = 0;
    static final int TYPE_OFFSET = 2;

    private Vlan() {}

    public static int tci(MemorySegment segment, long at) {
        return Wire.u16(segment, at + TCI_OFFSET);
    }

    public static int type(MemorySegment segment, long at) {
        return Wire.u16(segment, at + TYPE_OFFSET);
    }

    public static void setTci(MemorySegment segment, long at, int tci) {
        Wire.put16(segment, at + TCI_OFFSET, tci);
    }

    /** Tags the frame at {@code frame} without moving what is behind its MACs: it starts {@link #LENGTH} earlier then. */
    public static void push(MemorySegment segment, long frame, int tci) {
        long dst = Ethernet.dst(segment, frame);
        long src = Ethernet.src(segment, frame);
        Ethernet.write(segment, frame - LENGTH, dst, src, Ethernet.VLAN);
        setTci(segment, frame - LENGTH + Ethernet.LENGTH, tci);
    }

    /** Takes the tag out of the tagged frame at {@code frame}: it starts {@link #LENGTH} later then. */
    public static void pop(MemorySegment segment, long frame) {
        long dst = Ethernet.dst(segment, frame);
        long src = Ethernet.src(segment, frame);
        Ethernet.setDst(segment, frame + LENGTH, dst);
        Ethernet.setSrc(segment, frame + LENGTH, src);
    }

    public static int id(int tci) {
        return tci & 0xfff;
    }

    public static int priority(int tci) {
        return tci >>> 13 & 7;
    }
}
