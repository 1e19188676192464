package dev.weft.datapath.soft;

import dev.weft.datapath.PortSpec;
import dev.weft.datapath.PortStatistics;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;

/** An attached port: its counters, its budgets, its shares of the queues; a kind adds the wire. Any thread. */
public abstract class SoftPort {
    private final int number;
    private volatile PortSpec spec;
    volatile TokenBucket budget;
    volatile TokenBucket floods;
    volatile UpcallQueue.Share[] shares;
    final Taps taps = new Taps();
    final LongAdder receivedPackets = new LongAdder();
    final LongAdder receivedBytes = new LongAdder();
    final LongAdder sentPackets = new LongAdder();
    final LongAdder sentBytes = new LongAdder();
    final LongAdder upcalls = new LongAdder();
    final LongAdder upcallsOverBudget = new LongAdder();
    private volatile boolean up = true;
    // Guarded by the port table.
    private boolean adopted = true;

    protected SoftPort(int number, PortSpec spec, int workers) {
        this.number = number;
        this.spec = spec;
        budget = new TokenBucket(spec.upcallsPerSecond());
        floods = new TokenBucket(spec.floodsPerSecond());
        shares = UpcallQueue.shares(workers);
    }

    public final int number() {
        return number;
    }

    public final PortSpec spec() {
        return spec;
    }

    public final boolean isUp() {
        return up;
    }

    /** Its process is gone; it stays, for workers that are yet to come. */
    final void orphan(int workers) {
        adopted = false;
        shares = UpcallQueue.shares(workers);
    }

    final boolean isOrphan() {
        return !adopted;
    }

    /** @param again the same interface for the same virtual port */
    final void adopt(PortSpec again) {
        adopted = true;
        spec = again;
        budget = new TokenBucket(again.upcallsPerSecond());
        floods = new TokenBucket(again.floodsPerSecond());
    }

    /** The interface is gone for good: nothing more comes or goes until the port is detached and attached again. */
    final boolean lost() {
        boolean wasUp = up;
        up = false;
        return wasUp;
    }

    /** Begins to hand frames to {@link SoftDatapath#receive}; the port is registered by then. */
    protected abstract void start();

    /** Sends a frame to the VM. From any thread; the memory is the caller's again on return. */
    protected abstract SendResult send(MemorySegment segment, long offset, int length);

    /** Gives back what the port holds; nothing is received afterwards. */
    protected abstract void close();

    /** What became of a frame handed to a wire. */
    public enum SendResult {
        SENT,
        TOO_BIG,
        FAILED
    }

    final PortStatistics statistics() {
        return new PortStatistics(
                number,
                spec,
                up,
                receivedPackets.sum(),
                receivedBytes.sum(),
                sentPackets.sum(),
                sentBytes.sum(),
                upcalls.sum(),
                upcallsOverBudget.sum());
    }
}
