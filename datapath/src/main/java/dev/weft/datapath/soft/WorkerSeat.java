package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Packet;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One worker's seat: its queue, and its flows in the shared cache. One thread, except {@link #wakeUp}. */
@HotPath
final class WorkerSeat implements WorkerPort {
    // Immutable after construction.
    private final SoftDatapath datapath;
    private final FlowCache cache;
    private final int index;
    final UpcallQueue queue;

    // Owned by the worker thread.
    private final UpcallQueue.Taken taken = new UpcallQueue.Taken();
    private final long[] use = new long[5];
    private final FlowCache.Orphan orphan = new FlowCache.Orphan();
    private int nextOrphan;
    private boolean roundOver;

    // Shared.
    private volatile @Nullable Thread waiter;
    private volatile boolean woken;

    WorkerSeat(SoftDatapath datapath, FlowCache cache, int index, int queueChunks) {
        this.datapath = datapath;
        this.cache = cache;
        this.index = index;
        queue = new UpcallQueue(queueChunks);
    }

    @Override
    public int poll(UpcallHandler handler, int limit) {
        int done = 0;
        while (done < limit) {
            int frame = queue.take(taken);
            if (frame < 0) {
                break;
            }
            try {
                handler.onUpcall(
                        taken.segment, taken.offset, taken.length, taken.inPort, taken.tunnelKey, taken.reason);
            } finally {
                queue.release(frame);
            }
            done++;
        }
        return done;
    }

    @Override
    public void await(long nanos) {
        waiter = Thread.currentThread();
        if (!woken && queue.isEmpty()) {
            LockSupport.parkNanos(this, nanos);
        }
        waiter = null;
        woken = false;
    }

    @Override
    public void wakeUp() {
        woken = true;
        unpark();
    }

    /** After a frame was queued: the worker sees it in {@link #await} or is parked by then. */
    void unpark() {
        Thread thread = waiter;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void completeKey(Packet packet) {
        datapath.completeKey(packet);
    }

    @Override
    public int install(long flowId, FlowKey key, FlowMask mask, ActionList actions) {
        return cache.install(index, flowId, key, mask, actions);
    }

    @Override
    public void remove(long flowId) {
        cache.remove(index, flowId);
    }

    @Override
    public void execute(MemorySegment segment, long offset, int length, int inPort, ActionList actions) {
        datapath.execute(segment, offset, length, inPort, actions);
    }

    @Override
    public int readSurvivors(SurvivorHandler handler, int limit) {
        int done = 0;
        while (done < limit) {
            int slot = cache.orphan(nextOrphan, index, datapath.workers(), orphan);
            if (slot < 0) {
                nextOrphan = 0;
                break;
            }
            nextOrphan = slot + 1;
            handler.onSurvivor(orphan.id, orphan.key, orphan.mask, orphan.actions, orphan.lastUsedNanos);
            done++;
        }
        return done;
    }

    @Override
    public boolean adopt(long flowId, long survivor) {
        return cache.adopt(index, flowId, survivor);
    }

    @Override
    public void discard(long survivor) {
        cache.discard(survivor);
    }

    @Override
    public int readUsed(FlowUse flowUse, int limit) {
        int done = 0;
        while (done < limit && cache.nextUsed(index, use)) {
            flowUse.onUsed(use[0], use[1], use[2], use[3], (int) use[4]);
            done++;
        }
        roundOver = done < limit;
        return done;
    }

    @Override
    public boolean isRoundOver() {
        return roundOver;
    }
}
