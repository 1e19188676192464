package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.MacAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;

/**
 * The packet as it is at this point of its way, and the one place that says which bits of it a decision rested on:
 * {@code use...()} reads a field and puts it into the mask; what reads without that decides nothing. A MAC that a
 * router on the way has rewritten is no longer the packet's, so reading it costs no bits.
 */
@HotPath
abstract sealed class PacketView permits Simulation {
    private static final long SOURCE_GROUP_BIT = 1L << 56; // in word 2 of the key
    private static final int VLAN_ID_BITS = FlowKey.VLAN_PRESENT | 0xfff; // of the TCI: no priority
    private static final long ICMP_TYPE_BITS = 0xffff_0000L; // in word 7 of the key

    Packet packet = new Packet();
    Outcome out = new Outcome();
    long srcMac;
    long dstMac;
    boolean macsRewritten;
    /** Routers crossed. */
    int hops;

    final void view(Packet packet, Outcome out) {
        this.packet = packet;
        this.out = out;
        srcMac = packet.key.srcMac();
        dstMac = packet.key.dstMac();
        macsRewritten = false;
        hops = 0;
    }

    final long useDstMac() {
        if (!macsRewritten) {
            out.mask.addDstMac();
        }
        return dstMac;
    }

    final long useSrcMac() {
        if (!macsRewritten) {
            out.mask.addSrcMac();
        }
        return srcMac;
    }

    /** For the answer to this very packet: no decision rests on it. */
    final long srcMac() {
        return srcMac;
    }

    final boolean useIsSourceGroup() {
        if (!macsRewritten) {
            out.mask.setWord(2, out.mask.word(2) | SOURCE_GROUP_BIT);
        }
        return MacAddress.isGroup(srcMac);
    }

    /** Whether there is a tag, and the VLAN id; a priority tag is VLAN 0 as no tag is. */
    final int useVlan() {
        out.mask.setWord(2, out.mask.word(2) | VLAN_ID_BITS);
        return packet.key.vlanTci() & 0xfff;
    }

    final boolean useIsTagged() {
        out.mask.setWord(2, out.mask.word(2) | FlowKey.VLAN_PRESENT);
        return (packet.key.vlanTci() & FlowKey.VLAN_PRESENT) != 0;
    }

    final int useEtherType() {
        out.mask.addEtherType();
        return packet.key.etherType();
    }

    /** Needs the ethertype. */
    final int useProtocol() {
        out.mask.addProtocol();
        return packet.key.protocol();
    }

    /** Needs the ethertype. */
    final int useFragment() {
        out.mask.addFragment();
        return packet.key.fragment();
    }

    /** Needs protocol and fragment kind; also the ports, whose place it takes. */
    final int useIcmpType() {
        out.mask.setWord(7, out.mask.word(7) | ICMP_TYPE_BITS);
        return packet.key.l4Src();
    }

    final long useSrcHigh(int bits) {
        out.mask.addSrc(bits);
        return packet.key.srcHigh();
    }

    final long useDstHigh(int bits) {
        out.mask.addDst(bits);
        return packet.key.dstHigh();
    }

    final long srcHigh() {
        return packet.key.srcHigh();
    }

    final long srcLow() {
        return packet.key.srcLow();
    }

    final long dstHigh() {
        return packet.key.dstHigh();
    }

    final long dstLow() {
        return packet.key.dstLow();
    }

    /** Whether it is ICMPv6 of neighbour discovery (types 133 to 137); needs to be IPv6. */
    final boolean useIsDiscovery() {
        return useProtocol() == Ipv6.ICMPV6
                && useFragment() != FlowKey.LATER_FRAGMENT
                && Icmpv6.isDiscovery(useIcmpType());
    }

    /** TTL or hop limit as the packet has it here; never part of a mask, since DEC_TTL looks again. */
    final int ttl() {
        return packet.ttl - hops;
    }
}
