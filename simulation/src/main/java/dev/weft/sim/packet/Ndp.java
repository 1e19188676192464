package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import java.lang.foreign.MemorySegment;

/**
 * Neighbour solicitation and advertisement (RFC 4861 §4.3, §4.4) behind the ICMPv6 header's first four octets.
 *
 * <pre>
 * R S O(3) 0(29)        flags; solicitations have none
 * target(128)
 * options:  type(8) | length in 8 octets(8) | ...     1 = source, 2 = target link-layer address
 * </pre>
 *
 * All offsets count from the ICMPv6 header.
 */
@HotPath
public final class Ndp {
    public static final int ROUTER_SOLICITATION = 133;
    public static final int ROUTER_ADVERTISEMENT = 134;
    public static final int NEIGHBOUR_SOLICITATION = 135;
    public static final int NEIGHBOUR_ADVERTISEMENT = 136;

    /** ICMPv6 header with flags and target, no options. */
    public static final int LENGTH = 24;

    /** A link-layer address option for Ethernet. */
    public static final int LINK_ADDRESS_LENGTH = 8;

    public static final int SOURCE_LINK_ADDRESS = 1;
    public static final int TARGET_LINK_ADDRESS = 2;

    /** Flags of an advertisement, in the top byte of its 32-bit field. */
    public static final int ROUTER = 0x80;

    public static final int SOLICITED = 0x40;
    public static final int OVERRIDE = 0x20;

    /** No such option. Not a MAC address: those have 48 bits. */
    public static final long NO_MAC = -1;

    static final int FLAGS_OFFSET = 4;
    static final int TARGET_OFFSET = 8;

    /** ff02::1:ff00:0/104 (RFC 4291 §2.7.1). */
    private static final long SOLICITED_NODE_HIGH = 0xff02_0000_0000_0000L;

    private static final long SOLICITED_NODE_LOW = 0x0000_0001_ff00_0000L;
    private static final long LAST_24_BITS = 0xff_ffffL;

    private Ndp() {}

    public static int flags(MemorySegment segment, long at) {
        return Wire.u8(segment, at + FLAGS_OFFSET);
    }

    public static long targetHigh(MemorySegment segment, long at) {
        return Wire.i64(segment, at + TARGET_OFFSET);
    }

    public static long targetLow(MemorySegment segment, long at) {
        return Wire.i64(segment, at + TARGET_OFFSET + 8);
    }

    /** High word of every solicited-node group. */
    public static long solicitedNodeHigh() {
        return SOLICITED_NODE_HIGH;
    }

    /** Low word of the solicited-node group of the address with this low word. */
    public static long solicitedNodeLow(long low) {
        return SOLICITED_NODE_LOW | low & LAST_24_BITS;
    }

    public static boolean isSolicitedNode(long high, long low) {
        return high == SOLICITED_NODE_HIGH && (low & ~LAST_24_BITS) == SOLICITED_NODE_LOW;
    }

    /**
     * The MAC in the first option of this type.
     *
     * @param end where the ICMPv6 message ends, in the segment
     * @return {@link #NO_MAC} when there is none
     */
    public static long linkAddress(MemorySegment segment, long at, long end, int optionType) {
        long here = at + LENGTH;
        while (end - here >= 8) {
            int size = Wire.u8(segment, here + 1) << 3;
            if (size == 0 || end - here < size) {
                return NO_MAC;
            }
            if (Wire.u8(segment, here) == optionType && size == LINK_ADDRESS_LENGTH) {
                return Wire.u48(segment, here + 2);
            }
            here += size;
        }
        return NO_MAC;
    }

    /**
     * The checks a receiver must make of a solicitation (RFC 4861 §7.1.1): hop limit 255 (it was not routed), code 0,
     * checksum, length, target no group, no option of length 0; from the unspecified address only to a solicited-node
     * group and without a source address option.
     */
    public static boolean isValidSolicitation(Packet packet) {
        if (!hasValidShape(packet, NEIGHBOUR_SOLICITATION)) {
            return false;
        }
        if ((packet.key.srcHigh() | packet.key.srcLow()) != 0) {
            return true;
        }
        long at = packet.offset + packet.l4Offset;
        return isSolicitedNode(packet.key.dstHigh(), packet.key.dstLow())
                && linkAddress(packet.segment, at, packet.offset + packet.l3End, SOURCE_LINK_ADDRESS) == NO_MAC;
    }

    /**
     * The checks of an advertisement (RFC 4861 §7.1.2): those of a solicitation's shape, and one sent to a group is
     * not "solicited".
     */
    public static boolean isValidAdvertisement(Packet packet) {
        return hasValidShape(packet, NEIGHBOUR_ADVERTISEMENT)
                && ((flags(packet.segment, packet.offset + packet.l4Offset) & SOLICITED) == 0
                        || !IpAddress.isGroup(packet.key.dstHigh(), packet.key.dstLow()));
    }

    private static boolean hasValidShape(Packet packet, int type) {
        if (packet.key.etherType() != Ethernet.IPV6
                || packet.key.protocol() != Ipv6.ICMPV6
                || packet.key.fragment() != 0
                || packet.l4Offset == 0
                || packet.ttl != 255
                || packet.l3End - packet.l4Offset < LENGTH) {
            return false;
        }
        MemorySegment segment = packet.segment;
        long at = packet.offset + packet.l4Offset;
        long end = packet.offset + packet.l3End;
        return Icmpv6.type(segment, at) == type
                && Icmpv6.code(segment, at) == 0
                && !IpAddress.isGroup(targetHigh(segment, at), targetLow(segment, at))
                && optionsFit(segment, at + LENGTH, end)
                && Checksum.isTransportValid(segment, packet.offset + packet.l3Offset, at, end, Ipv6.ICMPV6);
    }

    private static boolean optionsFit(MemorySegment segment, long at, long end) {
        long here = at;
        while (end - here >= 2) {
            int size = Wire.u8(segment, here + 1) << 3;
            if (size == 0 || end - here < size) {
                return false;
            }
            here += size;
        }
        return here == end;
    }

    /** Flags, target and one link-layer address option; the ICMPv6 checksum is 0. Returns the octets written. */
    public static int write(
            MemorySegment segment,
            long at,
            int type,
            int flags,
            long targetHigh,
            long targetLow,
            int optionType,
            long mac) {
        Icmpv6.write(segment, at, type, 0, flags << 24);
        Wire.put64(segment, at + TARGET_OFFSET, targetHigh);
        Wire.put64(segment, at + TARGET_OFFSET + 8, targetLow);
        Wire.put8(segment, at + LENGTH, optionType);
        Wire.put8(segment, at + LENGTH + 1, 1);
        Wire.put48(segment, at + LENGTH + 2, mac);
        return LENGTH + LINK_ADDRESS_LENGTH;
    }
}
