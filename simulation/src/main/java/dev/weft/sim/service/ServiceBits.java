package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.ServiceId;

/** What a {@link ServiceTrie} asks of the bits of ids and of its maps. */
@HotPath
final class ServiceBits {
    /** Bits that a level of the trie takes at a time. */
    static final int STRIDE = 6;

    private ServiceBits() {}

    /** How many bits of a map are set below this one. */
    static int rank(long map, int bit) {
        return Long.bitCount(map & (1L << bit) - 1);
    }

    static int index(int depth, ServiceId id) {
        return index(depth, id.word0(), id.word1(), id.word2(), id.word3());
    }

    /** Six bits from a depth on, those behind the last being 0. */
    static int index(int depth, long w0, long w1, long w2, long w3) {
        int word = depth >>> 6;
        int offset = depth & 63;
        long here = word == 0 ? w0 : word == 1 ? w1 : word == 2 ? w2 : w3;
        int index = (int) (here << offset >>> 64 - STRIDE);
        if (offset > 64 - STRIDE && word < 3) {
            long next = word == 0 ? w1 : word == 1 ? w2 : w3;
            index |= (int) (next >>> 128 - STRIDE - offset);
        }
        return index;
    }

    static int common(long[] records, int at, ServiceId id) {
        return common(records, at, id.word0(), id.word1(), id.word2(), id.word3());
    }

    static int common(ServiceId one, ServiceId other) {
        return common(
                one.word0() ^ other.word0(),
                one.word1() ^ other.word1(),
                one.word2() ^ other.word2(),
                one.word3() ^ other.word3());
    }

    /** Leading bits in which a record and an id agree. */
    static int common(long[] records, int at, long w0, long w1, long w2, long w3) {
        return common(records[at] ^ w0, records[at + 1] ^ w1, records[at + 2] ^ w2, records[at + 3] ^ w3);
    }

    /** Leading bits that are 0. */
    private static int common(long d0, long d1, long d2, long d3) {
        if (d0 != 0) {
            return Long.numberOfLeadingZeros(d0);
        }
        if (d1 != 0) {
            return 64 + Long.numberOfLeadingZeros(d1);
        }
        if (d2 != 0) {
            return 128 + Long.numberOfLeadingZeros(d2);
        }
        return 192 + Long.numberOfLeadingZeros(d3);
    }
}
