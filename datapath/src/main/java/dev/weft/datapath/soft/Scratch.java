package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.packet.Packet;
import org.jspecify.annotations.Nullable;

/**
 * What a thread needs while it handles one frame. Frames nest (an output into the tunnel of an in-process fabric is at
 * once a frame of the next host), so each depth has its own. Confined to its thread.
 */
@HotPath
final class Scratch {
    private static final int DEEPEST = 8;
    private static final ThreadLocal<Scratch> OUTERMOST = ThreadLocal.withInitial(() -> new Scratch(1));

    final Packet packet = new Packet();
    final ActionList actions = new ActionList();
    final ActionRunner runner = new ActionRunner();
    final FrameExits exits = new FrameExits();

    private final int depth;
    private @Nullable Scratch deeper;
    private boolean busy;

    private Scratch(int depth) {
        this.depth = depth;
    }

    /** The thread's next free one, taken until {@link #leave}; null when frames nest deeper than any topology needs. */
    static @Nullable Scratch enter() {
        Scratch scratch = OUTERMOST.get();
        while (scratch.busy) {
            if (scratch.deeper == null) {
                if (scratch.depth == DEEPEST) {
                    return null;
                }
                scratch.deeper = new Scratch(scratch.depth + 1);
            }
            scratch = scratch.deeper;
        }
        scratch.busy = true;
        return scratch;
    }

    void leave() {
        busy = false;
    }
}
