package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.state.PortBlocks;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.LongArrayList;

/**
 * One worker's public ports: asks the control side for blocks, once at a time for each pool, and says which packets may
 * go on. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class Blocks {
    private static final long ASK_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long NEVER = Long.MIN_VALUE;

    // Immutable after construction.
    private final PortBlocks blocks;
    private final Learnings learnings;
    private final int worker;
    // Owned by the worker thread.
    private final Long2LongHashMap askedAt = new Long2LongHashMap(NEVER);
    private final LongArrayList ready = new LongArrayList();

    Blocks(PortBlocks blocks, Learnings learnings, int worker) {
        this.blocks = blocks;
        this.learnings = learnings;
        this.worker = worker;
    }

    /** @param ahead there are some left, so nothing waits */
    void want(long pool, boolean ahead, long nowNanos) {
        long asked = askedAt.get(pool);
        if (asked == NEVER || nowNanos - asked >= ASK_AGAIN_NANOS) {
            askedAt.put(pool, nowNanos);
            learnings.blockWanted(pool, worker, ahead);
        }
    }

    void granted(Command.BlockGranted block) {
        blocks.grant(block.pool(), block.high(), block.low(), block.first(), block.count());
        askedAt.remove(block.pool());
        ready.addLong(block.pool());
    }

    void exhausted(Command.BlocksExhausted none, long nowNanos) {
        blocks.exhausted(none.pool(), nowNanos + none.forNanos());
        ready.addLong(none.pool());
    }

    /** The pools of which something is known now. Not to be called from within a simulation. */
    void drainReady(LongConsumer to) {
        while (!ready.isEmpty()) {
            to.accept(ready.popLong());
        }
    }
}
