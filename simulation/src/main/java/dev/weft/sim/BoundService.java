package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.IpPrefix;
import dev.weft.base.ServiceId;
import dev.weft.sim.match.Lpm;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The service that an address stands for, to programs that do not speak Serval: who serves its connections is what the
 * service table of the router says when they begin. Immutable.
 */
@HotPath
final class BoundService {
    /** Dense index of the router's table. */
    final int table;

    final ServiceId id;
    final String label;
    private final List<IpPrefix> places;
    private final Lpm lpm;

    /** @param places wherever the table may send a connection, whatever instances there are */
    BoundService(int table, ServiceId id, List<IpPrefix> places) {
        this.table = table;
        this.id = id;
        label = "service " + id;
        this.places = places;
        lpm = Lpm.of(places);
    }

    List<IpPrefix> places() {
        return places;
    }

    /** Whether an instance may be at the address, though it may be gone: connections that it has stay. */
    boolean mayBeAt(long high, long low) {
        return Lpm.value(lpm.lookup(high, low)) != Lpm.NONE;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BoundService bound
                && table == bound.table
                && id.equals(bound.id)
                && places.equals(bound.places);
    }

    @Override
    public int hashCode() {
        return Objects.hash(table, id, places);
    }
}
