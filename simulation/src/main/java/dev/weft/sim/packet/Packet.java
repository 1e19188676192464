package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.sal.SalLayout;
import java.lang.foreign.MemorySegment;

/**
 * A frame and what the parser found in it. Points into memory it does not own (a ring, a buffer): valid until the
 * upcall that brought it returns. Not thread safe; reused per packet.
 */
@HotPath
public final class Packet {
    /** Everything a flow can match; filled by {@link PacketParser}. */
    public final FlowKey key = new FlowKey();

    /** The memory; the frame is {@code length} bytes from {@code offset} on, starting with the destination MAC. */
    public MemorySegment segment = MemorySegment.NULL;

    public long offset;
    public int length;

    /** Offset of the IP header from the frame's start, 0 when there is none. */
    public int l3Offset;

    /** Offset of the L4 header from the frame's start, 0 when there is none (also for later fragments). */
    public int l4Offset;

    /** Where the IP packet ends (its own total length; padding may follow), from the frame's start. */
    public int l3End;

    /** Of a fragment: what its packet's fragments have in common, 16 bits of IPv4 or 32 of IPv6; else 0. */
    public int fragmentId;

    /** TTL or hop limit, 0 when there is no IP header. */
    public int ttl;

    /** The packet that an ICMP error is about; filled by {@link PacketParser}, absent in all other packets. */
    public final Quote quote = new Quote();

    /** Where the Serval header has what; filled by {@link PacketParser}, not present in all other packets. */
    public final SalLayout sal = new SalLayout();

    public void wrap(MemorySegment segment, long offset, int length) {
        this.segment = segment;
        this.offset = offset;
        this.length = length;
        l3Offset = 0;
        l4Offset = 0;
        l3End = 0;
        ttl = 0;
        fragmentId = 0;
        quote.clear();
        sal.clear();
    }
}
