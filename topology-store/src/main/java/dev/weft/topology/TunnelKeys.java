package dev.weft.topology;

import java.util.BitSet;

/**
 * The tunnel keys of this host: 24 bits, an 8-bit epoch above a 16-bit index, chosen by the receiver. An index is not
 * given again before all others were, so that a late packet meets no new port. Not thread safe.
 */
public final class TunnelKeys {
    /** No key. */
    public static final int NONE = 0;
    /** 0 would make key 0 in epoch 0; 0xfffe and 0xffff are kept for probes and for state between agents. */
    private static final int FIRST_INDEX = 1;

    private static final int LAST_INDEX = 0xfffd;

    private final int epoch;
    private final BitSet used = new BitSet();
    private int next = FIRST_INDEX;

    /** @param epoch any number; its low 8 bits count */
    public TunnelKeys(int epoch) {
        this.epoch = epoch & 0xff;
    }

    /** A key that nobody has, or {@link #NONE} when all are taken. */
    public int allocate() {
        int index = used.nextClearBit(next);
        if (index > LAST_INDEX) {
            index = used.nextClearBit(FIRST_INDEX);
            if (index > LAST_INDEX) {
                return NONE;
            }
        }
        used.set(index);
        next = index + 1;
        return epoch << 16 | index;
    }

    /** Takes a key that was given out by an earlier process, in the order they were given; one of another epoch not. */
    public void restore(int key) {
        if (key >>> 16 == epoch) {
            used.set(key & 0xffff);
            next = (key & 0xffff) + 1;
        }
    }

    /** Gives a key back; one of another epoch is ignored. */
    public void release(int key) {
        if (key >>> 16 == epoch) {
            used.clear(key & 0xffff);
        }
    }

    /** Keys given out. */
    public int size() {
        return used.cardinality();
    }
}
