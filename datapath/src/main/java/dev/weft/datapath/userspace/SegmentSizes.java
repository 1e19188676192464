package dev.weft.datapath.userspace;

import dev.weft.base.Hashing;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Tcp;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What the TCP peers of one VM announced as their longest segment (MSS option, RFC 9293 §3.7.1), taken from the SYNs
 * that go to the VM. A fixed table in which a newer connection takes an older one's place; a lost entry means the
 * longest that fits. Any thread.
 */
final class SegmentSizes {
    /** No announcement known. */
    static final int UNKNOWN = Integer.MAX_VALUE;

    private static final int SLOTS = 4096;
    private static final int SMALLEST = 88; // as net.ipv4.tcp_min_snd_mss: 48, and options
    private static final int OPTION_END = 0;
    private static final int OPTION_NOTHING = 1;
    private static final int OPTION_SIZE = 2;
    private static final ValueLayout.OfShort BE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    // Hash of the connection in the upper 48 bits, size in the lower 16: one word, so that they always fit together.
    private final AtomicLongArray slots = new AtomicLongArray(SLOTS);
    private final ThreadLocal<Packet> packets = ThreadLocal.withInitial(Packet::new);

    /** Payload bytes per segment for a packet the VM sends, its TCP header {@code headerLength} long. */
    int of(FlowKey key, int headerLength) {
        long hash = hash(key.dstHigh(), key.dstLow(), key.l4Dst(), key.srcHigh(), key.srcLow(), key.l4Src());
        long entry = slots.get((int) hash & SLOTS - 1);
        if (entry >>> 16 != hash >>> 16 || entry == 0) {
            return UNKNOWN;
        }
        // The announcement counts a header without options (RFC 6691 §2).
        return Math.max(SMALLEST, (int) (entry & 0xffff) - (headerLength - Tcp.LENGTH));
    }

    /** Looks at a frame that goes to the VM. */
    void learn(MemorySegment frame, long offset, int length) {
        Packet packet = packets.get();
        packet.wrap(frame, offset, length);
        if (PacketParser.parse(packet) != 0
                || packet.l4Offset == 0
                || packet.key.protocol() != Ipv4.TCP
                || (packet.key.tcpFlags() & FlowKey.TCP_SYN) == 0) {
            return;
        }
        long tcp = offset + packet.l4Offset;
        int size = announced(frame, tcp + Tcp.LENGTH, tcp + Tcp.headerLength(frame, tcp));
        if (size > 0) {
            FlowKey key = packet.key;
            long hash = hash(key.srcHigh(), key.srcLow(), key.l4Src(), key.dstHigh(), key.dstLow(), key.l4Dst());
            slots.set((int) hash & SLOTS - 1, hash & ~0xffffL | size);
        }
    }

    private static int announced(MemorySegment frame, long from, long end) {
        long at = from;
        while (at < end) {
            int kind = frame.get(ValueLayout.JAVA_BYTE, at);
            if (kind == OPTION_END) {
                return 0;
            }
            if (kind == OPTION_NOTHING) {
                at++;
                continue;
            }
            int length = at + 1 < end ? frame.get(ValueLayout.JAVA_BYTE, at + 1) & 0xff : 0;
            if (length < 2 || at + length > end) {
                return 0;
            }
            if (kind == OPTION_SIZE && length == 4) {
                return Short.toUnsignedInt(frame.get(BE_SHORT, at + 2));
            }
            at += length;
        }
        return 0;
    }

    private static long hash(long peerHigh, long peerLow, int peerPort, long ownHigh, long ownLow, int ownPort) {
        long hash = Hashing.combine(Hashing.combine(peerHigh, peerLow), peerPort);
        return Hashing.combine(Hashing.combine(Hashing.combine(hash, ownHigh), ownLow), ownPort);
    }
}
