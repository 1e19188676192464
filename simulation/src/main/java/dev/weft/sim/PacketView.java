package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.MacAddress;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Headers;
import dev.weft.sim.packet.Icmpv6;
import dev.weft.sim.packet.Ipv6;
import dev.weft.sim.packet.Packet;

/**
 * The packet as it is at this point of its way, and the one place that says which bits of it a decision rested on:
 * {@code use...()} reads a field and puts it into the mask; what reads without that decides nothing.
 *
 * <p>Masks are about the packet as it entered. A field that a device on the way has rewritten is no longer the packet's,
 * so reading it costs no bits: {@code rewrite...()} has paid for it, with all bits of what it replaced, and whoever
 * chose the new value with those that proved the choice.
 */
@HotPath
abstract sealed class PacketView permits Simulation {
    private static final long SOURCE_GROUP_BIT = 1L << 56; // in word 2 of the key
    static final int VLAN_ID_BITS = FlowKey.VLAN_PRESENT | 0xfff; // of the TCI: no priority
    private static final int VLAN_PRIORITY_BITS = 0xe000; // of the TCI
    private static final long L4_SRC_BITS = 0xffff_0000L; // in word 7 of the key; the ICMP type
    private static final long L4_DST_BITS = 0xffffL; // in word 7 of the key; the ICMP code
    private static final int FULL_ADDRESS = 128;

    Packet packet = new Packet();
    Outcome out = new Outcome();
    long srcMac;
    long dstMac;
    boolean macsRewritten;
    /** The tag as it is by now, in the form of the key; 0 for none. */
    int vlanTci;

    boolean tagRewritten;
    /** Its priority, when it came with a tag, is that of tags put on later; a router makes another frame of it. */
    boolean keepsPriority;
    /** The packet as it is by now. */
    final Headers headers = new Headers();
    /** Of an ICMP error: the packet it quotes, as it is by now; never in a mask, so such an outcome is not cacheable. */
    final Headers quoted = new Headers();
    /** Routers crossed. */
    int hops;

