package dev.weft.datapath.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The attributes of a netlink message by type: struct rtattr {@code length(16) type(16)} and value, padded to 4 bytes.
 * Of two with one type the last wins, as in the kernel. A view, valid as long as the message is; bytes that lie about
 * their length are a {@link LinkException}.
 */
record Attributes(Map<Integer, MemorySegment> byType) {
    private static final int HEADER_LENGTH = 4;
    private static final int TYPE_MASK = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    static Attributes of(MemorySegment bytes) {
        var byType = new HashMap<Integer, MemorySegment>();
        long at = 0;
        long end = bytes.byteSize();
        while (end - at >= HEADER_LENGTH) {
            int length = Short.toUnsignedInt(bytes.get(JAVA_SHORT_UNALIGNED, at));
            int type = bytes.get(JAVA_SHORT_UNALIGNED, at + 2) & TYPE_MASK;
            if (length < HEADER_LENGTH || length > end - at) {
                throw new LinkException("netlink attribute " + type + " of " + length + " bytes (expected "
                        + HEADER_LENGTH + ".." + (end - at) + ")");
            }
            byType.put(type, bytes.asSlice(at + HEADER_LENGTH, length - HEADER_LENGTH));
            at += length + 3 & ~3L;
        }
        return new Attributes(byType);
    }

    boolean has(int type) {
        return byType.containsKey(type);
    }

    OptionalInt number(int type) {
        var value = byType.get(type);
        return value == null
                ? OptionalInt.empty()
                : OptionalInt.of(sized(type, value, 4).get(JAVA_INT_UNALIGNED, 0));
    }

    /** Up to the closing zero if there is one. */
    Optional<String> string(int type) {
        var value = byType.get(type);
        if (value == null) {
            return Optional.empty();
        }
        byte[] bytes = value.toArray(JAVA_BYTE);
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return Optional.of(new String(bytes, 0, length, StandardCharsets.UTF_8));
    }

    /** Six octets; empty for link layers of another width (loopback has six zeros, tunnels may have none). */
    Optional<MacAddress> mac(int type) {
        var value = byType.get(type);
        if (value == null || value.byteSize() != 6) {
            return Optional.empty();
        }
        long bits = 0;
        for (int i = 0; i < 6; i++) {
            bits = bits << 8 | value.get(JAVA_BYTE, i) & 0xff;
        }
        return Optional.of(new MacAddress(bits));
    }

    Optional<IpAddress> address(int type) {
        var value = byType.get(type);
        return value == null ? Optional.empty() : Optional.of(address(type, value));
    }

    /** struct rtvia: family(16) address. */
    Optional<IpAddress> via(int type) {
        var value = byType.get(type);
        return value == null || value.byteSize() < 2 ? Optional.empty() : Optional.of(address(type, value.asSlice(2)));
    }

    Attributes nested(int type) {
        var value = byType.get(type);
        return value == null ? new Attributes(Map.of()) : of(value);
    }

    Optional<MemorySegment> raw(int type) {
        return Optional.ofNullable(byType.get(type));
    }

    private static IpAddress address(int type, MemorySegment value) {
        if (value.byteSize() != 4 && value.byteSize() != 16) {
            throw new LinkException(
                    "netlink attribute " + type + ": address of " + value.byteSize() + " bytes (expected 4 or 16)");
        }
        return IpAddress.ofOctets(value.toArray(JAVA_BYTE));
    }

    private static MemorySegment sized(int type, MemorySegment value, long length) {
        if (value.byteSize() != length) {
            throw new LinkException(
                    "netlink attribute " + type + " holds " + value.byteSize() + " bytes (expected " + length + ")");
        }
        return value;
    }
}
