package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.MemorySegment;

/**
 * IPv6 header (RFC 8200 §3) and the walk over its extension headers.
 *
 * <pre>
 * version(4) traffic class(8) flow label(20)
 * payload length(16) | next header(8) | hop limit(8)
 * source(128)
 * destination(128)
 *
 * hop-by-hop, routing, destination options:  next header(8) | length in 8 octets without the first(8) | ...
 * fragment:  next header(8) | 0(8) | offset in 8 octets(13) 0(2) M(1) | identification(32)
 * authentication (RFC 4302):  next header(8) | length in 4 octets minus 2(8) | ...
 * </pre>
 */
@HotPath
public final class Ipv6 {
    public static final int LENGTH = 40;
    public static final int FRAGMENT_LENGTH = 8;

    public static final int HOP_BY_HOP = 0;
    public static final int ROUTING = 43;
    public static final int FRAGMENT = 44;
    public static final int AUTHENTICATION = 51;
    public static final int ICMPV6 = 58;
    public static final int NO_NEXT_HEADER = 59;
    public static final int DESTINATION_OPTIONS = 60;

    /** Extension headers looked through; a packet with more is refused. */
    public static final int MAX_EXTENSIONS = 8;

    static final int VERSION_OFFSET = 0;
    static final int PAYLOAD_LENGTH_OFFSET = 4;
    static final int NEXT_HEADER_OFFSET = 6;
    static final int HOP_LIMIT_OFFSET = 7;
    static final int SRC_OFFSET = 8;
    static final int DST_OFFSET = 24;

    private static final int DSCP_SHIFT = 6;
    private static final int DSCP_MASK = 0x3f << DSCP_SHIFT;
    private static final int FRAGMENT_OFFSET_MASK = 0xfff8;
    private static final int MORE = 1;

    private Ipv6() {}

    public static int version(MemorySegment segment, long at) {
        return Wire.u8(segment, at + VERSION_OFFSET) >>> 4;
    }

    public static int trafficClass(MemorySegment segment, long at) {
        return Wire.u16(segment, at + VERSION_OFFSET) >>> 4 & 0xff;
    }

    public static int dscp(MemorySegment segment, long at) {
        return trafficClass(segment, at) >>> 2;
    }

    public static int flowLabel(MemorySegment segment, long at) {
        return Wire.i32(segment, at + VERSION_OFFSET) & 0xf_ffff;
    }

    public static int payloadLength(MemorySegment segment, long at) {
        return Wire.u16(segment, at + PAYLOAD_LENGTH_OFFSET);
    }

    public static int nextHeader(MemorySegment segment, long at) {
        return Wire.u8(segment, at + NEXT_HEADER_OFFSET);
    }

    public static int hopLimit(MemorySegment segment, long at) {
        return Wire.u8(segment, at + HOP_LIMIT_OFFSET);
    }

    public static void setHopLimit(MemorySegment segment, long at, int hopLimit) {
        Wire.put8(segment, at + HOP_LIMIT_OFFSET, hopLimit);
    }

    public static long srcHigh(MemorySegment segment, long at) {
        return Wire.i64(segment, at + SRC_OFFSET);
    }

    public static long srcLow(MemorySegment segment, long at) {
        return Wire.i64(segment, at + SRC_OFFSET + 8);
    }

    public static long dstHigh(MemorySegment segment, long at) {
        return Wire.i64(segment, at + DST_OFFSET);
    }

    public static long dstLow(MemorySegment segment, long at) {
        return Wire.i64(segment, at + DST_OFFSET + 8);
    }

    /** Keeps ECN. */
    public static void setDscp(MemorySegment segment, long at, int dscp) {
        int before = Wire.u16(segment, at + VERSION_OFFSET);
        Wire.put16(segment, at + VERSION_OFFSET, before & ~DSCP_MASK | dscp << DSCP_SHIFT);
    }

    /** Does not mend the transport's checksum. */
    public static void setSrc(MemorySegment segment, long at, long high, long low) {
        Wire.put64(segment, at + SRC_OFFSET, high);
        Wire.put64(segment, at + SRC_OFFSET + 8, low);
    }

    /** Does not mend the transport's checksum. */
    public static void setDst(MemorySegment segment, long at, long high, long low) {
        Wire.put64(segment, at + DST_OFFSET, high);
        Wire.put64(segment, at + DST_OFFSET + 8, low);
    }

