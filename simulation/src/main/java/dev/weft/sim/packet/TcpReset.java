package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.MemorySegment;

/** The answer that ends a TCP connection that is not to be: RFC 9293 §3.10.7.1. */
@HotPath
public final class TcpReset {
    private static final int TTL = 64;

    private TcpReset() {}

    /** Whether the parsed packet is TCP with its whole header, and no reset itself. */
    public static boolean mayAnswer(Packet packet) {
        return packet.key.protocol() == Ipv4.TCP
                && packet.key.fragment() == FlowKey.NOT_FRAGMENT
                && (packet.key.etherType() == Ethernet.IPV4 || packet.key.etherType() == Ethernet.IPV6)
                && (packet.key.tcpFlags() & FlowKey.TCP_RST) == 0;
    }

    /** From where the packet was going to whom it is from. Returns the frame's length, {@link PacketWriter#NO_ROOM}. */
    public static int write(MemorySegment out, long at, Packet cause, long srcMac, long dstMac) {
        boolean v4 = cause.key.etherType() == Ethernet.IPV4;
        int ipLength = v4 ? Ipv4.LENGTH : Ipv6.LENGTH;
        int length = Ethernet.LENGTH + ipLength + Tcp.LENGTH;
        if (out.byteSize() - at < length) {
            return PacketWriter.NO_ROOM;
        }
        FlowKey key = cause.key;
        Ethernet.write(out, at, dstMac, srcMac, key.etherType());
        long l3 = at + Ethernet.LENGTH;
        if (v4) {
            int total = ipLength + Tcp.LENGTH;
            int src = (int) key.dstLow();
            int dst = (int) key.srcLow();
            Ipv4.write(out, l3, 0, total, 0, Ipv4.DONT_FRAGMENT, TTL, Ipv4.TCP, src, dst);
        } else {
            Ipv6.write(
                    out, l3, 0, 0, Tcp.LENGTH, Ipv4.TCP, TTL, key.dstHigh(), key.dstLow(), key.srcHigh(), key.srcLow());
        }
        long l4 = l3 + ipLength;
        writeTcp(out, l4, cause);
        Checksum.fillTransport(out, l3, l4, at + length, Ipv4.TCP);
        return length;
    }

    private static void writeTcp(MemorySegment out, long l4, Packet cause) {
        MemorySegment from = cause.segment;
        long tcp = cause.offset + cause.l4Offset;
        int flags = Tcp.flags(from, tcp);
        boolean acknowledges = (flags & Tcp.ACK) != 0;
        int data = cause.l3End - cause.l4Offset - Tcp.headerLength(from, tcp);
        int controls = ((flags & Tcp.SYN) != 0 ? 1 : 0) + ((flags & Tcp.FIN) != 0 ? 1 : 0);
        Tcp.write(
                out,
                l4,
                cause.key.l4Dst(),
                cause.key.l4Src(),
                acknowledges ? Tcp.acknowledgment(from, tcp) : 0,
                acknowledges ? 0 : Tcp.sequence(from, tcp) + data + controls & 0xffff_ffffL,
                acknowledges ? Tcp.RST : Tcp.RST | Tcp.ACK,
                0);
    }
}
