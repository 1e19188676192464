package dev.weft.base;

import java.util.Optional;

/**
 * Services that share their first bits; the bits behind the prefix are cleared at construction. Its text is
 * {@code 0x00004001/32}; {@code *} is all services, and a service alone stands for its 256 bits.
 *
 * @param bits 0..256
 */
public record ServicePrefix(ServiceId id, int bits) {
    private static final String ALL = "*";

    public ServicePrefix {
        if (bits < 0 || bits > ServiceId.BITS) {
            throw new IllegalArgumentException("service prefix length " + bits + " (expected 0..256)");
        }
        id = new ServiceId(
                id.word0() & mask(bits, 0),
                id.word1() & mask(bits, 1),
                id.word2() & mask(bits, 2),
                id.word3() & mask(bits, 3));
    }

    public static ServicePrefix of(ServiceId id) {
        return new ServicePrefix(id, ServiceId.BITS);
    }

    public static ServicePrefix parse(String text) {
        return tryParse(text)
                .orElseThrow(() -> new IllegalArgumentException("service prefix '" + text
                        + "' (expected a service and a length 0..256 like 0x00004001/32, a service alone, or *)"));
    }

    public static Optional<ServicePrefix> tryParse(String text) {
        if (text.equals(ALL)) {
            return Optional.of(new ServicePrefix(ServiceId.of(0), 0));
        }
        int slash = text.indexOf('/');
        if (slash < 0) {
            return ServiceId.tryParse(text).map(ServicePrefix::of);
        }
        String length = text.substring(slash + 1);
        if (!length.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(length) > ServiceId.BITS) {
            return Optional.empty();
        }
        return ServiceId.tryParse(text.substring(0, slash)).map(id -> new ServicePrefix(id, Integer.parseInt(length)));
    }

    /**
     * The leading {@code bits} of 256 as they fall into one word.
     *
     * @param word 0..3
     */
    @HotPath
    public static long mask(int bits, int word) {
        int here = bits - 64 * word;
        return here <= 0 ? 0 : here >= 64 ? -1L : -1L << (64 - here);
    }

    public boolean contains(ServiceId service) {
        return differs(service, bits) == 0;
    }

    /** The other names no service that this does not. */
    public boolean contains(ServicePrefix other) {
        return other.bits >= bits && contains(other.id);
    }

    /** One contains the other. */
    public boolean overlaps(ServicePrefix other) {
        return differs(other.id, Math.min(bits, other.bits)) == 0;
    }

    private long differs(ServiceId service, int leading) {
        return (id.word0() ^ service.word0()) & mask(leading, 0)
                | (id.word1() ^ service.word1()) & mask(leading, 1)
                | (id.word2() ^ service.word2()) & mask(leading, 2)
                | (id.word3() ^ service.word3()) & mask(leading, 3);
    }

    @Override
    public String toString() {
        return bits == 0 ? ALL : id + "/" + bits;
    }
}