    public static void write(
            MemorySegment segment,
            long at,
            int trafficClass,
            int flowLabel,
            int payloadLength,
            int nextHeader,
            int hopLimit,
            long srcHigh,
            long srcLow,
            long dstHigh,
            long dstLow) {
        Wire.put32(segment, at + VERSION_OFFSET, 6 << 28 | trafficClass << 20 | flowLabel);
        Wire.put16(segment, at + PAYLOAD_LENGTH_OFFSET, payloadLength);
        Wire.put8(segment, at + NEXT_HEADER_OFFSET, nextHeader);
        Wire.put8(segment, at + HOP_LIMIT_OFFSET, hopLimit);
        Wire.put64(segment, at + SRC_OFFSET, srcHigh);
        Wire.put64(segment, at + SRC_OFFSET + 8, srcLow);
        Wire.put64(segment, at + DST_OFFSET, dstHigh);
        Wire.put64(segment, at + DST_OFFSET + 8, dstLow);
    }

    /**
     * Goes through the extension headers of the packet at {@code at}, whose memory may be read up to {@code end}.
     *
     * @param whole {@code end} is where the packet ends; false: it may have been cut there, as in a quote
     * @return below 0: minus a {@link Malformed} code; else see {@link #walkedProtocol}, {@link #walkedLength},
     *     {@link #walkedFragment}, {@link #walkedFragmentAt}
     */
    public static long walk(MemorySegment segment, long at, long end, boolean whole) {
        int protocol = nextHeader(segment, at);
        int fragment = FlowKey.NOT_FRAGMENT;
        long fragmentAt = 0;
        long here = at + LENGTH;
        for (int count = 0; isExtension(protocol); count++) {
            if (count == MAX_EXTENSIONS) {
                return -Malformed.IPV6_TOO_MANY_EXTENSIONS.code();
            }
            if (end - here < 8) {
                return -Malformed.TRUNCATED_IPV6.code();
            }
            int size = extensionSize(segment, here, protocol);
            if (end - here < size) {
                return -Malformed.TRUNCATED_IPV6.code();
            }
            int next = Wire.u8(segment, here);
            if (protocol == FRAGMENT) {
                fragmentAt = here - at;
                int kind = fragmentKind(segment, here, whole ? end : here + FRAGMENT_LENGTH);
                if (kind < 0) {
                    return kind;
                }
                fragment = Math.max(fragment, kind);
            }
            protocol = next;
            here += size;
            if (fragment == FlowKey.LATER_FRAGMENT) {
                break;
            }
        }
        return fragmentAt << 40 | (long) fragment << 32 | (here - at) << 8 | protocol;
    }

    /** What follows the extension headers (of a later fragment: what its fragment header names). */
    public static int walkedProtocol(long walked) {
        return (int) walked & 0xff;
    }

    /** Octets from the start of the IPv6 header to what follows its extension headers. */
    public static int walkedLength(long walked) {
        return (int) walked >>> 8;
    }

    /** One of the fragment kinds of {@link FlowKey}; an "atomic" fragment (RFC 6946) is none. */
    public static int walkedFragment(long walked) {
        return (int) (walked >>> 32) & 0xff;
    }

    /** Octets from the start of the IPv6 header to its last fragment header, 0 when there is none. */
    static int walkedFragmentAt(long walked) {
        return (int) (walked >>> 40);
    }

    /** Of the fragment header at {@code at}. */
    static int fragmentId(MemorySegment segment, long at) {
        return Wire.i32(segment, at + 4);
    }

    public static boolean isExtension(int protocol) {
        return protocol == HOP_BY_HOP
                || protocol == ROUTING
                || protocol == FRAGMENT
                || protocol == AUTHENTICATION
                || protocol == DESTINATION_OPTIONS;
    }

    private static int extensionSize(MemorySegment segment, long at, int protocol) {
        if (protocol == FRAGMENT) {
            return FRAGMENT_LENGTH;
        }
        int units = Wire.u8(segment, at + 1);
        return protocol == AUTHENTICATION ? (units + 2) << 2 : (units + 1) << 3;
    }

    private static int fragmentKind(MemorySegment segment, long at, long end) {
        int field = Wire.u16(segment, at + 2);
        int first = field & FRAGMENT_OFFSET_MASK;
        long data = end - at - FRAGMENT_LENGTH;
        boolean more = (field & MORE) != 0;
        // RFC 8200 §4.5: all but the last are multiples of 8, and the whole fits 65,535 octets.
        if (more && (data & 7) != 0 || first + data > 0xffff) {
            return -Malformed.BAD_FRAGMENT.code();
        }
        if (first != 0) {
            return FlowKey.LATER_FRAGMENT;
        }
        return more ? FlowKey.FIRST_FRAGMENT : FlowKey.NOT_FRAGMENT;
    }
}
