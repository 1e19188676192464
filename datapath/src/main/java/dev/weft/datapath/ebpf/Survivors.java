package dev.weft.datapath.ebpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.weft.datapath.WorkerPort.SurvivorHandler;
import dev.weft.datapath.bpf.BpfException;
import dev.weft.datapath.bpf.BpfMap;
import dev.weft.datapath.ebpf.Layout.Flow;
import dev.weft.sim.flow.FlowKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Flows that an earlier process installed and nobody has taken over yet: in the kernel, and here by number. Any thread,
 * one lock: this is only of the first moments. Empty, it costs a look at one field.
 */
final class Survivors implements AutoCloseable {
    private static final int BATCH = 4096;

    /** A flow, where the kernel has it. */
    private record Survivor(long at, int share, MaskLists.Use use, int firstStep, int stepCount) {}

    // Immutable after construction.
    private final KernelTables tables;
    private final MaskLists masks;
    private final StepRuns runs;
    private final FlowReader reader;
    private final FlowCount flowCount;
    private final int workers;
    // Guarded by this.
    private final Arena arena = Arena.ofShared();
    private final Map<Long, Survivor> left = new HashMap<>();
    private final MemorySegment flow = arena.allocate(Flow.SIZE, 8);
    private MemorySegment keys = MemorySegment.NULL;
    private long keyCount;
    private final long[] nextOf;
    private volatile boolean empty = true;

    Survivors(
            KernelTables tables, MaskLists masks, StepRuns runs, FlowReader reader, FlowCount flowCount, int workers) {
        this.tables = tables;
        this.masks = masks;
        this.runs = runs;
        this.reader = reader;
        this.flowCount = flowCount;
        this.workers = workers;
        nextOf = new long[workers];
        if (tables.found()) {
            collect();
            masks.retireUnused();
        }
    }

    private void collect() {
        try (var local = Arena.ofConfined();
                var cursor = tables.flows.cursor()) {
            var batchKeys = local.allocate((long) BATCH * Layout.KEY_SIZE, 8);
            var batchFlows = local.allocate((long) BATCH * Flow.SIZE, 8);
            while (true) {
                int count = BpfException.check(
                        cursor.next(batchKeys.address(), batchFlows.address(), BATCH), "read the flows that survived");
                if (count == 0) {
                    break;
                }
                reserve(keyCount + count);
                for (int i = 0; i < count; i++) {
                    collect(
                            batchKeys.asSlice((long) i * Layout.KEY_SIZE, Layout.KEY_SIZE),
                            batchFlows.asSlice((long) i * Flow.SIZE, Flow.SIZE));
                }
            }
        }
        empty = left.isEmpty();
    }

    private void reserve(long count) {
        if (count * Layout.KEY_SIZE > keys.byteSize()) {
            var larger = arena.allocate(Math.max(2 * keys.byteSize(), count * Layout.KEY_SIZE), 8);
            MemorySegment.copy(keys, 0, larger, 0, keyCount * Layout.KEY_SIZE);
            keys = larger;
        }
    }

    private void collect(MemorySegment key, MemorySegment value) {
        int port = (int) key.get(JAVA_LONG, 0) & 0xffff;
        MaskLists.Use use = masks.rejoin(port, FlowReader.maskNumber(key));
        if (use == null) {
            // No packet can find it: its mask is in no list.
            tables.flows.delete(key.address());
            return;
        }
        int steps = Short.toUnsignedInt(value.get(JAVA_SHORT, Flow.STEP_COUNT));
        int first = steps > 1 ? value.get(JAVA_INT, Flow.FIRST_STEP) : FlowSlots.NONE;
        if (steps > 1) {
            runs.keep(first, steps);
        }
        flowCount.add();
        long at = keyCount++ * Layout.KEY_SIZE;
        MemorySegment.copy(key, 0, keys, at, Layout.KEY_SIZE);
        int share = value.get(JAVA_BYTE, Flow.WORKER) % workers;
        left.put(keyCount, new Survivor(at, share, use, first, steps));
    }

