package dev.weft.sim.flow;

import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * Everything of a packet that a flow can match, as ten 64-bit words. Not thread safe; reused per packet.
 *
 * <pre>
 * word 0  ingress port (31..0, datapath port number) | tunnel key (63..32; 0 unless the port is the tunnel port)
 * word 1  destination MAC (63..16) | ethertype (15..0, behind one VLAN tag if there is one)
 * word 2  source MAC (63..16) | VLAN TCI (15..0; 0 = untagged, else bit 12 is set as in struct sk_buff users: OVS "tci")
 * word 3,4  source address, high and low; IPv4 is mapped (::ffff:a.b.c.d). ARP: sender protocol address
 * word 5,6  destination address likewise. ARP: target protocol address
 * word 7  protocol (63..56; ARP: operation) | DSCP (55..48, 0..63) | fragment kind (47..40) | TCP flags (39..32)
 *         | L4 source (31..16; ICMP type) | L4 destination (15..0; ICMP code)
 * word 8  ICMP echo id (63..48) | zero | Serval control (39..32) | Serval destination flow id (31..0)
 * word 9  digest of the Serval service id
 * </pre>
 *
 * <p>The Serval fields are those of unfragmented IPv4 packets of protocol 144, or of UDP where either port is 54324 or
 * 54325; {@link dev.weft.sim.sal.SalKey} says octet by octet how they are read, for the parser's twin in the kernel.
 *
 * TTL, length and payload are never part of a key (actions that depend on them punt to user space).
 */
@HotPath
public final class FlowKey {
    public static final int WORDS = 10;
    public static final int BYTES = WORDS * Long.BYTES;

    /** The ingress "port" of every packet that came through the tunnel. */
    public static final int TUNNEL_PORT = 0;

    public static final int NOT_FRAGMENT = 0;
    public static final int FIRST_FRAGMENT = 1;
    public static final int LATER_FRAGMENT = 2;

    /** Flag bits of word 7, as in the TCP header (RFC 9293 §3.1). */
    public static final int TCP_FIN = 0x01;

    public static final int TCP_SYN = 0x02;
    public static final int TCP_RST = 0x04;
    /** SYN without ACK: whoever sends it begins a connection. The one flag that is of the key alone. */
    public static final int TCP_OPENS = 0x80;

    public static final int ALL_TCP_FLAGS = 0xff;

    private static final int HEADER_FLAGS = TCP_FIN | TCP_SYN | TCP_RST;
    private static final int TCP_ACK = 0x10;

    /** Set in a TCI whose tag is present, so that VLAN 0 priority tags differ from no tag. */
    public static final int VLAN_PRESENT = 0x1000;

    private final long[] words = new long[WORDS];

    public long word(int index) {
        return words[index];
    }

    public void setWord(int index, long value) {
        words[index] = value;
    }

    public void clear() {
        Arrays.fill(words, 0);
    }

    public void copyFrom(FlowKey other) {
        System.arraycopy(other.words, 0, words, 0, WORDS);
    }

    public void copyTo(long[] target, int at) {
        System.arraycopy(words, 0, target, at, WORDS);
    }

    public void copyFrom(long[] source, int at) {
        System.arraycopy(source, at, words, 0, WORDS);
    }

    public int inPort() {
        return (int) words[0];
    }

    public int tunnelKey() {
        return (int) (words[0] >>> 32);
    }

    public void setIngress(int inPort, int tunnelKey) {
        words[0] = (long) tunnelKey << 32 | inPort & 0xffff_ffffL;
    }

    public long dstMac() {
        return words[1] >>> 16;
    }

    public int etherType() {
        return (int) words[1] & 0xffff;
    }

    public void setDstMac(long mac) {
        words[1] = mac << 16 | words[1] & 0xffff;
    }

    public void setEtherType(int etherType) {
        words[1] = words[1] & ~0xffffL | etherType;
    }

    public long srcMac() {
        return words[2] >>> 16;
    }

    public int vlanTci() {
        return (int) words[2] & 0xffff;
    }

    public void setSrcMac(long mac) {
        words[2] = mac << 16 | words[2] & 0xffff;
    }

    public void setVlanTci(int tci) {
        words[2] = words[2] & ~0xffffL | tci;
    }

    public long srcHigh() {
        return words[3];
    }

    public long srcLow() {
        return words[4];
    }

    public void setSrc(long high, long low) {
        words[3] = high;
        words[4] = low;
    }

    public long dstHigh() {
        return words[5];
    }

    public long dstLow() {
        return words[6];
    }

    public void setDst(long high, long low) {
        words[5] = high;
        words[6] = low;
    }

    public int protocol() {
        return (int) (words[7] >>> 56);
    }

    public int dscp() {
        return (int) (words[7] >>> 48) & 0xff;
    }

    public int fragment() {
        return (int) (words[7] >>> 40) & 0xff;
    }

    public int tcpFlags() {
        return (int) (words[7] >>> 32) & 0xff;
    }

    /** The flags of a key, of those in the TCP header. */
    public static int tcpFlagsOf(int header) {
        return header & HEADER_FLAGS | ((header & (TCP_SYN | TCP_ACK)) == TCP_SYN ? TCP_OPENS : 0);
    }

    /** The flags in the TCP header of a packet with this key, as far as it says: with no SYN of its own, an ACK. */
    public int headerTcpFlags() {
        int flags = tcpFlags();
        return flags & HEADER_FLAGS | ((flags & TCP_OPENS) == 0 ? TCP_ACK : TCP_SYN);
    }

    public void setTcpFlags(int flags) {
        words[7] = words[7] & ~(0xffL << 32) | (long) flags << 32;
    }

    public int l4Src() {
        return (int) (words[7] >>> 16) & 0xffff;
    }

    public int l4Dst() {
        return (int) words[7] & 0xffff;
    }

    public void setTransport(int protocol, int dscp, int fragment, int tcpFlags, int l4Src, int l4Dst) {
        words[7] = (long) protocol << 56
                | (long) dscp << 48
                | (long) fragment << 40
                | (long) tcpFlags << 32
                | (long) l4Src << 16
                | l4Dst;
    }

    public int icmpId() {
        return (int) (words[8] >>> 48);
    }

    public void setIcmpId(int id) {
        words[8] = words[8] & 0x0000_ffff_ffff_ffffL | (long) id << 48;
    }

    /** The receiver's Serval flow, 0 when the packet has none. */
    public int flowId() {
        return (int) words[8];
    }

    /** Control flags and order of extensions, as {@link dev.weft.sim.sal.SalKey} reads them. */
    public int salControl() {
        return (int) (words[8] >>> 32) & 0xff;
    }

    public long serviceDigest() {
        return words[9];
    }

    public void setSal(int salControl, int flowId, long serviceDigest) {
        words[8] = words[8] & ~0xff_ffff_ffffL | (long) salControl << 32 | flowId & 0xffff_ffffL;
        words[9] = serviceDigest;
    }

    /** Equal on every bit of the mask. */
    public boolean matches(FlowKey other, FlowMask mask) {
        long difference = 0;
        for (int i = 0; i < WORDS; i++) {
            difference |= (words[i] ^ other.words[i]) & mask.word(i);
        }
        return difference == 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FlowKey key && Arrays.equals(words, key.words);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(words);
    }

    /** The packet expression of this key is in {@code dev.weft.sim.trace}; this is for a debugger. */
    @Override
    public String toString() {
        return FlowText.of(this, null);
    }
}
