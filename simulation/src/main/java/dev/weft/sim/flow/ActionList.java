package dev.weft.sim.flow;

import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import java.util.Arrays;

/**
 * What becomes of a packet, in order: rewrites change the packet for all that follows, outputs send it as it is then.
 * An empty list drops. A flat program of 64-bit words, operation in the top byte; the datapath runs it as it stands.
 * Not thread safe; reused per packet.
 *
 * <pre>
 * OUTPUT       op | mtu (47..32; 0 = any) | datapath port (31..0)   longer than mtu: the packet goes to user space
 * TUNNEL       op | mtu (47..32)          | tunnel key (23..0), then the remote address: high, low
 * SET_SRC_MAC  op | MAC (47..0)
 * SET_DST_MAC  op | MAC (47..0)
 * DEC_TTL      op                            TTL or hop limit of 1 or less: the packet goes to user space
 * SET_SRC      op, then the address: high, low (IPv4 mapped)        of the packet's own family, else nothing is done
 * SET_DST      op, then the address: high, low
 * SET_L4_SRC   op | port (15..0)             TCP and UDP; of later fragments nothing is changed
 * SET_L4_DST   op | port (15..0)
 * SET_ICMP_ID  op | id (15..0)               echo request and reply
 * SET_DSCP     op | DSCP (5..0)              ECN stays
 * PUSH_VLAN    op | TCI (15..0)              an 802.1Q tag; a frame has one at most, so one that is there is replaced
 * POP_VLAN     op
 * </pre>
 *
 * <p>Checksums of IP, TCP, UDP and ICMP follow each rewrite (RFC 1624); a UDP checksum of 0 says that there is none and
 * stays. A rewrite that does not apply to the packet does nothing. Where an output's MTU is not 0, the MSS option of a
 * TCP SYN is lowered to what fits it (RFC 9293 §3.7.1: without options); like a rewrite, for all that follows.
 */
@HotPath
public final class ActionList {
    public static final int OUTPUT = 1;
    public static final int TUNNEL = 2;
    public static final int SET_SRC_MAC = 3;
    public static final int SET_DST_MAC = 4;
    public static final int DEC_TTL = 5;
    public static final int SET_SRC = 6;
    public static final int SET_DST = 7;
    public static final int SET_L4_SRC = 8;
    public static final int SET_L4_DST = 9;
    public static final int SET_ICMP_ID = 10;
    public static final int SET_DSCP = 11;
    public static final int PUSH_VLAN = 12;
    public static final int POP_VLAN = 13;

    /** Words one list may hold: a flood to 80 hosts fits; more than that does not, and {@link #overflowed()} says so. */
    public static final int MAX_WORDS = 256;

    private final long[] words = new long[MAX_WORDS];
    private int length;
    private boolean overflowed;

    public void clear() {
        length = 0;
        overflowed = false;
    }

    public int length() {
        return length;
    }

    public long word(int index) {
        return words[index];
    }

    public boolean isDrop() {
        return length == 0;
    }

    /** More than one way out. */
    public boolean hasSeveralOutputs() {
        int outputs = 0;
        for (int i = 0; i < length; i += size(words[i])) {
            int operation = operation(words[i]);
            outputs += operation == OUTPUT || operation == TUNNEL ? 1 : 0;
        }
        return outputs > 1;
    }

    /** An action did not fit and was left out: the list must not be used. */
    public boolean overflowed() {
        return overflowed;
    }

    public void output(int port, int mtu) {
        if (hasRoom(1)) {
            words[length++] = op(OUTPUT) | (long) mtu << 32 | port & 0xffff_ffffL;
        }
    }

    public void tunnel(long remoteHigh, long remoteLow, int key, int mtu) {
        if (hasRoom(3)) {
            words[length++] = op(TUNNEL) | (long) mtu << 32 | key & 0xff_ffffL;
            words[length++] = remoteHigh;
            words[length++] = remoteLow;
        }
    }

    public void setSrcMac(long mac) {
        one(SET_SRC_MAC, mac);
    }

    public void setDstMac(long mac) {
        one(SET_DST_MAC, mac);
    }

    public void decTtl() {
        one(DEC_TTL, 0);
    }

    /** @param high with {@code low}, the address in its 128-bit form */
    public void setSrc(long high, long low) {
        address(SET_SRC, high, low);
    }

    /** @param high with {@code low}, the address in its 128-bit form */
    public void setDst(long high, long low) {
        address(SET_DST, high, low);
    }

