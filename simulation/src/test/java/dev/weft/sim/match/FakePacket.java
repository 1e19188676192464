package dev.weft.sim.match;

import dev.weft.base.IpPrefix;
import java.util.Arrays;

/** A packet made of fields alone, that keeps book of which bits a search used. */
final class FakePacket implements Fields {
    static final int[] NUMBERS = {PROTOCOL, L4_SRC, L4_DST, ETHERTYPE, VLAN, DSCP};
    static final int[] MACS = {SRC_MAC, DST_MAC};
    static final int[] ADDRESSES = {SRC, DST};

    int kind = IPV4;
    int fragment = UNFRAGMENTED;
    boolean quoted;
    final long[] high = new long[OUT_PORT + 1];
    final long[] low = new long[OUT_PORT + 1];
    int[] crossed = {};
    // What was used.
    boolean usedKind;
    boolean usedFragment;
    final long[] usedHigh = new long[OUT_PORT + 1];
    final long[] usedLow = new long[OUT_PORT + 1];

    FakePacket copy() {
        var copy = new FakePacket();
        copy.kind = kind;
        copy.fragment = fragment;
        copy.quoted = quoted;
        System.arraycopy(high, 0, copy.high, 0, high.length);
        System.arraycopy(low, 0, copy.low, 0, low.length);
        copy.crossed = crossed;
        return copy;
    }

    /** Takes over from another packet what no search has used here. */
    void blend(FakePacket used, FakePacket from) {
        FakePacket other = from.copy();
        if (used.usedKind && other.kind != used.kind) { // addresses are those of a family
            for (int field : ADDRESSES) {
                other.high[field] = used.high[field];
                other.low[field] = used.low[field];
            }
        }
        kind = used.usedKind ? used.kind : other.kind;
        fragment = used.usedFragment ? used.fragment : other.fragment;
        for (int field = 0; field < IN_PORT; field++) {
            high[field] = used.high[field] & used.usedHigh[field] | other.high[field] & ~used.usedHigh[field];
            low[field] = used.low[field] & used.usedLow[field] | other.low[field] & ~used.usedLow[field];
        }
        for (int field = IN_PORT; field <= OUT_PORT; field++) {
            high[field] = used.high[field];
        }
        crossed = used.crossed;
        quoted = used.quoted;
    }

    @Override
    public int kind() {
        usedKind = true;
        return kind;
    }

    @Override
    public int fragment() {
        usedFragment = true;
        return fragment;
    }

    @Override
    public boolean hasPorts() {
        if ((kind() & IP) == 0) {
            return false;
        }
        use(PROTOCOL, 8);
        int protocol = value(PROTOCOL);
        return (protocol == 6 || protocol == 17) && fragment() != LATER_FRAGMENT;
    }

    @Override
    public boolean hasIcmp() {
        if ((kind() & IP) == 0) {
            return false;
        }
        use(PROTOCOL, 8);
        return value(PROTOCOL) == (kind == IPV4 ? 1 : 58) && fragment() != LATER_FRAGMENT;
    }

    @Override
    public boolean hasQuote() {
        return hasIcmp() && quoted;
    }

    @Override
    public int value(int field) {
        return field == ICMP ? (int) (high[L4_SRC] << 16 | high[L4_DST]) : (int) high[field];
    }

    @Override
    public long mac(int field) {
        return high[field];
    }

    @Override
    public long high(int field) {
        return high[field];
    }

    @Override
    public long low(int field) {
        return low[field];
    }

    @Override
    public void use(int field, int bits) {
        int width = Fields.width(field);
        if (width == 128) {
            usedHigh[field] |= IpPrefix.highMask(bits);
            usedLow[field] |= IpPrefix.lowMask(bits);
        } else if (field == ICMP) {
            use(L4_SRC, Math.min(bits, 16));
            use(L4_DST, Math.max(0, bits - 16));
        } else {
            usedHigh[field] |= (1L << width) - (1L << width - bits);
        }
    }

    @Override
    public void useMac(int field, long bits) {
        usedHigh[field] |= bits;
    }

    @Override
    public boolean crossed(int place, int[] sortedIndices) {
        return Arrays.stream(crossed).anyMatch(index -> Arrays.binarySearch(sortedIndices, index) >= 0);
    }
}
