package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/** Ethernet II header (IEEE 802.3 §3.1.1): destination(48) | source(48) | ethertype(16). No frame check sequence. */
@HotPath
public final class Ethernet {
    public static final int LENGTH = 14;

    public static final int IPV4 = 0x0800;
    public static final int ARP = 0x0806;
    public static final int VLAN = 0x8100;
    /** IEEE 802.1ad: a provider's tag. */
    public static final int SERVICE_VLAN = 0x88a8;

    public static final int IPV6 = 0x86dd;
    /** IEEE 802 local experimental ethertype 1: flow state between agents. */
    public static final int STATE = 0x88b5;

    static final int DST_OFFSET = 0;
    static final int SRC_OFFSET = 6;
    static final int TYPE_OFFSET = 12;

    /** 33:33 and the last 32 bits of the IPv6 group (RFC 2464 §7). */
    private static final long IPV6_GROUP = 0x3333_0000_0000L;

    private Ethernet() {}

    public static long dst(MemorySegment segment, long at) {
        return Wire.u48(segment, at + DST_OFFSET);
    }

    public static long src(MemorySegment segment, long at) {
        return Wire.u48(segment, at + SRC_OFFSET);
    }

    public static int type(MemorySegment segment, long at) {
        return Wire.u16(segment, at + TYPE_OFFSET);
    }

    public static void setDst(MemorySegment segment, long at, long mac) {
        Wire.put48(segment, at + DST_OFFSET, mac);
    }

    public static void setSrc(MemorySegment segment, long at, long mac) {
        Wire.put48(segment, at + SRC_OFFSET, mac);
    }

    public static void write(MemorySegment segment, long at, long dst, long src, int type) {
        Wire.put48(segment, at + DST_OFFSET, dst);
        Wire.put48(segment, at + SRC_OFFSET, src);
        Wire.put16(segment, at + TYPE_OFFSET, type);
    }

    /** The MAC a group address is sent to: RFC 2464 §7 for IPv6, RFC 1112 §6.4 for IPv4 given as its low word. */
    public static long groupMac(long high, long low) {
        return high == 0 && low >>> 32 == 0xffff
                ? 0x0100_5e00_0000L | low & 0x7f_ffff
                : IPV6_GROUP | low & 0xffff_ffffL;
    }
}
