package dev.weft.datapath.ebpf;

import dev.weft.base.HotPath;
import dev.weft.datapath.soft.FrameDrop;
import java.util.concurrent.atomic.AtomicLongArray;

/** Frames that were dropped before they reached the kernel, by reason. Counted by one thread, read by any. */
@HotPath
final class DropCounts {
    private final AtomicLongArray counts = new AtomicLongArray(FrameDrop.values().length);

    void count(FrameDrop why) {
        int at = why.ordinal();
        counts.setRelease(at, counts.getPlain(at) + 1);
    }

    long of(FrameDrop why) {
        return counts.getAcquire(why.ordinal());
    }
}
