package dev.weft.topology;

import java.util.Optional;

/** Between values and the few bytes they take in the name of a node. */
public interface Codec<T> {
    /** At most 60 bytes. */
    byte[] encode(T value);

    /** Empty for bytes that are no such value: others may have written them. */
    Optional<T> decode(byte[] bytes);
}
