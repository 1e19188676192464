package dev.weft.base;

import java.util.Optional;

/**
 * A network prefix. {@link #bits()} counts in the 128-bit form (an IPv4 /24 is 120), {@link #length()} in the family's
 * own; host bits are cleared at construction.
 */
public record IpPrefix(long high, long low, int bits) {
    private static final int V4_OFFSET = 96;

    public IpPrefix {
        if (bits < 0 || bits > 128) {
            throw new IllegalArgumentException("prefix bits " + bits + " (expected 0..128)");
        }
        high &= highMask(bits);
        low &= lowMask(bits);
    }

    /** @param length in the address's own family: 0..32 or 0..128 */
    public static IpPrefix of(IpAddress address, int length) {
        if (length < 0 || length > address.width()) {
            throw new IllegalArgumentException(
                    "prefix length " + length + " of " + address + " (expected 0.." + address.width() + ")");
        }
        return new IpPrefix(address.high(), address.low(), address.isV4() ? V4_OFFSET + length : length);
    }

    /** {@code 10.0.1.0/24}; host bits are cleared. A bare address is not a prefix. */
    public static IpPrefix parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        "prefix '" + text + "' (expected an address and a length, like 10.0.1.0/24 or fd00:1::/64)"));
    }

    public static Optional<IpPrefix> tryParse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || !text.substring(slash + 1).matches("0|[1-9][0-9]{0,2}")) {
            return Optional.empty();
        }
        int length = Integer.parseInt(text.substring(slash + 1));
        return IpAddress.tryParse(text.substring(0, slash))
                .filter(address -> length <= address.width())
                .map(address -> of(address, length));
    }

    @HotPath
    public static long highMask(int bits) {
        return bits >= 64 ? -1L : bits == 0 ? 0 : -1L << (64 - bits);
    }

    @HotPath
    public static long lowMask(int bits) {
        return bits <= 64 ? 0 : bits == 128 ? -1L : -1L << (128 - bits);
    }

    public boolean isV4() {
        return bits >= V4_OFFSET && IpAddress.isV4(high, low);
    }

    /** In the family's own count. */
    public int length() {
        return isV4() ? bits - V4_OFFSET : bits;
    }

    public IpAddress network() {
        return new IpAddress(high, low);
    }

    public boolean contains(IpAddress address) {
        return (address.high() & highMask(bits)) == high && (address.low() & lowMask(bits)) == low;
    }

    /** One contains the other. */
    public boolean overlaps(IpPrefix other) {
        int shorter = Math.min(bits, other.bits);
        return ((high ^ other.high) & highMask(shorter)) == 0 && ((low ^ other.low) & lowMask(shorter)) == 0;
    }

    @Override
    public String toString() {
        return network() + "/" + length();
    }
}
