package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import java.lang.foreign.MemorySegment;

/**
 * Writes one DNS answer as a whole frame: start, add addresses, finish. What the client has no room for is left out, and
 * the answer says so. One per worker; not thread safe.
 */
@HotPath
public final class DnsReply {
    private static final int TTL = 64;
    private static final int OPT_LENGTH = 11;
    /** Of a record: name, type, class, time to live and length. */
    private static final int RECORD = 12;
    /** To the name of the question: RFC 1035 section 4.1.4. */
    private static final int POINTER_TO_NAME = 0xc000 | DnsQuery.HEADER;

    private MemorySegment out = MemorySegment.NULL;
    private long start;
    private long message;
    private long here;
    private long limit;
    private int answers;
    private boolean truncated;

    /** Begins the answer to a query in a packet of either family. */
    public void start(MemorySegment to, long at, Packet request, DnsQuery query) {
        boolean v4 = request.key.etherType() == Ethernet.IPV4;
        out = to;
        start = at;
        message = at + Ethernet.LENGTH + (v4 ? Ipv4.LENGTH : Ipv6.LENGTH) + Udp.LENGTH;
        here = message + DnsQuery.HEADER;
        answers = 0;
        truncated = false;
        limit = message + query.size() - (query.isExtended() ? OPT_LENGTH : 0);
        if (query.hasQuestion()) {
            long length = query.questionEnd() - query.name();
            MemorySegment.copy(query.segment(), query.name(), out, here, length);
            here += length;
        }
    }

    /** An address of the name that was asked for, in either family. */
    public void address(long high, long low, boolean v4, int seconds) {
        int size = v4 ? Integer.BYTES : 2 * Long.BYTES;
        if (limit - here < RECORD + size) {
            truncated = true;
            return;
        }
        Wire.put16(out, here, POINTER_TO_NAME);
        Wire.put16(out, here + 2, v4 ? DnsQuery.A : DnsQuery.AAAA);
        Wire.put16(out, here + 4, DnsQuery.INTERNET);
        Wire.put32(out, here + 6, seconds);
        Wire.put16(out, here + 10, size);
        if (v4) {
            Wire.put32(out, here + RECORD, (int) low);
        } else {
            Wire.put64(out, here + RECORD, high);
            Wire.put64(out, here + RECORD + Long.BYTES, low);
        }
        here += RECORD + size;
        answers++;
    }

    /** Ends it and writes the headers, from where the query was sent to, to where it came from. Returns the length. */
    public int finish(Packet request, DnsQuery query, int code, long srcMac, long dstMac) {
        int flags = DnsQuery.ANSWER
                | query.flags() & (DnsQuery.OPCODE | DnsQuery.RECURSION_WANTED)
                | (code == DnsQuery.NO_ERROR || code == DnsQuery.NAME_ERROR ? DnsQuery.AUTHORITATIVE : 0)
                | (truncated ? DnsQuery.TRUNCATED : 0)
                | code & 0xf;
        Wire.put16(out, message, query.id());
        Wire.put16(out, message + 2, flags);
        Wire.put16(out, message + 4, query.hasQuestion() ? 1 : 0);
        Wire.put16(out, message + 6, answers);
        Wire.put16(out, message + 8, 0);
        Wire.put16(out, message + 10, query.isExtended() ? 1 : 0);
        if (query.isExtended()) {
            Wire.put8(out, here, 0);
            Wire.put16(out, here + 1, DnsQuery.OPT);
            Wire.put16(out, here + 3, DnsQuery.MOST_SIZE);
            Wire.put32(out, here + 5, code >>> 4 << 24); // the code's upper bits, version 0
            Wire.put16(out, here + 9, 0);
            here += OPT_LENGTH;
        }
        headers(request, srcMac, dstMac);
        return (int) (here - start);
    }

    private void headers(Packet request, long srcMac, long dstMac) {
        boolean v4 = request.key.etherType() == Ethernet.IPV4;
        MemorySegment from = request.segment;
        long asked = request.offset + request.l3Offset;
        long l3 = start + Ethernet.LENGTH;
        long l4 = message - Udp.LENGTH;
        Ethernet.write(out, start, dstMac, srcMac, request.key.etherType());
        if (v4) {
            int total = (int) (here - l3);
            Ipv4.write(out, l3, 0, total, 0, 0, TTL, Ipv4.UDP, Ipv4.dst(from, asked), Ipv4.src(from, asked));
        } else {
            Ipv6.write(
                    out,
                    l3,
                    0,
                    0,
                    (int) (here - l4),
                    Ipv4.UDP,
                    TTL,
                    Ipv6.dstHigh(from, asked),
                    Ipv6.dstLow(from, asked),
                    Ipv6.srcHigh(from, asked),
                    Ipv6.srcLow(from, asked));
        }
        int client = Udp.srcPort(from, request.offset + request.l4Offset);
        Udp.write(out, l4, DnsQuery.PORT, client, (int) (here - l4));
        Checksum.fillTransport(out, l3, l4, here, Ipv4.UDP);
    }
}
