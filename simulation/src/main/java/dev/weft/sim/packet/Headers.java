package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;

/**
 * The fields of a packet that address translation may change: addresses (IPv4 mapped), L4 ports (ICMP: type and code,
 * never changed) and echo id. Mutable and reused: each instance belongs to one worker thread.
 */
@HotPath
public final class Headers {
    // Bits of rewritten.
    public static final int SRC = 1;
    public static final int DST = 1 << 1;
    public static final int L4_SRC = 1 << 2;
    public static final int L4_DST = 1 << 3;
    public static final int ICMP_ID = 1 << 4;

    public long srcHigh;
    public long srcLow;
    public long dstHigh;
    public long dstLow;
    public int l4Src;
    public int l4Dst;
    public int icmpId;
    /** Which fields are no longer those the packet came with. */
    public int rewritten;

    public void readFrom(FlowKey key) {
        srcHigh = key.srcHigh();
        srcLow = key.srcLow();
        dstHigh = key.dstHigh();
        dstLow = key.dstLow();
        l4Src = key.l4Src();
        l4Dst = key.l4Dst();
        icmpId = key.icmpId();
        rewritten = 0;
    }

    public void readFrom(Quote quote) {
        srcHigh = quote.srcHigh;
        srcLow = quote.srcLow;
        dstHigh = quote.dstHigh;
        dstLow = quote.dstLow;
        l4Src = quote.l4Src;
        l4Dst = quote.l4Dst;
        icmpId = quote.icmpId;
        rewritten = 0;
    }

    public void copyFrom(Headers other) {
        srcHigh = other.srcHigh;
        srcLow = other.srcLow;
        dstHigh = other.dstHigh;
        dstLow = other.dstLow;
        l4Src = other.l4Src;
        l4Dst = other.l4Dst;
        icmpId = other.icmpId;
        rewritten = other.rewritten;
    }

    /** What an answer to a packet with these headers has: source and destination change places, rewritten ones too. */
    public void answering(Headers asked) {
        long high = asked.srcHigh;
        long low = asked.srcLow;
        int port = asked.l4Src;
        srcHigh = asked.dstHigh;
        srcLow = asked.dstLow;
        l4Src = asked.l4Dst;
        dstHigh = high;
        dstLow = low;
        l4Dst = port;
        icmpId = asked.icmpId;
        rewritten = swapped(asked.rewritten);
    }

    private static int swapped(int bits) {
        return (bits & (SRC | L4_SRC)) << 1 | (bits & (DST | L4_DST)) >>> 1 | bits & ICMP_ID;
    }
}
