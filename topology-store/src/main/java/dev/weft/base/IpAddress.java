package dev.weft.base;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/**
 * An IPv4 or IPv6 address as 128 bits; IPv4 is the mapped form {@code ::ffff:a.b.c.d} (RFC 4291 §2.5.5.2), so that one
 * trie, one table and one comparison serve both families. On the hot path it travels as the two longs.
 */
public record IpAddress(long high, long low) implements Comparable<IpAddress> {
    /** The bits above an IPv4 address in the low word. */
    public static final long V4_MARK = 0x0000_ffff_0000_0000L;

    public static IpAddress ofV4(int bits) {
        return new IpAddress(0, V4_MARK | Integer.toUnsignedLong(bits));
    }

    /** Four or sixteen octets in network order. */
    public static IpAddress ofOctets(byte[] octets) {
        if (octets.length == 4) {
            int bits = 0;
            for (byte octet : octets) {
                bits = bits << 8 | octet & 0xff;
            }
            return ofV4(bits);
        }
        if (octets.length != 16) {
            throw new IllegalArgumentException("address of " + octets.length + " octets (expected 4 or 16)");
        }
        long high = 0;
        long low = 0;
        for (int i = 0; i < 8; i++) {
            high = high << 8 | octets[i] & 0xff;
            low = low << 8 | octets[i + 8] & 0xff;
        }
        return new IpAddress(high, low);
    }

    /** Dotted IPv4 or RFC 4291 §2.2 IPv6 text; no names, no zones, no brackets. */
    public static IpAddress parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        "IP address '" + text + "' (expected IPv4 like 10.0.1.5 or IPv6 like fd00:1::5)"));
    }

    public static Optional<IpAddress> tryParse(String text) {
        try {
            if (text.indexOf(':') < 0) {
                // The JDK's strict form: four decimal parts, no octal, no shortening (JDK 22).
                return isDottedQuad(text)
                        ? Optional.of(ofOctets(Inet4Address.ofLiteral(text).getAddress()))
                        : Optional.empty();
            }
            if (text.indexOf('%') >= 0 || text.indexOf('[') >= 0) {
                return Optional.empty();
            }
            InetAddress address = Inet6Address.ofLiteral(text);
            return Optional.of(ofOctets(address.getAddress()));
        } catch (IllegalArgumentException notAnAddress) {
            return Optional.empty();
        }
    }

    private static boolean isDottedQuad(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return false;
        }
        for (String part : parts) {
            boolean shaped = part.matches("0|[1-9][0-9]{0,2}");
            if (!shaped || Integer.parseInt(part) > 255) {
                return false;
            }
        }
        return true;
    }

    public boolean isV4() {
        return isV4(high, low);
    }

    @HotPath
    public static boolean isV4(long high, long low) {
        return high == 0 && low >>> 32 == V4_MARK >>> 32;
    }

    /** The 32 bits of an IPv4 address; meaningless for IPv6. */
    public int v4Bits() {
        return (int) low;
    }

    /** 224.0.0.0/4, 255.255.255.255 or ff00::/8. */
    @HotPath
    public static boolean isGroup(long high, long low) {
        if (isV4(high, low)) {
            return (low & 0xf000_0000L) == 0xe000_0000L || (int) low == -1;
        }
        return high >>> 56 == 0xff;
    }

    /** Bits in the family: 32 or 128. */
    public int width() {
        return isV4() ? 32 : 128;
    }

    /** Four or sixteen octets in network order. */
    public byte[] octets() {
        byte[] octets = new byte[isV4() ? 4 : 16];
        for (int i = 0; i < octets.length; i++) {
            int fromEnd = octets.length - 1 - i;
            octets[i] = (byte) (fromEnd < 8 ? low >>> (8 * fromEnd) : high >>> (8 * (fromEnd - 8)));
        }
        return octets;
    }

    public InetAddress toInetAddress() {
        try {
            return InetAddress.getByAddress(octets());
        } catch (UnknownHostException impossible) {
            throw new AssertionError("4 or 16 octets are always an address", impossible);
        }
    }

    @Override
    public int compareTo(IpAddress other) {
        int byHigh = Long.compareUnsigned(high, other.high);
        return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
    }

    /** Canonical text: dotted IPv4, or IPv6 as in RFC 5952. */
    @Override
    public String toString() {
        return toString(high, low);
    }

    public static String toString(long high, long low) {
        if (isV4(high, low)) {
            return (low >>> 24 & 0xff) + "." + (low >>> 16 & 0xff) + "." + (low >>> 8 & 0xff) + "." + (low & 0xff);
        }
        return rfc5952(high, low);
    }

    private static String rfc5952(long high, long low) {
        int bestStart = -1;
        int bestLength = 1;
        for (int i = 0; i < 8; ) {
            int end = i;
            while (end < 8 && group(high, low, end) == 0) {
                end++;
            }
            if (end - i > bestLength) {
                bestStart = i;
                bestLength = end - i;
            }
            i = Math.max(end, i + 1);
        }
        var text = new StringBuilder(39);
        for (int i = 0; i < 8; i++) {
            if (i == bestStart) {
                text.append("::");
                i += bestLength - 1;
                continue;
            }
            if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(group(high, low, i)));
        }
        return text.toString();
    }

    private static int group(long high, long low, int index) {
        long word = index < 4 ? high : low;
        return (int) (word >>> (48 - 16 * (index & 3))) & 0xffff;
    }
}
