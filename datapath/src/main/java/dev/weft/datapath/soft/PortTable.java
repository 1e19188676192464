package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.datapath.DatapathException;
import dev.weft.datapath.PortSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Ports by number. Read by any thread from an array that is replaced whole; changed under the table's own lock. */
final class PortTable {
    /** Numbers go round in this range: a number comes back only after all others were used. */
    private static final int LAST_NUMBER = 65_535;

    private volatile @Nullable SoftPort[] ports = new SoftPort[1];
    // Guarded by this.
    private int lastGiven;

    @HotPath
    @Nullable
    SoftPort get(int number) {
        @Nullable SoftPort[] now = ports;
        return number > 0 && number < now.length ? now[number] : null;
    }

    synchronized int nextNumber() {
        for (int tries = 0; tries < LAST_NUMBER; tries++) {
            lastGiven = lastGiven % LAST_NUMBER + 1;
            if (get(lastGiven) == null) {
                return lastGiven;
            }
        }
        throw new DatapathException("all " + LAST_NUMBER + " port numbers are in use; detach a port first");
    }

    synchronized void refuseDouble(PortSpec spec) {
        for (SoftPort port : all()) {
            if (isAt(port, spec)) {
                throw new DatapathException("interface " + spec.interfaceName() + " is attached already, as port "
                        + port.number() + "; detach it first");
            }
        }
    }

    /** The port that survived with this virtual port at this interface, and works. */
    synchronized Optional<SoftPort> survivor(PortSpec spec) {
        return all().stream()
                .filter(port -> port.isOrphan() && port.isUp())
                .filter(port -> port.spec().id().equals(spec.id()) && isAt(port, spec))
                .findFirst();
    }

    /** Those that survived and stand in the way: another interface of the same virtual port, or the other way round. */
    synchronized List<SoftPort> obsolete(PortSpec spec) {
        return all().stream()
                .filter(SoftPort::isOrphan)
                .filter(port -> port.spec().id().equals(spec.id()) || isAt(port, spec))
                .toList();
    }

    private static boolean isAt(SoftPort port, PortSpec spec) {
        return port.spec().interfaceName().equals(spec.interfaceName())
                && port.spec().namespace().equals(spec.namespace());
    }

    synchronized void put(SoftPort port) {
        @Nullable SoftPort[] now = ports;
        @Nullable SoftPort[] next = Arrays.copyOf(now, Math.max(now.length, port.number() + 1));
        next[port.number()] = port;
        ports = next;
    }

    synchronized @Nullable SoftPort remove(int number) {
        SoftPort port = get(number);
        if (port != null) {
            @Nullable SoftPort[] next = ports.clone();
            next[number] = null;
            ports = next;
        }
        return port;
    }

    int count() {
        return all().size();
    }

    List<SoftPort> all() {
        return Stream.of(ports)
                .filter(Objects::nonNull)
                .map(Objects::requireNonNull)
                .toList();
    }
}
