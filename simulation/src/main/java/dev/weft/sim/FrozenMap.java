package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.Arrays;
import java.util.function.BiConsumer;

/** Addresses (two words; a MAC is the low one) to values that are not negative. Immutable after {@link Builder}. */
@HotPath
final class FrozenMap {
    static final long NONE = -1;
    static final FrozenMap EMPTY = new Builder().build();

    private final long[] keys;
    private final long[] values;
    private final int mask;

    private FrozenMap(long[] keys, long[] values) {
        this.keys = keys;
        this.values = values;
        mask = values.length - 1;
    }

    /** The value, or {@link #NONE}. */
    long get(long high, long low) {
        int slot = home(high, low, mask);
        while (values[slot] != NONE) {
            if (keys[2 * slot] == high && keys[2 * slot + 1] == low) {
                return values[slot];
            }
            slot = slot + 1 & mask;
        }
        return NONE;
    }

    /** Calls with each key of either map whose value is not the same in both. */
    static void difference(FrozenMap a, FrozenMap b, BiConsumer<Long, Long> changed) {
        a.missingIn(b, true, changed);
        b.missingIn(a, false, changed);
    }

    private void missingIn(FrozenMap other, boolean alsoDifferent, BiConsumer<Long, Long> changed) {
        for (int slot = 0; slot <= mask; slot++) {
            if (values[slot] != NONE) {
                long there = other.get(keys[2 * slot], keys[2 * slot + 1]);
                if (there == NONE || alsoDifferent && there != values[slot]) {
                    changed.accept(keys[2 * slot], keys[2 * slot + 1]);
                }
            }
        }
    }

    private static int home(long high, long low, int mask) {
        return (int) Hashing.combine(high, low) & mask;
    }

    /** Collects entries; for a key given twice the first value stays. */
    static final class Builder {
        private long[] keys = new long[8];
        private long[] values = filled(4);
        private int size;

        void putIfAbsent(long high, long low, long value) {
            if (2 * (size + 1) > values.length) {
                grow();
            }
            if (insert(keys, values, high, low, value)) {
                size++;
            }
        }

        private void grow() {
            long[] largerValues = filled(values.length * 2);
            long[] largerKeys = new long[keys.length * 2];
            for (int slot = 0; slot < values.length; slot++) {
                if (values[slot] != NONE) {
                    insert(largerKeys, largerValues, keys[2 * slot], keys[2 * slot + 1], values[slot]);
                }
            }
            keys = largerKeys;
            values = largerValues;
        }

        private static boolean insert(long[] keys, long[] values, long high, long low, long value) {
            int mask = values.length - 1;
            int slot = home(high, low, mask);
            while (values[slot] != NONE) {
                if (keys[2 * slot] == high && keys[2 * slot + 1] == low) {
                    return false;
                }
                slot = slot + 1 & mask;
            }
            keys[2 * slot] = high;
            keys[2 * slot + 1] = low;
            values[slot] = value;
            return true;
        }

        FrozenMap build() {
            return new FrozenMap(keys.clone(), values.clone());
        }

        private static long[] filled(int length) {
            long[] values = new long[length];
            Arrays.fill(values, NONE);
            return values;
        }
    }
}
