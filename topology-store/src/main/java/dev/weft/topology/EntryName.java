package dev.weft.topology;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;

/**
 * An entry of a state table is the name of an ephemeral node and nothing else:
 *
 * <pre>
 * version(1 char) | base64url( keyLength(1) key valueLength(1) value host(16) incarnation(8) ) | '.' | sequence
 * </pre>
 *
 * The sequence is ZooKeeper's: ten digits, or a minus and digits once it has wrapped. What others wrote is not trusted.
 */
record EntryName(Bytes key, Bytes value, UUID host, long incarnation, int sequence) {
    static final int MAX_LENGTH = 200;

    private static final char VERSION = '1';
    private static final int FIXED = 1 + 1 + 16 + 8;
    private static final int SEQUENCE_LENGTH = 11;

    /** Octets with equality of content. */
    record Bytes(byte[] array) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Bytes bytes && Arrays.equals(array, bytes.array);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(array);
        }
    }

    /** The name without its sequence, which the server appends. */
    static String prefix(byte[] key, byte[] value, UUID host, long incarnation) {
        byte[] bytes = ByteBuffer.allocate(FIXED + key.length + value.length)
                .put((byte) key.length)
                .put(key)
                .put((byte) value.length)
                .put(value)
                .putLong(host.getMostSignificantBits())
                .putLong(host.getLeastSignificantBits())
                .putLong(incarnation)
                .array();
        String prefix = VERSION + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes) + ".";
        if (prefix.length() + SEQUENCE_LENGTH > MAX_LENGTH) {
            throw new IllegalArgumentException("key of " + key.length + " and value of " + value.length
                    + " bytes make a name of " + (prefix.length() + SEQUENCE_LENGTH) + " (expected at most "
                    + MAX_LENGTH + ")");
        }
        return prefix;
    }

    /** Length of the node's name once the server has appended the sequence. */
    static int lengthOf(String prefix) {
        return prefix.length() + SEQUENCE_LENGTH;
    }

    static Optional<EntryName> parse(String name) {
        int dot = name.lastIndexOf('.');
        if (dot < 1 || name.charAt(0) != VERSION || name.length() > MAX_LENGTH) {
            return Optional.empty();
        }
        try {
            int sequence = Integer.parseInt(name.substring(dot + 1));
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(name.substring(1, dot)));
            Bytes key = take(bytes);
            Bytes value = take(bytes);
            if (bytes.remaining() != 24) {
                return Optional.empty();
            }
            UUID host = new UUID(bytes.getLong(), bytes.getLong());
            return Optional.of(new EntryName(key, value, host, bytes.getLong(), sequence));
        } catch (IllegalArgumentException | BufferUnderflowException notOurs) {
            return Optional.empty();
        }
    }

    private static Bytes take(ByteBuffer bytes) {
        byte[] taken = new byte[bytes.get() & 0xff];
        bytes.get(taken);
        return new Bytes(taken);
    }

    /** Sequences wrap at 32 bits: the difference tells which is newer. */
    boolean isNewerThan(EntryName other) {
        return sequence - other.sequence > 0;
    }

    /** The bucket all opinions on a key lie in. */
    static int bucket(byte[] key, int buckets) {
        return Math.floorMod(Arrays.hashCode(key) * 0x9e3779b9 >>> 8, buckets);
    }
}
