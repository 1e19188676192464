package dev.weft.agent.control;

import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What this host's ports registered, and what the topology says that they are, and what of it is in the shared table. What
 * somebody registered goes before what the VM says in packets, and that before what the topology says. One that comes and goes is written now and
 * then only: the first change at once, later ones at intervals, as they are then. Not thread safe: touched only by its
 * actor.
 */
final class OwnInstances {
    /** Services one port may register. */
    static final int MAX_PER_PORT = 64;
    /** The original says everything again each 20 s, and forgets what it has not heard for so long. */
    static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(50);

    /** Between two writes about one instance. */
    static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final StateTable<InstanceKey, InstanceValue> table;
    private final Map<InstanceKey, State> states = new HashMap<>();

    private static final class State {
        private @Nullable InstanceValue registered;
        private @Nullable InstanceValue heard;
        private long heardAt;
        private @Nullable InstanceValue declared;
        private @Nullable InstanceValue written;
        private long nextWrite;
        private boolean wroteEver;

        private @Nullable InstanceValue wanted() {
            InstanceValue said = registered == null ? heard : registered;
            return said == null ? declared : said;
        }
    }

    OwnInstances(StateTable<InstanceKey, InstanceValue> table) {
        this.table = table;
    }

    /** False when the port has its share. */
    boolean put(InstanceKey key, InstanceValue value) {
        State state = states.get(key);
        if ((state == null || state.wanted() == null) && countOf(key.port()) >= MAX_PER_PORT) {
            return false;
        }
        states.computeIfAbsent(key, each -> new State()).registered = value;
        return true;
    }

    /** A VM said so itself; until it has not for a while. False when its port has its share. */
    boolean heard(InstanceKey key, InstanceValue value, long nowNanos) {
        State state = states.get(key);
        if ((state == null || state.wanted() == null) && countOf(key.port()) >= MAX_PER_PORT) {
            return false;
        }
        State of = states.computeIfAbsent(key, each -> new State());
        of.heard = value;
        of.heardAt = nowNanos;
        return true;
    }

    /** A VM took back what it said. */
    void silent(InstanceKey key) {
        State state = states.get(key);
        if (state != null) {
            state.heard = null;
        }
    }

    /** What the topology says of ports of this host, and nothing else. */
    void declare(Map<InstanceKey, InstanceValue> declared) {
        states.forEach((key, state) -> state.declared = declared.get(key));
        declared.forEach((key, value) -> states.computeIfAbsent(key, each -> new State()).declared = value);
    }

    /** In the table already, by the agent before. False when it is known. */
    boolean adopt(InstanceKey key, InstanceValue value, long nowNanos) {
        return !states.containsKey(key) && (value.heard() ? heard(key, value, nowNanos) : put(key, value));
    }

    /** Whether it was registered. */
    boolean remove(InstanceKey key) {
        State state = states.get(key);
        if (state == null || state.registered == null) {
            return false;
        }
        state.registered = null;
        return true;
    }

    private long countOf(UUID port) {
        return states.entrySet().stream()
                .filter(entry ->
                        entry.getKey().port().equals(port) && entry.getValue().wanted() != null)
                .count();
    }

    /** Neither registered nor in the table. */
    boolean isEmpty() {
        return states.isEmpty();
    }

    /**
     * Brings the table in line, as far as it is time to.
     *
     * @param alive whether it can be reached just now
     * @param here whether a port is still this host's
     */
    void bring(BiPredicate<InstanceKey, InstanceValue> alive, Predicate<UUID> here, long nowNanos) {
        states.entrySet().removeIf(entry -> {
            State state = entry.getValue();
            boolean isHere = here.test(entry.getKey().port());
            if (!isHere) {
                state.registered = null;
            }
            if (!isHere || nowNanos - state.heardAt >= SILENT_NANOS) {
                state.heard = null;
            }
            InstanceValue wanted = state.wanted();
            InstanceValue value = wanted != null && alive.test(entry.getKey(), wanted) ? wanted : null;
            boolean differs = value == null ? state.written != null : !value.equals(state.written);
            if (differs && (!state.wroteEver || nowNanos - state.nextWrite >= 0)) {
                write(entry.getKey(), value, state, nowNanos);
            }
            boolean settled = wanted == null && state.written == null;
            return settled && (!state.wroteEver || nowNanos - state.nextWrite >= 0);
        });
    }

    private void write(InstanceKey key, @Nullable InstanceValue value, State state, long nowNanos) {
        if (value == null) {
            table.remove(key);
        } else {
            table.put(key, value);
        }
        state.written = value;
        state.wroteEver = true;
        state.nextWrite = nowNanos + INTERVAL_NANOS;
    }
}