    boolean isEmpty() {
        return empty;
    }

    synchronized int read(int worker, SurvivorHandler handler, int limit) {
        var key = new FlowKey();
        int handed = 0;
        for (long number = nextOf[worker] + 1; number <= keyCount && handed < limit; number++) {
            nextOf[worker] = number;
            Survivor survivor = left.get(number);
            if (survivor == null || survivor.share != worker) {
                continue;
            }
            MemorySegment words = keyOf(survivor);
            if (tables.flows.lookup(words.address(), flow.address()) < 0) {
                forget(number, survivor);
                continue;
            }
            FlowReader.readKey(words, key);
            handed++;
            handler.onSurvivor(number, key, survivor.use.mask, reader.actions(flow), flow.get(JAVA_LONG, Flow.USED));
        }
        if (handed < limit) {
            nextOf[worker] = 0;
        }
        return handed;
    }

    private MemorySegment keyOf(Survivor survivor) {
        return keys.asSlice(survivor.at, Layout.KEY_SIZE);
    }

    /** Writes the survivor's new owner beside its counters. False when it is gone. */
    synchronized boolean adopt(long number, int worker, long flowId, FlowSlots slots) {
        Survivor survivor = left.get(number);
        if (survivor == null) {
            return false;
        }
        MemorySegment words = keyOf(survivor);
        if (tables.flows.lookup(words.address(), flow.address()) < 0) {
            forget(number, survivor);
            return false;
        }
        int slot = slots.add(flowId, survivor.use, survivor.firstStep, survivor.stepCount);
        for (int i = 0; i < FlowKey.WORDS; i++) {
            slots.setKeyWord(slot, i, words.get(JAVA_LONG, 8L * i));
        }
        flow.set(JAVA_LONG, Flow.ID, flowId);
        flow.set(JAVA_BYTE, Flow.WORKER, (byte) worker);
        flow.set(JAVA_BYTE, Flow.LIFE, tables.life());
        BpfException.check(tables.flows.update(words.address(), flow.address(), BpfMap.EXIST), "adopt a flow");
        taken(number);
        return true;
    }

    /**
     * Puts another flow in the place of a survivor of the same key, if there is one; counters go on.
     *
     * @param value the new flow
     * @return whether there was one
     */
    synchronized boolean replace(MemorySegment key, MemorySegment value) {
        if (tables.flows.lookup(key.address(), flow.address()) < 0 || flow.get(JAVA_BYTE, Flow.LIFE) == tables.life()) {
            return false;
        }
        for (Map.Entry<Long, Survivor> each : left.entrySet()) {
            if (keyOf(each.getValue()).mismatch(key) < 0) {
                MemorySegment.copy(flow, Flow.PACKETS, value, Flow.PACKETS, Flow.ID);
                BpfException.check(tables.flows.update(key.address(), value.address(), BpfMap.EXIST), "replace a flow");
                Survivor old = each.getValue();
                taken(each.getKey());
                free(old);
                return true;
            }
        }
        return false;
    }

    synchronized void discard(long number) {
        Survivor survivor = left.get(number);
        if (survivor != null) {
            tables.flows.delete(keyOf(survivor).address());
            forget(number, survivor);
        }
    }

    /** Ends it: what is left goes. */
    synchronized int drop() {
        int count = left.size();
        for (long number : Map.copyOf(left).keySet()) {
            discard(number);
        }
        return count;
    }

    private void forget(long number, Survivor survivor) {
        taken(number);
        free(survivor);
    }

    private void taken(long number) {
        left.remove(number);
        empty = left.isEmpty();
    }

    private void free(Survivor survivor) {
        masks.leave(survivor.use);
        if (survivor.firstStep != FlowSlots.NONE) {
            runs.release(survivor.firstStep, survivor.stepCount);
        }
        flowCount.remove();
    }

    @Override
    public synchronized void close() {
        arena.close();
    }
}
