package dev.weft.datapath.memory;

import java.lang.foreign.MemorySegment;

/** Takes a frame; the memory is valid until the call returns. */
@FunctionalInterface
public interface FrameSink {
    void onFrame(MemorySegment segment, long offset, int length);
}
