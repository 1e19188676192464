package dev.weft.datapath.soft;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import dev.weft.base.IpAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values by address, asked with the two longs. Immutable. */
@HotPath
public final class AddressMap<V> {
    private final long[] highs;
    private final long[] lows;
    private final @Nullable Object[] values;

    private AddressMap(int slots) {
        highs = new long[slots];
        lows = new long[slots];
        values = new Object[slots];
    }

    public static <V> AddressMap<V> of(Map<IpAddress, V> entries) {
        var map = new AddressMap<V>(Integer.highestOneBit(entries.size() * 2 + 1) * 2);
        for (var entry : entries.entrySet()) {
            int at = map.slot(entry.getKey().high(), entry.getKey().low());
            map.highs[at] = entry.getKey().high();
            map.lows[at] = entry.getKey().low();
            map.values[at] = entry.getValue();
        }
        return map;
    }

    @SuppressWarnings("unchecked")
    public @Nullable V get(long high, long low) {
        return (V) values[slot(high, low)];
    }

    private int slot(long high, long low) {
        int mask = values.length - 1;
        int at = (int) Hashing.combine(high, low) & mask;
        while (values[at] != null && (highs[at] != high || lows[at] != low)) {
            at = at + 1 & mask;
        }
        return at;
    }
}
