package dev.weft.sim;

import dev.weft.base.HotPath;
import dev.weft.base.Tag;
import java.util.UUID;

/** A bridge or a router, compiled. Immutable, shared by all workers. */
@HotPath
abstract sealed class Device permits Bridge, Router {
    final int index;
    final UUID id;
    final String name;
    final long tag;
    /** By its owner: it forwards nothing. */
    final boolean disabled;

    Device(int index, UUID id, String name, boolean disabled) {
        this.index = index;
        this.id = id;
        this.name = name;
        this.disabled = disabled;
        tag = Tag.device(id);
    }

    /** {@code bridge} or {@code router}. */
    abstract String kind();

    /** The frame came in by one of this device's ports. */
    abstract void receive(Simulation sim, Port in);

    /** Of its chains, see {@link Simulation#expectAnswers}. */
    abstract void expectAnswers(Simulation sim);
}
