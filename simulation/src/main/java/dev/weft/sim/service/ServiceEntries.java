package dev.weft.sim.service;

import dev.weft.base.HotPath;
import dev.weft.base.ServicePrefix;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The entries of a table, each at a place of its own; places of those that went are used again. Not thread safe. */
@HotPath
final class ServiceEntries {
    private @Nullable ServiceEntry[] entries = new ServiceEntry[64];
    private int[] free = new int[64];
    private int freeCount;
    private int highest;

    ServiceEntry add(ServicePrefix prefix) {
        int place = freeCount > 0 ? free[--freeCount] : highest++;
        if (place == entries.length) {
            entries = Arrays.copyOf(entries, 2 * place);
        }
        var entry = new ServiceEntry(prefix, place);
        entries[place] = entry;
        return entry;
    }

    void remove(ServiceEntry entry) {
        entries[entry.place()] = null;
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, 2 * freeCount);
        }
        free[freeCount++] = entry.place();
    }

    /** Null where there is none. */
    @Nullable
    ServiceEntry get(int place) {
        return entries[place];
    }

    int size() {
        return highest - freeCount;
    }

    /** One more than the last place that an entry may have. */
    int places() {
        return highest;
    }
}
