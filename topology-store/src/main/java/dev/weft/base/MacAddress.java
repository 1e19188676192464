package dev.weft.base;

import java.util.Optional;

/** A 48-bit MAC address in the low bits, first octet highest. On the hot path it travels as that {@code long}. */
public record MacAddress(long bits) implements Comparable<MacAddress> {
    public static final long BROADCAST = 0xffff_ffff_ffffL;
    private static final long GROUP_BIT = 1L << 40;

    public MacAddress {
        if (bits >>> 48 != 0) {
            throw new IllegalArgumentException("MAC bits 0x%x (expected 48 bits)".formatted(bits));
        }
    }

    /** Six octets in hexadecimal with colons, as in {@code 02:00:00:00:00:01}. */
    public static MacAddress parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        "MAC address '" + text + "' (expected six octets like 02:00:00:00:00:01)"));
    }

    public static Optional<MacAddress> tryParse(String text) {
        String[] octets = text.split(":", -1);
        if (octets.length != 6) {
            return Optional.empty();
        }
        long bits = 0;
        for (String octet : octets) {
            if (octet.isEmpty() || octet.length() > 2) {
                return Optional.empty();
            }
            for (int i = 0; i < octet.length(); i++) {
                if (octet.charAt(i) > 'f' || Character.digit(octet.charAt(i), 16) < 0) {
                    return Optional.empty();
                }
            }
            bits = bits << 8 | Integer.parseInt(octet, 16);
        }
        return Optional.of(new MacAddress(bits));
    }

    /** Multicast or broadcast: the group bit of the first octet (IEEE 802). */
    @HotPath
    public static boolean isGroup(long bits) {
        return (bits & GROUP_BIT) != 0;
    }

    @Override
    public int compareTo(MacAddress other) {
        return Long.compare(bits, other.bits);
    }

    @Override
    public String toString() {
        return toString(bits);
    }

    public static String toString(long bits) {
        return "%02x:%02x:%02x:%02x:%02x:%02x"
                .formatted(
                        bits >>> 40 & 0xff,
                        bits >>> 32 & 0xff,
                        bits >>> 24 & 0xff,
                        bits >>> 16 & 0xff,
                        bits >>> 8 & 0xff,
                        bits & 0xff);
    }
}
