package dev.weft.agent.control;

import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind.DelayedService;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Services that packets of this host wait for, in the shared table while that is so. VMs choose which they ask for, so
 * there is a limit to how many are told and how fast; what is left out is told when its packets repeat themselves. Not
 * thread safe: touched only by its actor.
 */
final class OwnDelays {
    /** That one host tells of. */
    static final int MOST = 64;
    /** Told in one second. */
    static final int PER_SECOND = 10;
    /** Nobody waits longer than a packet is kept, unless it is asked for again. */
    static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final StateTable<DelayedService, Integer> table;
    private final Map<DelayedService, Long> heardAt = new HashMap<>();
    private long second = Long.MIN_VALUE;
    private int told;

    OwnDelays(StateTable<DelayedService, Integer> table) {
        this.table = table;
    }

    void heard(DelayedService service, long nowNanos) {
        if (!heardAt.containsKey(service) && (heardAt.size() >= MOST || !mayTell(nowNanos))) {
            return;
        }
        if (heardAt.put(service, nowNanos) == null) {
            table.put(service, 1);
        }
    }

    private boolean mayTell(long nowNanos) {
        long now = TimeUnit.NANOSECONDS.toSeconds(nowNanos);
        if (now != second) {
            second = now;
            told = 0;
        }
        return ++told <= PER_SECOND;
    }

    /** Those go that nobody has asked for lately. */
    void look(long nowNanos) {
        heardAt.entrySet().removeIf(entry -> {
            boolean quiet = nowNanos - entry.getValue() >= QUIET_NANOS;
            if (quiet) {
                table.remove(entry.getKey());
            }
            return quiet;
        });
    }
}
