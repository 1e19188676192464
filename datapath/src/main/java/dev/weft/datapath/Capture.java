package dev.weft.datapath;

import java.lang.foreign.MemorySegment;

/** A running copy of a port's frames. Closing it ends the copies; safe from any thread. */
public interface Capture extends AutoCloseable {
    /** Frames that passed and were not copied: over the limit, or too many to hold. */
    long missed();

    @Override
    void close();

    /** Takes copies, one call at a time, on a thread of the datapath: it must not wait. */
    @FunctionalInterface
    interface Sink {
        /**
         * @param fromVm or else towards the VM
         * @param segment whole frame, Ethernet header first; valid until the call returns
         */
        void onFrame(boolean fromVm, MemorySegment segment, long offset, int length);
    }
}
