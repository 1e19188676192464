package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * What a service router does to a packet that it sends on to where a service is: destination and TTL of the IP header,
 * its own address into SOURCE, and every checksum that follows from it. The IP source stays the client's, so that the
 * answer goes there directly.
 */
@HotPath
public final class SalForward {
    private SalForward() {}

    /** It came through here before: the address it was sent to is among its SOURCE addresses already. */
    public static boolean hasPassed(Packet packet) {
        SalLayout sal = packet.sal;
        long l3 = packet.offset + packet.l3Offset;
        return sal.source != 0
                && SalSource.contains(packet.segment, packet.offset + sal.source, Ipv4.dst(packet.segment, l3));
    }

    /** One more address fits into SOURCE, the SAL header and the IP packet. */
    public static boolean hasRoom(Packet packet) {
        SalLayout sal = packet.sal;
        int growth = growth(packet);
        boolean full = sal.source == 0
                ? sal.extensions == SalExtension.MAX_COUNT
                : SalSource.count(packet.segment, packet.offset + sal.source) >= SalSource.MAX_ADDRESSES;
        return !full
                && sal.length + growth <= SalHeader.MAX_LENGTH
                && packet.l3End - packet.l3Offset + growth <= 0xffff;
    }

    /** Octets that the packet gains. */
    public static int growth(Packet packet) {
        return packet.sal.source == 0 ? SalSource.length(SalSource.MIN_ADDRESSES) : Integer.BYTES;
    }

    /**
     * Writes the frame as it goes on to {@code target}; link-layer addresses are still those it came with. Where the
     * transport checksum was wrong, it stays wrong; where there was none, there is none.
     *
     * @param packet parsed, with a SAL header, {@link #hasRoom} and a TTL above 1
     * @param target IPv4 address
     * @return the frame's length, or {@link PacketWriter#NO_ROOM} when the segment is too small
     */
    public static int write(MemorySegment out, long at, Packet packet, int target) {
        SalLayout sal = packet.sal;
        MemorySegment in = packet.segment;
        int growth = growth(packet);
        int length = packet.l3End + growth;
        if (out.byteSize() - at < length) {
            return PacketWriter.NO_ROOM;
        }
        int grown = sal.source == 0
                ? sal.offset + sal.length
                : sal.source + SalExtension.length(in, packet.offset + sal.source);
        MemorySegment.copy(in, packet.offset, out, at, grown);
        MemorySegment.copy(in, packet.offset + grown, out, at + grown + growth, packet.l3End - grown);
        long l3 = at + packet.l3Offset;
        int before = Ipv4.dst(in, packet.offset + packet.l3Offset);
        appendSource(out, at, packet, before, grown);
        SalHeader.setLength(out, at + sal.offset, sal.length + growth);
        SalHeader.fillChecksum(out, at + sal.offset);
        mendTransport(out, at + sal.offset + sal.length + growth, at + length, before, target, packet);
        Ipv4.redirect(out, l3, packet.l3End - packet.l3Offset + growth, packet.ttl - 1, target);
        if (sal.encapsulated) {
            mendEncapsulation(out, at, packet, growth);
        }
        return length;
    }

    private static void appendSource(MemorySegment out, long at, Packet packet, int router, int grown) {
        SalLayout sal = packet.sal;
        if (sal.source == 0) {
            long source = at + grown;
            SalSource.write(out, source, SalSource.MIN_ADDRESSES);
            SalSource.setAddress(out, source, 0, Ipv4.src(out, at + packet.l3Offset));
            SalSource.setAddress(out, source, 1, router);
            return;
        }
        long source = at + sal.source;
        int count = SalSource.count(out, source);
        SalExtension.setLength(out, source, SalSource.length(count + 1));
        SalSource.setAddress(out, source, count, router);
    }

    /** The checksum behind the SAL header covers the IP addresses (RFC 1624; of UDP, 0 is none and goes out as 0xffff). */
    private static void mendTransport(MemorySegment out, long l4, long end, int before, int after, Packet packet) {
        int protocol = SalHeader.protocol(packet.segment, packet.offset + packet.sal.offset);
        boolean udp = protocol == Ipv4.UDP;
        int field = udp || protocol == Ipv4.TCP ? Checksum.fieldOffset(protocol) : -1;
        if (field < 0 || end - l4 < field + Short.BYTES) {
            return;
        }
        int checksum = Wire.u16(out, l4 + field);
        if (udp && checksum == 0) {
            return;
        }
        int mended = Checksum.update32(checksum, before, after);
        Wire.put16(out, l4 + field, udp && mended == 0 ? 0xffff : mended);
    }

    /** Length and checksum of the UDP header around: the checksum by the difference of what it covered and covers. */
    private static void mendEncapsulation(MemorySegment out, long at, Packet packet, int growth) {
        long was = packet.offset + packet.l4Offset;
        int length = Udp.length(packet.segment, was);
        int checksum = Udp.checksum(packet.segment, was);
        long covered = covered(packet.segment, packet.offset + packet.l3Offset, was, length);
        long udp = at + packet.l4Offset;
        Udp.setLength(out, udp, length + growth);
        if (checksum != 0) {
            long covers = covered(out, at + packet.l3Offset, udp, length + growth);
            int mended = Checksum.finish((~checksum & 0xffffL) + Checksum.finish(covered) + covers);
            Udp.setChecksum(out, udp, mended == 0 ? 0xffff : mended);
        }
    }

    /** The sum of all that a UDP checksum covers but itself. */
    private static long covered(MemorySegment segment, long l3, long udp, int length) {
        long sum = Checksum.pseudoHeader(segment, l3, Ipv4.UDP, length);
        return Checksum.add(sum, segment, udp, length) - Udp.checksum(segment, udp);
    }
}
