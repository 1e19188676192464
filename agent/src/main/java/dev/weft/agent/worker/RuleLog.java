package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.sim.DropReason;
import dev.weft.sim.Outcome;
import dev.weft.sim.VirtualNetwork;
import dev.weft.sim.flow.FlowKey;
import java.util.function.Consumer;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The way of rules that ask to be logged from a worker to whoever writes them down: a fixed number of entries that go
 * round, from the reader empty and from the worker filled. The worker neither waits nor allocates; what finds no empty
 * entry, or is over the budget of its rule, is left out and counted.
 *
 * <p>The worker fills, one other thread reads.
 */
public final class RuleLog {
    private static final int BUDGETS = 1024;
    private static final int MIX = 0x9e37_79b9;

    // Immutable after construction.
    private final OneToOneConcurrentArrayQueue<Entry> empty;
    private final OneToOneConcurrentArrayQueue<Entry> filled;
    private final WorkerCounters counters;
    // Owned by the worker thread.
    private final PortBudget budget;

    /** A decision about a packet that a rule wants noted. Read it before the next one. */
    public static final class Entry {
        private final FlowKey key = new FlowKey();
        private VirtualNetwork network = VirtualNetwork.EMPTY;
        private int port;
        private int chain;
        private int position;
        private long nanos;
        private Outcome.Kind kind = Outcome.Kind.DROP;
        private @Nullable DropReason dropReason;

        private Entry() {}

        /** The packet as it entered. */
        public FlowKey key() {
            return key;
        }

        /** In which {@link #port}, {@link #chain} and {@link #position} mean something. */
        public VirtualNetwork network() {
            return network;
        }

        /** Where it entered; negative when another host sent it as a flood. */
        public int port() {
            return port;
        }

        public int chain() {
            return chain;
        }

        public int position() {
            return position;
        }

        /** By the worker's clock. */
        public long nanos() {
            return nanos;
        }

        /** What became of the packet in the end. */
        public Outcome.Kind kind() {
            return kind;
        }

        public @Nullable DropReason dropReason() {
            return dropReason;
        }
    }

    /**
     * @param entries that may wait to be read
     * @param perSecond entries that one rule gets each second; a few rules may share it
     */
    RuleLog(int entries, int perSecond, WorkerCounters counters) {
        Slabs.require("entries of the rule log", entries, 1, 1 << 20);
        empty = new OneToOneConcurrentArrayQueue<>(entries);
        filled = new OneToOneConcurrentArrayQueue<>(entries);
        budget = new PortBudget(perSecond, perSecond);
        this.counters = counters;
        for (int i = 0; i < entries; i++) {
            empty.offer(new Entry());
        }
    }

    /** By the worker: notes the rules of the outcome that want it. */
    @HotPath
    void note(Outcome outcome, FlowKey key, int port, VirtualNetwork network, long now) {
        for (int i = 0; i < outcome.ruleCount(); i++) {
            int rule = outcome.ruleChain(i) * MIX ^ outcome.rulePosition(i);
            Entry entry = budget.take((rule * MIX >>> 16) & BUDGETS - 1, now) ? empty.poll() : null;
            if (entry == null) {
                counters.count(WorkerCounter.RULES_NOT_LOGGED);
                continue;
            }
            entry.key.copyFrom(key);
            entry.network = network;
            entry.port = port;
            entry.chain = outcome.ruleChain(i);
            entry.position = outcome.rulePosition(i);
            entry.nanos = now;
            entry.kind = outcome.kind();
            entry.dropReason = outcome.dropReason();
            filled.offer(entry); // there is room for as many as there are
            counters.count(WorkerCounter.RULES_LOGGED);
        }
    }

    /** By the one reader: hands over what waits, and gives each entry back to the worker. How many there were. */
    public int drain(Consumer<Entry> reader) {
        int count = 0;
        for (Entry entry = filled.poll(); entry != null; entry = filled.poll()) {
            reader.accept(entry);
            entry.network = VirtualNetwork.EMPTY; // holds no network longer than it lives
            entry.dropReason = null;
            empty.offer(entry);
            count++;
        }
        return count;
    }
}
