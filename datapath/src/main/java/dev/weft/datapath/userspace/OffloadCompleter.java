package dev.weft.datapath.userspace;

import dev.weft.datapath.soft.SoftDatapath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.Tcp;
import dev.weft.sim.packet.Udp;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Does what a VM's stack left to hardware. A TCP or UDP packet longer than fits is a super-packet: it is cut as the
 * kernel's GSO cuts (linux/net/ipv4/tcp_offload.c): consecutive sequence numbers and IPv4 ids, FIN and PSH on the last
 * segment only, CWR on the first only. A transport checksum that holds just the pseudo-header's sum was left to be
 * completed; any other value is the VM's own doing and stays, right or wrong.
 *
 * <p>libpcap does not tell the segment size the VM chose. For TCP the size its peer announced is known from the SYN
 * that went to the VM ({@link SegmentSizes}). For UDP the longest that fits is taken: a sender that relies on
 * UDP_SEGMENT boundaries sees other ones.
 *
 * <p>Owned by one capture thread.
 */
final class OffloadCompleter {
    private static final ValueLayout.OfShort BE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt BE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int IP_LENGTH_V4 = 2;
    private static final int IP_ID_V4 = 4;
    private static final int IP_LENGTH_V6 = 4;
    private static final int TCP_SEQUENCE = 4;
    private static final int TCP_FLAGS = 13;
    private static final int UDP_LENGTH = 4;

    private final int mtu;
    private final SegmentSizes sizes;
    private final Packet packet = new Packet();
    private final MemorySegment segment = MemorySegment.ofArray(new byte[SoftDatapath.MAX_FRAME]);

    /** Takes finished frames; the memory is valid until the call returns. */
    @FunctionalInterface
    interface Output {
        void onFrame(MemorySegment segment, long offset, int length);
    }

    /** @param mtu longest IP packet to make of a super-packet */
    OffloadCompleter(int mtu, SegmentSizes sizes) {
        this.mtu = mtu;
        this.sizes = sizes;
    }

    /** Finishes the frame in place, or cuts it. What cannot be understood goes on as it is, for the parser to refuse. */
    void complete(MemorySegment frame, long offset, int length, Output output) {
        packet.wrap(frame, offset, length);
        if (PacketParser.parse(packet) != 0
                || packet.l4Offset == 0
                || packet.key.etherType() == Ethernet.ARP
                || packet.key.fragment() != FlowKey.NOT_FRAGMENT) {
            output.onFrame(frame, offset, length);
            return;
        }
        int headers = payloadOffset();
        if (headers > 0 && packet.l3End - packet.l3Offset > mtu && headers - packet.l3Offset < mtu) {
            cut(headers, output);
        } else {
            completeChecksum();
            output.onFrame(frame, offset, length);
        }
    }

    /** Offset of the payload from the frame's start, 0 for what is never cut. */
    private int payloadOffset() {
        return switch (packet.key.protocol()) {
            case Ipv4.TCP -> packet.l4Offset + Tcp.headerLength(packet.segment, packet.offset + packet.l4Offset);
            case Ipv4.UDP -> packet.l4Offset + Udp.LENGTH;
            default -> 0;
        };
    }

    private void completeChecksum() {
        int protocol = packet.key.protocol();
        int field = Checksum.fieldOffset(protocol);
        long l3 = packet.offset + packet.l3Offset;
        long l4 = packet.offset + packet.l4Offset;
        long end = packet.offset + packet.l3End;
        if (field < 0 || protocol == Ipv4.ICMP || end - l4 < field + 2) {
            return;
        }
        int begun = ~Checksum.finish(Checksum.pseudoHeader(packet.segment, l3, protocol, end - l4)) & 0xffff;
        int found = Short.toUnsignedInt(packet.segment.get(BE_SHORT, l4 + field));
        if (found == begun && found != 0) {
            Checksum.fillTransport(packet.segment, l3, l4, end, protocol);
        }
    }

    private void cut(int headers, Output output) {
        boolean tcp = packet.key.protocol() == Ipv4.TCP;
        int fits = mtu - (headers - packet.l3Offset);
        int size = tcp ? Math.min(fits, sizes.of(packet.key, headers - packet.l4Offset)) : fits;
        int payload = packet.l3End - headers;
        MemorySegment.copy(packet.segment, packet.offset, segment, 0, headers);
        for (int done = 0, number = 0; done < payload; done += size, number++) {
            int part = Math.min(size, payload - done);
            MemorySegment.copy(packet.segment, packet.offset + headers + done, segment, headers, part);
            finishIp(headers + part, number);
            if (tcp) {
                finishTcp(done, done + part == payload);
            } else {
                segment.set(BE_SHORT, packet.l4Offset + UDP_LENGTH, (short) (Udp.LENGTH + part));
            }
            Checksum.fillTransport(segment, packet.l3Offset, packet.l4Offset, headers + part, packet.key.protocol());
            output.onFrame(segment, 0, headers + part);
        }
    }

    private void finishIp(int length, int number) {
        int l3 = packet.l3Offset;
        if (packet.key.etherType() == Ethernet.IPV4) {
            int id = Ipv4.id(packet.segment, packet.offset + l3) + number;
            segment.set(BE_SHORT, l3 + IP_LENGTH_V4, (short) (length - l3));
            segment.set(BE_SHORT, l3 + IP_ID_V4, (short) id);
            Ipv4.fillChecksum(segment, l3, Ipv4.headerLength(segment, l3));
        } else {
            segment.set(BE_SHORT, l3 + IP_LENGTH_V6, (short) (length - l3 - Ipv6.LENGTH));
        }
    }

    private void finishTcp(int done, boolean last) {
        long original = packet.offset + packet.l4Offset;
        int flags = Tcp.flags(packet.segment, original);
        if (!last) {
            flags &= ~(Tcp.FIN | Tcp.PSH);
        }
        if (done > 0) {
            flags &= ~Tcp.CWR;
        }
        segment.set(BE_INT, packet.l4Offset + TCP_SEQUENCE, (int) Tcp.sequence(packet.segment, original) + done);
        segment.set(ValueLayout.JAVA_BYTE, packet.l4Offset + TCP_FLAGS, (byte) flags);
    }
}
