package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.Arrays;

/**
 * Spreads hashes over members in proportion to their weights, so that a change of members moves few of the others'
 * (Eisenbud and others, Maglev, NSDI 2016, section 3.4): each member has an order in which it wants the places of a
 * table, and they take turns. Immutable.
 */
@HotPath
final class MaglevTable {
    static final int NONE = -1;

    /** Primes; a table has a hundred places for each member, so that shares differ by a percent at most. */
    private static final int[] SIZES = {65_537, 655_373, 6_553_621};

    private static final int PLACES_PER_MEMBER = 100;

    /** As numbers of 16 bits, so that a large pool's table stays in the cache. */
    private final char[] places;

    private MaglevTable(char[] places) {
        this.places = places;
    }

    /**
     * @param names 64 bits that stand for each member, the same wherever and whenever the table is made
     * @param weights 0: the member gets no places
     */
    static MaglevTable of(long[] names, int[] weights) {
        int heaviest = 0;
        int taking = 0;
        for (int weight : weights) {
            heaviest = Math.max(heaviest, weight);
            taking += weight > 0 ? 1 : 0;
        }
        if (heaviest == 0) {
            return new MaglevTable(new char[0]);
        }
        int[] places = new int[size(taking)];
        Arrays.fill(places, NONE);
        fill(places, names, weights, heaviest);
        char[] narrow = new char[places.length];
        for (int i = 0; i < places.length; i++) {
            narrow[i] = (char) places[i];
        }
        return new MaglevTable(narrow);
    }

    private static int size(int members) {
        for (int size : SIZES) {
            if ((long) members * PLACES_PER_MEMBER <= size) {
                return size;
            }
        }
        return SIZES[SIZES.length - 1];
    }

    private static void fill(int[] places, long[] names, int[] weights, int heaviest) {
        int size = places.length;
        int[] at = new int[names.length];
        int[] skip = new int[names.length];
        long[] turn = new long[names.length];
        for (int i = 0; i < names.length; i++) {
            at[i] = (int) Long.remainderUnsigned(Hashing.combine(1, names[i]), size);
            skip[i] = (int) Long.remainderUnsigned(Hashing.combine(2, names[i]), size - 1) + 1;
        }
        int filled = 0;
        while (true) {
            for (int i = 0; i < names.length; i++) {
                turn[i] += weights[i];
                if (turn[i] < heaviest) {
                    continue; // a lighter member sits some rounds out
                }
                turn[i] -= heaviest;
                while (places[at[i]] != NONE) {
                    at[i] = (int) (((long) at[i] + skip[i]) % size);
                }
                places[at[i]] = i;
                if (++filled == size) {
                    return;
                }
            }
        }
    }

    /** The member for a hash, {@link #NONE} when there are none. */
    int member(long hash) {
        return places.length == 0 ? NONE : places[(int) Long.remainderUnsigned(hash, places.length)];
    }

    /** For what is measured of it: places by member. */
    int[] shares(int members) {
        int[] shares = new int[members];
        for (int member : places) {
            shares[member]++;
        }
        return shares;
    }
}