    final void view(Packet packet, Outcome out) {
        this.packet = packet;
        this.out = out;
        srcMac = packet.key.srcMac();
        dstMac = packet.key.dstMac();
        macsRewritten = false;
        vlanTci = tciOf(packet);
        tagRewritten = false;
        keepsPriority = true;
        headers.readFrom(packet.key);
        quoted.readFrom(packet.quote);
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

    final long dstMac() {
        return dstMac;
    }

    // Parts of fields, counted from the first bit on; for the MACs and the VLAN, as bits of a mask.

    final void useSrcMacBits(long bits) {
        if (!macsRewritten) {
            out.mask.setWord(2, out.mask.word(2) | bits << 16);
        }
    }

    final void useDstMacBits(long bits) {
        if (!macsRewritten) {
            out.mask.setWord(1, out.mask.word(1) | bits << 16);
        }
    }

    /** Whether there is a tag, then the id's bits. */
    final void useVlanBits(int bits) {
        if (!tagRewritten) {
            out.mask.setWord(2, out.mask.word(2) | firstBits(bits, 13));
        }
    }

    /** Needs the ethertype. */
    final void useProtocolBits(int bits) {
        out.mask.setWord(7, out.mask.word(7) | firstBits(bits, 8) << 56);
    }

    /** Needs the ethertype. */
    final void useDscp(int bits) {
        out.mask.setWord(7, out.mask.word(7) | firstBits(bits, 6) << 48);
    }

    /** Needs protocol and fragment kind. */
    final void useL4Src(int bits) {
        if ((headers.rewritten & Headers.L4_SRC) == 0) {
            out.mask.setWord(7, out.mask.word(7) | firstBits(bits, 16) << 16);
        }
    }

    /** Needs protocol and fragment kind. */
    final void useL4Dst(int bits) {
        if ((headers.rewritten & Headers.L4_DST) == 0) {
            out.mask.setWord(7, out.mask.word(7) | firstBits(bits, 16));
        }
    }

    /** Of type and code, 16 bits each; needs protocol and fragment kind. */
    final void useIcmpKind(int bits) {
        out.mask.setWord(7, out.mask.word(7) | firstBits(bits, 32));
    }

    private static long firstBits(int bits, int width) {
        return (1L << width) - (1L << width - bits);
    }

    final boolean useIsSourceGroup() {
        if (!macsRewritten) {
            out.mask.setWord(2, out.mask.word(2) | SOURCE_GROUP_BIT);
        }
        return MacAddress.isGroup(srcMac);
    }

    /** The VLAN id of the tag; a priority tag is VLAN 0 as no tag is. */
    final int useVlan() {
        if (!tagRewritten) {
            out.mask.setWord(2, out.mask.word(2) | VLAN_ID_BITS);
        }
        return vlanTci & 0xfff;
    }

    /** Needs the VLAN. */
    final boolean isTagged() {
        return vlanTci != 0;
    }

    final boolean useIsTagged() {
        if (!tagRewritten) {
            out.mask.setWord(2, out.mask.word(2) | FlowKey.VLAN_PRESENT);
        }
        return vlanTci != 0;
    }

    /**
     * From now on the packet has a tag of this VLAN, or none for 0. What it had decides which actions that takes, so
     * {@link #useVlan} comes before.
     */
    final void retag(int vlan) {
        if (vlan == 0) {
            tagRewritten |= vlanTci != 0;
            vlanTci = 0;
        } else if ((vlanTci & VLAN_ID_BITS) != (FlowKey.VLAN_PRESENT | vlan)) {
            vlanTci = usePriority() | FlowKey.VLAN_PRESENT | vlan;
            tagRewritten = true;
        }
    }

    /** The priority it came with, in its place in a TCI; 0 after a router. */
    final int usePriority() {
        if (!keepsPriority || tciOf(packet) == 0) {
            return 0;
        }
        out.mask.setWord(2, out.mask.word(2) | VLAN_PRIORITY_BITS);
        return packet.key.vlanTci() & VLAN_PRIORITY_BITS;
    }

    /** Whether the tag it came with happens to be the one it has now depends on the priority, which a router forgets. */
    final void useTagComparison() {
        if (tagRewritten && vlanTci != 0 && tciOf(packet) != 0) {
            out.mask.setWord(2, out.mask.word(2) | VLAN_PRIORITY_BITS);
        }
    }

    private static int tciOf(Packet packet) {
        int tci = packet.key.vlanTci();
        return (tci & FlowKey.VLAN_PRESENT) == 0 ? 0 : tci;
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
        out.mask.setWord(7, out.mask.word(7) | L4_SRC_BITS);
        return packet.key.l4Src();
    }

    /** TCP or UDP source port, 0 in later fragments; needs protocol and fragment kind. */
    final int useL4Src() {
        if ((headers.rewritten & Headers.L4_SRC) == 0) {
            out.mask.setWord(7, out.mask.word(7) | L4_SRC_BITS);
        }
        return headers.l4Src;
    }

    /** TCP or UDP destination port (ICMP: code); needs protocol and fragment kind. */
    final int useL4Dst() {
        if ((headers.rewritten & Headers.L4_DST) == 0) {
            out.mask.setWord(7, out.mask.word(7) | L4_DST_BITS);
        }
        return headers.l4Dst;
    }

    /** Control flags of Serval; needs protocol, fragment kind and, of UDP, the ports. */
    final int useSalControl() {
        out.mask.addSalControl();
        return packet.key.salControl();
    }

    /** The receiver's Serval flow, 0 when there is none; needs what {@link #useSalControl} needs. */
    final int useSalFlow() {
        out.mask.addSalFlow();
        return packet.key.flowId();
    }

    /** Echo id; needs the ICMP type. */
    final int useIcmpId() {
        if ((headers.rewritten & Headers.ICMP_ID) == 0) {
            out.mask.addIcmpId();
        }
        return headers.icmpId;
    }

    final long useSrcHigh(int bits) {
        if ((headers.rewritten & Headers.SRC) == 0) {
            out.mask.addSrc(bits);
        }
        return headers.srcHigh;
    }

    final long useDstHigh(int bits) {
        if ((headers.rewritten & Headers.DST) == 0) {
            out.mask.addDst(bits);
        }
        return headers.dstHigh;
    }

    final long srcHigh() {
        return headers.srcHigh;
    }

    final long srcLow() {
        return headers.srcLow;
    }

    final long dstHigh() {
        return headers.dstHigh;
    }

    final long dstLow() {
        return headers.dstLow;
    }

    /** Whether a device on the way has rewritten the destination address or port. */
    final boolean isDstRewritten() {
        return (headers.rewritten & (Headers.DST | Headers.L4_DST)) != 0;
    }

    // Rewrites. All bits of the field that goes: an action puts one value in its place, whatever it was.

    final void rewriteSrc(long high, long low) {
        useSrcHigh(FULL_ADDRESS);
        headers.srcHigh = high;
        headers.srcLow = low;
        headers.rewritten |= Headers.SRC;
    }

    final void rewriteDst(long high, long low) {
        useDstHigh(FULL_ADDRESS);
        headers.dstHigh = high;
        headers.dstLow = low;
        headers.rewritten |= Headers.DST;
    }

    final void rewriteL4Src(int port) {
        useL4Src();
        headers.l4Src = port;
        headers.rewritten |= Headers.L4_SRC;
    }

    final void rewriteL4Dst(int port) {
        useL4Dst();
        headers.l4Dst = port;
        headers.rewritten |= Headers.L4_DST;
    }

    final void rewriteIcmpId(int id) {
        useIcmpId();
        headers.icmpId = id;
        headers.rewritten |= Headers.ICMP_ID;
    }

    // Of what an ICMP error quotes: never in a mask.

    final void rewriteQuotedSrc(long high, long low) {
        quoted.srcHigh = high;
        quoted.srcLow = low;
        quoted.rewritten |= Headers.SRC;
    }

    final void rewriteQuotedDst(long high, long low) {
        quoted.dstHigh = high;
        quoted.dstLow = low;
        quoted.rewritten |= Headers.DST;
    }

    final void rewriteQuotedPorts(int src, int dst) {
        quoted.l4Src = src;
        quoted.l4Dst = dst;
        quoted.rewritten |= Headers.L4_SRC | Headers.L4_DST;
    }

    final void rewriteQuotedId(int id) {
        quoted.icmpId = id;
        quoted.rewritten |= Headers.ICMP_ID;
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
