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
 * </pre>
 */
@HotPath
public final class ActionList {
    public static final int OUTPUT = 1;
    public static final int TUNNEL = 2;
    public static final int SET_SRC_MAC = 3;
    public static final int SET_DST_MAC = 4;
    public static final int DEC_TTL = 5;

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
        if (hasRoom(1)) {
            words[length++] = op(SET_SRC_MAC) | mac;
        }
    }

    public void setDstMac(long mac) {
        if (hasRoom(1)) {
            words[length++] = op(SET_DST_MAC) | mac;
        }
    }

    public void decTtl() {
        if (hasRoom(1)) {
            words[length++] = op(DEC_TTL);
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
        return operation(word) == TUNNEL ? 3 : 1;
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
                default -> text.append("unknown-").append(operation(word));
            }
        }
        return text.toString();
    }
}
