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

    public static int id(int tci) {
        return tci & 0xfff;
    }

    public static int priority(int tci) {
        return tci >>> 13 & 7;
    }
}
