package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.state.ConnectionHash;
import java.lang.foreign.MemorySegment;

/** The workers of this host as one of them sees them: by their backchannels. Touched only by that worker's thread. */
@HotPath
final class Siblings {
    // Immutable after construction.
    private final int self;
    private final Backchannel[] all;
    private final WorkerCounters counters;

    /** @param all by index, the own one included */
    Siblings(int self, Backchannel[] all, WorkerCounters counters) {
        this.self = self;
        this.all = all;
        this.counters = counters;
    }

    boolean isHome(int hash) {
        return ConnectionHash.home(hash, all.length) == self;
    }

    /** A hash whose home is here. */
    int ownHash() {
        return self;
    }

    /** To the others. What a sibling has no room for it does without, and that is counted. */
    void tell(Command command) {
        for (int i = 0; i < all.length; i++) {
            if (i != self && !all[i].offer(command)) {
                counters.count(WorkerCounter.SIBLING_FULL);
            }
        }
    }

    /** To the home of a hash, which is not here; false when it has no room. */
    boolean tellHome(int hash, Command command) {
        return all[ConnectionHash.home(hash, all.length)].offer(command);
    }

    /** A state message to the others. */
    void tellState(MemorySegment segment, long offset, int length) {
        for (int i = 0; i < all.length; i++) {
            if (i != self && !all[i].offerFrame(Backchannel.STATE, 0, 0, segment, offset, length)) {
                counters.count(WorkerCounter.SIBLING_FULL);
            }
        }
    }

    /** A packet to the home of a hash, which is not here. */
    void handPacket(int hash, int inPort, MemorySegment segment, long offset, int length) {
        Backchannel home = all[ConnectionHash.home(hash, all.length)];
        if (!home.offerFrame(Backchannel.HANDOVER, inPort, 0, segment, offset, length)) {
            counters.count(WorkerCounter.SIBLING_FULL);
        }
    }

    /** A state message to the home of a hash, which is not here. */
    void handState(int hash, MemorySegment segment, long offset, int length) {
        Backchannel home = all[ConnectionHash.home(hash, all.length)];
        if (!home.offerFrame(Backchannel.STATE, 0, 0, segment, offset, length)) {
            counters.count(WorkerCounter.SIBLING_FULL);
        }
    }
}
