package dev.weft.sim.flow;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import org.jspecify.annotations.Nullable;

/**
 * A key as people read it, one word per field that counts: {@code in=3 dst-mac=02:.. type=0x0800
 * dst=10.0.2.0/24 l4-dst=64/0xffc0}. Of a field that counts in part, the other bits are shown as 0.
 */
public final class FlowText {
    private static final long MAC_BITS = 0xffff_ffff_ffffL;

    private FlowText() {}

    /** @param mask null: every field is shown exactly */
    public static String of(FlowKey key, @Nullable FlowMask mask) {
        var text = new StringBuilder(120);
        text.append("in=").append(key.inPort());
        if (key.inPort() == FlowKey.TUNNEL_PORT) {
            text.append(" key=").append(key.tunnelKey());
        }
        mac(text, "src-mac", key.srcMac(), mask == null ? MAC_BITS : mask.word(2) >>> 16);
        mac(text, "dst-mac", key.dstMac(), mask == null ? MAC_BITS : mask.word(1) >>> 16);
        long tag = mask == null ? key.vlanTci() : mask.word(2) & 0xffff;
        field(text, "vlan", "0x%04x".formatted(mask == null ? key.vlanTci() : key.vlanTci() & tag), tag);
        field(text, "type", "0x%04x".formatted(key.etherType()), mask == null ? -1 : mask.word(1) & 0xffff);
        address(text, "src", key.srcHigh(), key.srcLow(), mask, 3);
        address(text, "dst", key.dstHigh(), key.dstLow(), mask, 5);
        long m7 = mask == null ? -1L : mask.word(7);
        number(text, "proto", key.protocol(), m7 >>> 56, 0xff);
        number(text, "dscp", key.dscp(), m7 >>> 48 & 0x3f, 0x3f);
        field(text, "fragment", Integer.toString(key.fragment()), m7 >>> 40 & 0xff);
        long flags = m7 >>> 32 & 0xff;
        String partly = flags == 0xff ? "" : "/0x%02x".formatted(flags);
        field(text, "flags", "0x%02x".formatted(key.tcpFlags() & flags) + partly, flags);
        number(text, "l4-src", key.l4Src(), m7 >>> 16 & 0xffff, 0xffff);
        number(text, "l4-dst", key.l4Dst(), m7 & 0xffff, 0xffff);
        number(text, "icmp-id", key.icmpId(), mask == null ? key.icmpId() : mask.word(8) >>> 48, 0);
        // Without a mask, fields that most packets lack are shown where they are not 0.
        long m8 = mask == null ? key.word(8) : mask.word(8);
        field(text, "sal-control", "0x%02x".formatted(key.salControl()), m8 >>> 32 & 0xff);
        masked(text, "flow-id", key.flowId() & 0xffff_ffffL, mask == null ? -1 : (int) m8, (int) m8 != 0);
        long digest = key.serviceDigest();
        field(text, "service", "0x%016x".formatted(digest), mask == null ? digest : mask.word(9));
        return text.toString();
    }

    /** The fields that count, without values: {@code in dst-mac type dst/24 proto}. Addresses are in the 128-bit form. */
    public static String of(FlowMask mask) {
        var text = new StringBuilder("in");
        name(text, "src-mac", mask.word(2) >>> 16, 48);
        name(text, "dst-mac", mask.word(1) >>> 16, 48);
        name(text, "vlan", mask.word(2) & 0xffff, 0);
        name(text, "type", mask.word(1) & 0xffff, 0);
        prefix(text, "src", mask.word(3), mask.word(4));
        prefix(text, "dst", mask.word(5), mask.word(6));
        name(text, "proto", mask.word(7) >>> 56, 0);
        name(text, "dscp", mask.word(7) >>> 48 & 0xff, 0);
        name(text, "fragment", mask.word(7) >>> 40 & 0xff, 0);
        name(text, "flags", mask.word(7) >>> 32 & 0xff, 0);
        name(text, "l4-src", mask.word(7) >>> 16 & 0xffff, 0);
        name(text, "l4-dst", mask.word(7) & 0xffff, 0);
        name(text, "icmp-id", mask.word(8) >>> 48, 0);
        name(text, "flow-id", mask.word(8) & 0xffff_ffffL, 0);
        name(text, "service", mask.word(9), 0);
        return text.toString();
    }

    /** @param bits of the whole field, when less of it may count: then the mask is shown */
    private static void name(StringBuilder text, String name, long mask, int bits) {
        if (mask != 0) {
            text.append(' ').append(name);
            if (bits > 0 && Long.bitCount(mask) < bits) {
                text.append('&').append(MacAddress.toString(mask));
            }
        }
    }

    private static void prefix(StringBuilder text, String name, long high, long low) {
        if ((high | low) != 0) {
            text.append(' ').append(name).append('/').append(Long.bitCount(high) + Long.bitCount(low));
        }
    }

    private static void field(StringBuilder text, String name, String value, long mask) {
        if (mask != 0) {
            text.append(' ').append(name).append('=').append(value);
        }
    }

    /** @param whole the mask that goes without saying; 0: any */
    private static void number(StringBuilder text, String name, int value, long mask, int whole) {
        if (mask != 0) {
            boolean exact = whole == 0 || mask == whole;
            text.append(' ').append(name).append('=').append(exact ? value : value & mask);
            if (!exact) {
                text.append("/0x").append(Long.toHexString(mask));
            }
        }
    }

    private static void mac(StringBuilder text, String name, long value, long mask) {
        if (mask != 0) {
            text.append(' ').append(name).append('=').append(MacAddress.toString(value & mask));
            if (mask != MAC_BITS) {
                text.append('/').append(MacAddress.toString(mask));
            }
        }
    }

    private static void masked(StringBuilder text, String name, long value, int mask, boolean shown) {
        if (shown) {
            text.append(' ').append(name).append("=0x%08x".formatted(value));
            if (mask != -1) {
                text.append("/0x%08x".formatted(mask));
            }
        }
    }

    private static void address(
            StringBuilder text, String name, long high, long low, @Nullable FlowMask mask, int firstWord) {
        long maskHigh = mask == null ? -1L : mask.word(firstWord);
        long maskLow = mask == null ? -1L : mask.word(firstWord + 1);
        if ((maskHigh | maskLow) == 0) {
            return;
        }
        int bits = Long.bitCount(maskHigh) + Long.bitCount(maskLow);
        boolean v4 = IpAddress.isV4(high, low);
        text.append(' ').append(name).append('=').append(IpAddress.toString(high & maskHigh, low & maskLow));
        if (bits < 128) {
            text.append('/').append(v4 ? Math.max(bits - 96, 0) : bits);
        }
    }
}