    public void setL4Src(int port) {
        one(SET_L4_SRC, port & 0xffff);
    }

    public void setL4Dst(int port) {
        one(SET_L4_DST, port & 0xffff);
    }

    public void setIcmpId(int id) {
        one(SET_ICMP_ID, id & 0xffff);
    }

    /** @param dscp 0..63 */
    public void setDscp(int dscp) {
        one(SET_DSCP, dscp & 0x3f);
    }

    /** @param tci priority (15..13), drop eligible (12), VLAN id (11..0) */
    public void pushVlan(int tci) {
        one(PUSH_VLAN, tci & 0xffff);
    }

    public void popVlan() {
        one(POP_VLAN, 0);
    }

    private void one(int operation, long operand) {
        if (hasRoom(1)) {
            words[length++] = op(operation) | operand;
        }
    }

    private void address(int operation, long high, long low) {
        if (hasRoom(3)) {
            words[length++] = op(operation);
            words[length++] = high;
            words[length++] = low;
        }
    }

    public void copyFrom(ActionList other) {
        System.arraycopy(other.words, 0, words, 0, other.length);
        length = other.length;
        overflowed = other.overflowed;
    }

    /** Words of {@code source}, as {@link #copyTo} wrote them. */
    public void copyFrom(long[] source, int at, int count) {
        System.arraycopy(source, at, words, 0, count);
        length = count;
        overflowed = false;
    }

    public void copyTo(long[] target, int at) {
        System.arraycopy(words, 0, target, at, length);
    }

    public static int operation(long word) {
        return (int) (word >>> 56);
    }

    /** Words the action that starts with {@code word} takes. */
    public static int size(long word) {
        int operation = operation(word);
        return operation == TUNNEL || operation == SET_SRC || operation == SET_DST ? 3 : 1;
    }

    public static int port(long word) {
        return (int) word;
    }

    public static int key(long word) {
        return (int) word & 0xff_ffff;
    }

    public static int mtu(long word) {
        return (int) (word >>> 32) & 0xffff;
    }

    public static long mac(long word) {
        return word & 0xffff_ffff_ffffL;
    }

    /** The port, id, DSCP or TCI of a rewrite. */
    public static int operand(long word) {
        return (int) word & 0xffff;
    }

    private static long op(int operation) {
        return (long) operation << 56;
    }

    private boolean hasRoom(int words) {
        if (length + words > MAX_WORDS) {
            overflowed = true;
        }
        return !overflowed;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ActionList list && Arrays.equals(words, 0, length, list.words, 0, list.length);
    }

    @Override
    public int hashCode() {
        return length == 0 ? 0 : Long.hashCode(words[0]) * 31 + length;
    }

    /** {@code set-dst-mac 02:00:00:00:00:02, dec-ttl, tunnel 172.16.0.2 key 65537}. */
    @Override
    public String toString() {
        if (isDrop()) {
            return "drop";
        }
        var text = new StringBuilder();
        for (int i = 0; i < length; i += size(words[i])) {
            text.append(i == 0 ? "" : ", ");
            long word = words[i];
            switch (operation(word)) {
                case OUTPUT -> text.append("output ").append(port(word));
                case TUNNEL ->
                    text.append("tunnel ")
                            .append(IpAddress.toString(words[i + 1], words[i + 2]))
                            .append(" key ")
                            .append(key(word));
                case SET_SRC_MAC -> text.append("set-src-mac ").append(MacAddress.toString(mac(word)));
                case SET_DST_MAC -> text.append("set-dst-mac ").append(MacAddress.toString(mac(word)));
                case DEC_TTL -> text.append("dec-ttl");
                case SET_SRC -> text.append("set-src ").append(IpAddress.toString(words[i + 1], words[i + 2]));
                case SET_DST -> text.append("set-dst ").append(IpAddress.toString(words[i + 1], words[i + 2]));
                case SET_L4_SRC -> text.append("set-l4-src ").append(operand(word));
                case SET_L4_DST -> text.append("set-l4-dst ").append(operand(word));
                case SET_ICMP_ID -> text.append("set-icmp-id ").append(operand(word));
                case SET_DSCP -> text.append("set-dscp ").append(operand(word));
                case PUSH_VLAN ->
                    text.append("push-vlan ")
                            .append(operand(word) & 0xfff)
                            .append(" priority ")
                            .append(operand(word) >>> 13);
                case POP_VLAN -> text.append("pop-vlan");
                default -> text.append("unknown-").append(operation(word));
            }
        }
        return text.toString();
    }
}
