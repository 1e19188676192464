package dev.weft.base;

/** Mixing of 64-bit words, the same on every machine and in every run. Not for secrets. */
@HotPath
public final class Hashing {
    private Hashing() {}

    /** Finaliser of MurmurHash3 (variant 13 of Stafford): each input bit flips each output bit with probability ½. */
    public static long mix(long x) {
        long z = x;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** Order matters: {@code combine(a, b) != combine(b, a)}. */
    public static long combine(long seed, long value) {
        return mix(seed * 0x9e3779b97f4a7c15L + value);
    }
}
