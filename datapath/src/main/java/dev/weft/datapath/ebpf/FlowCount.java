package dev.weft.datapath.ebpf;

import dev.weft.base.HotPath;
import java.util.concurrent.atomic.AtomicInteger;

/** Flows of all workers together, bounded. Any thread. */
@HotPath
final class FlowCount {
    private final int capacity;
    private final AtomicInteger flows = new AtomicInteger();

    FlowCount(int capacity) {
        this.capacity = capacity;
    }

    boolean tryAdd() {
        if (flows.incrementAndGet() <= capacity) {
            return true;
        }
        flows.decrementAndGet();
        return false;
    }

    /** One that is there already. */
    void add() {
        flows.incrementAndGet();
    }

    void remove() {
        flows.decrementAndGet();
    }

    int get() {
        return flows.get();
    }
}
