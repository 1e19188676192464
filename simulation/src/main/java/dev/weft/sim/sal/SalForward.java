package dev.weft.sim.sal;

import dev.weft.base.HotPath;
import dev.weft.sim.packet.Checksum;
import dev.weft.sim.packet.Ethernet;
import dev.weft.sim.packet.Ipv4;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketWriter;
import dev.weft.sim.packet.Udp;
import dev.weft.sim.packet.Wire;
import java.lang.foreign.MemorySegment;

/**
 * What becomes of a packet that goes on to where a service is. {@link #forward} is what a service router does: its own
 * address goes into SOURCE, so that the answer can go back the way it came. {@link #readdress} only gives it another
 * destination. Either way the IP source stays the client's, and every checksum follows: where that of the transport was
 * wrong, it stays wrong; where there was none, there is none.
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

    /** Octets that a packet gains when it is forwarded. */
    public static int growth(Packet packet) {
        return packet.sal.source == 0 ? SalSource.length(SalSource.MIN_ADDRESSES) : Integer.BYTES;
    }

    /** Length of the frame that {@link #forward} writes. */
    public static int forwardedLength(Packet packet) {
        return readdressedLength(packet) + growth(packet);
    }

    /** Length of the frame that {@link #readdress} writes. */
    public static int readdressedLength(Packet packet) {
        return Ethernet.LENGTH + packet.l3End - packet.l3Offset;
    }

    /**
     * Writes the frame, untagged, as a service router sends it on.
     *
     * @param packet parsed, with a SAL header and {@link #hasRoom}
     * @param target IPv4 address
     * @return the frame's length, or {@link PacketWriter#NO_ROOM} when the segment is too small
     */
    public static int forward(
            MemorySegment out, long at, Packet packet, long srcMac, long dstMac, int target, int ttl) {
        return write(out, at, packet, srcMac, dstMac, target, ttl, growth(packet));
    }

    /** Writes the frame, untagged, with another destination; as {@link #forward}, but without a trace of who did it. */
    public static int readdress(
            MemorySegment out, long at, Packet packet, long srcMac, long dstMac, int target, int ttl) {
        return write(out, at, packet, srcMac, dstMac, target, ttl, 0);
    }

    private static int write(
            MemorySegment out, long at, Packet packet, long srcMac, long dstMac, int target, int ttl, int growth) {
        int length = readdressedLength(packet) + growth;
        if (out.byteSize() - at < length) {
            return PacketWriter.NO_ROOM;
        }
        SalLayout sal = packet.sal;
        MemorySegment in = packet.segment;
        long from = packet.offset + packet.l3Offset;
        long l3 = at + Ethernet.LENGTH;
        // Offsets in the layout count from the frame it came in, which may have had a tag.
        long shifted = l3 - packet.l3Offset;
        int grown = sal.source == 0
                ? sal.offset + sal.length
                : sal.source + SalExtension.length(in, packet.offset + sal.source);
        Ethernet.write(out, at, dstMac, srcMac, Ethernet.IPV4);
        MemorySegment.copy(in, from, out, l3, grown - packet.l3Offset);
        MemorySegment.copy(in, packet.offset + grown, out, shifted + grown + growth, packet.l3End - grown);
        int before = Ipv4.dst(in, from);
        if (growth != 0) {
            appendSource(out, shifted, packet, before, grown);
            SalHeader.setLength(out, shifted + sal.offset, sal.length + growth);
            SalHeader.fillChecksum(out, shifted + sal.offset);
        }
        mendTransport(out, shifted + sal.offset + sal.length + growth, at + length, before, target, packet);
        Ipv4.redirect(out, l3, packet.l3End - packet.l3Offset + growth, ttl, target);
        if (sal.encapsulated) {
            mendEncapsulation(out, l3, shifted + packet.l4Offset, packet, growth);
        }
        return length;
    }

    private static void appendSource(MemorySegment out, long shifted, Packet packet, int router, int grown) {
        SalLayout sal = packet.sal;
        if (sal.source == 0) {
            long source = shifted + grown;
            SalSource.write(out, source, SalSource.MIN_ADDRESSES);
            SalSource.setAddress(out, source, 0, Ipv4.src(out, shifted + packet.l3Offset));
            SalSource.setAddress(out, source, 1, router);
            return;
        }
        long source = shifted + sal.source;
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
    private static void mendEncapsulation(MemorySegment out, long l3, long udp, Packet packet, int growth) {
        long was = packet.offset + packet.l4Offset;
        int length = Udp.length(packet.segment, was);
        int checksum = Udp.checksum(packet.segment, was);
        long covered = covered(packet.segment, packet.offset + packet.l3Offset, was, length);
        Udp.setLength(out, udp, length + growth);
        if (checksum != 0) {
            long covers = covered(out, l3, udp, length + growth);
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
