package dev.weft.sim.packet;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import java.lang.foreign.MemorySegment;

/**
 * Writes a frame that a flow matches: the fields that count are the key's, the others are what makes it well-formed. No
 * payload; transport checksums are 0, as those of frames that leave them to hardware.
 */
@HotPath
public final class SampleWriter {
    /** Ethernet, a tag, IPv6, a fragment header, TCP padded to a multiple of 8. */
    public static final int MAX_LENGTH = Ethernet.LENGTH + Vlan.LENGTH + Ipv6.LENGTH + Ipv6.FRAGMENT_LENGTH + 24;

    /** IEEE 802 local experimental: a frame of which only the MACs count. */
    private static final int ANY_ETHER_TYPE = 0x88b5;
    /** For experiments (RFC 3692): an IP packet whose protocol does not count. */
    private static final int ANY_PROTOCOL = 253;

    private static final int TTL = 64;
    private static final int LATER_OFFSET_UNITS = 185; // 1,480 octets
    private static final int ETHER_TYPE_BITS = 0xffff;
    private static final long PROTOCOL_BITS = 0xffL << 56;

    private SampleWriter() {}

    /**
     * Writes at {@code at}, where {@link #MAX_LENGTH} octets must be. What cannot be made, as a frame of a protocol not
     * known here, the parser's key shows: it must be compared with the flow's.
     *
     * @param key under the mask
     * @return the frame's length
     */
    public static int write(FlowKey key, FlowMask mask, MemorySegment out, long at) {
        out.asSlice(at, MAX_LENGTH).fill((byte) 0);
        int type = (mask.word(1) & ETHER_TYPE_BITS) == 0 ? ANY_ETHER_TYPE : key.etherType();
        int l3 = Ethernet.LENGTH;
        if ((key.vlanTci() & FlowKey.VLAN_PRESENT) != 0) {
            Ethernet.write(out, at, key.dstMac(), key.srcMac(), Ethernet.VLAN);
            Wire.put16(out, at + l3, key.vlanTci() & ~FlowKey.VLAN_PRESENT);
            Wire.put16(out, at + l3 + 2, type);
            l3 += Vlan.LENGTH;
        } else {
            Ethernet.write(out, at, key.dstMac(), key.srcMac(), type);
        }
        return switch (type) {
            case Ethernet.IPV4 -> l3 + writeV4(key, mask, out, at + l3);
            case Ethernet.IPV6 -> l3 + writeV6(key, mask, out, at + l3);
            case Ethernet.ARP -> l3 + writeArp(key, out, at + l3);
            default -> l3;
        };
    }

    private static int writeArp(FlowKey key, MemorySegment out, long at) {
        Arp.write(out, at, key.protocol(), key.srcMac(), (int) key.srcLow(), 0, (int) key.dstLow());
        return Arp.LENGTH;
    }

    private static int writeV4(FlowKey key, FlowMask mask, MemorySegment out, long at) {
        int protocol = protocol(key, mask);
        int length = Ipv4.LENGTH + writeTransport(key, protocol, protocol == Ipv4.ICMP, out, at + Ipv4.LENGTH);
        int field =
                switch (key.fragment()) {
                    case FlowKey.FIRST_FRAGMENT -> Ipv4.MORE_FRAGMENTS;
                    case FlowKey.LATER_FRAGMENT -> LATER_OFFSET_UNITS;
                    default -> 0;
                };
        Ipv4.write(out, at, key.dscp() << 2, length, 0, field, TTL, protocol, (int) key.srcLow(), (int) key.dstLow());
        return length;
    }

    private static int writeV6(FlowKey key, FlowMask mask, MemorySegment out, long at) {
        int protocol = protocol(key, mask);
        boolean fragment = key.fragment() != FlowKey.NOT_FRAGMENT;
        int extension = fragment ? Ipv6.FRAGMENT_LENGTH : 0;
        long next = at + Ipv6.LENGTH;
        if (fragment) {
            Wire.put8(out, next, protocol);
            Wire.put16(out, next + 2, key.fragment() == FlowKey.FIRST_FRAGMENT ? 1 : LATER_OFFSET_UNITS << 3);
        }
        int payload = extension + writeTransport(key, protocol, protocol == Ipv6.ICMPV6, out, next + extension);
        Ipv6.write(
                out,
                at,
                key.dscp() << 2,
                0,
                payload,
                fragment ? Ipv6.FRAGMENT : protocol,
                TTL,
                key.srcHigh(),
                key.srcLow(),
                key.dstHigh(),
                key.dstLow());
        return Ipv6.LENGTH + payload;
    }

    private static int protocol(FlowKey key, FlowMask mask) {
        return (mask.word(7) & PROTOCOL_BITS) == 0 ? ANY_PROTOCOL : key.protocol();
    }

    /** Returns its length: of fragments that are not the last a multiple of 8. */
    private static int writeTransport(FlowKey key, int protocol, boolean icmp, MemorySegment out, long at) {
        if (key.fragment() == FlowKey.LATER_FRAGMENT) {
            return 0;
        }
        if (icmp) {
            Icmp.write(out, at, key.l4Src(), key.l4Dst(), key.icmpId() << 16);
            return Icmp.LENGTH;
        }
        if (protocol == Ipv4.UDP) {
            Udp.write(out, at, key.l4Src(), key.l4Dst(), Udp.LENGTH);
            return Udp.LENGTH;
        }
        if (protocol == Ipv4.TCP) {
            Tcp.write(out, at, key.l4Src(), key.l4Dst(), 0, 0, key.headerTcpFlags(), 0);
            return key.fragment() == FlowKey.FIRST_FRAGMENT ? Tcp.LENGTH + 4 : Tcp.LENGTH;
        }
        return 0;
    }
}
