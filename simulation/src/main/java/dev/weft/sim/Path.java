package dev.weft.sim;

import dev.weft.base.HotPath;

/** The ports and devices that a packet has passed on its way to where it is. Mutable; belongs to one simulation. */
@HotPath
final class Path {
    /** A device and two ports each. */
    private static final int MAX_LENGTH = 3 * (Simulation.MAX_DEPTH + 1);

    private final int[] kinds = new int[MAX_LENGTH];
    private final int[] indices = new int[MAX_LENGTH];
    private int length;

    /** @param kind a word of {@link ConditionCompiler} */
    void add(int kind, int index) {
        if (length < MAX_LENGTH) {
            kinds[length] = kind;
            indices[length++] = index;
        }
    }

    int length() {
        return length;
    }

    /** Back to what it was when it was this long. */
    void cut(int length) {
        this.length = length;
    }

    int kind(int at) {
        return kinds[at];
    }

    int index(int at) {
        return indices[at];
    }
}
