package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * Writes one DHCP answer as a whole frame: start, add options in the order of their weight, finish. An option that the
 * client's message would have no room for is left out. One per worker; not thread safe.
 */
@HotPath
public final class DhcpReply {
    private static final int HEADERS = Ipv4.LENGTH + Udp.LENGTH;
    private static final int TTL = 64;
    private static final int BROADCAST = -1;
    private static final long ALL = 0xffff_ffff_ffffL;
    /** Longest packet: an answer always fits the smallest MTU that VMs are given. */
    private static final int MAX_PACKET = 1280;

    private MemorySegment out = MemorySegment.NULL;
    private long start;
    private long here;
    private long limit;

    /**
     * @param request its payload is the message at {@code asked}, which ends at {@code end}
     * @param yourAddress 0 for none
     * @param clientAddress 0 for none
     */
    public void start(
            MemorySegment to, long at, Packet request, long asked, long end, int yourAddress, int clientAddress) {
        out = to;
        start = at;
        long message = at + Ethernet.LENGTH + HEADERS;
        Dhcp.writeHead(to, message, request.segment, asked, yourAddress, clientAddress);
        here = message + Dhcp.LENGTH;
        long size = Dhcp.option(request.segment, asked, end, Dhcp.MAX_SIZE, 2);
        long packet = Math.clamp(size, Dhcp.MIN_MAX_SIZE, MAX_PACKET);
        limit = at + Ethernet.LENGTH + packet - 1; // the last option is "end"
    }

    public void option8(int code, int value) {
        if (head(code, 1)) {
            Wire.put8(out, here, value);
            here++;
        }
    }

    public void option16(int code, int value) {
        if (head(code, 2)) {
            Wire.put16(out, here, value);
            here += 2;
        }
    }

    public void option32(int code, int value) {
        if (head(code, 4)) {
            Wire.put32(out, here, value);
            here += 4;
        }
    }

    /** Whole options, one behind the other, well formed. */
    public void options(MemorySegment all) {
        long from = 0;
        while (from < all.byteSize()) {
            int size = Wire.u8(all, from + 1);
            if (head(Wire.u8(all, from), size)) {
                MemorySegment.copy(all, from + 2, out, here, size);
                here += size;
            }
            from += 2 + size;
        }
    }

    private boolean head(int code, int size) {
        if (limit - here < 2 + size) {
            return false;
        }
        Wire.put8(out, here, code);
        Wire.put8(out, here + 1, size);
        here += 2;
        return true;
    }

    /**
     * Ends it and writes the headers. Returns the length of the frame.
     *
     * @param dst {@code 0} for all
     */
    public int finish(long srcMac, int src, long dstMac, int dst) {
        Wire.put8(out, here++, Dhcp.END);
        long message = start + Ethernet.LENGTH + HEADERS;
        while (here - message < Dhcp.MIN_LENGTH) {
            Wire.put8(out, here++, Dhcp.PAD);
        }
        int length = (int) (here - start);
        int packet = length - Ethernet.LENGTH;
        boolean toAll = dst == 0;
        Ethernet.write(out, start, toAll ? ALL : dstMac, srcMac, Ethernet.IPV4);
        long l3 = start + Ethernet.LENGTH;
        Ipv4.write(out, l3, 0, packet, 0, 0, TTL, Ipv4.UDP, src, toAll ? BROADCAST : dst);
        long l4 = l3 + Ipv4.LENGTH;
        Udp.write(out, l4, Dhcp.SERVER_PORT, Dhcp.CLIENT_PORT, packet - Ipv4.LENGTH);
        Checksum.fillTransport(out, l3, l4, here, Ipv4.UDP);
        return length;
    }
}
