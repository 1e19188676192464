package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;

/** The masks in use at one ingress port, at most 64: one bit each in {@link #live}. Guarded by the flow cache's lock. */
@HotPath
final class MaskList {
    static final int LIMIT = 64;

    /** The place of the mask of all bits: beside the list, since there must always be room for it. */
    static final int EXACT = LIMIT;

    private static final FlowMask ALL_BITS = allBits();

    private final long[] words = new long[LIMIT * FlowKey.WORDS];
    private final int[] flowsOf = new int[LIMIT + 1];
    private long live;
    private int flows;
    private boolean closing;

    private static FlowMask allBits() {
        var mask = new FlowMask();
        mask.exact();
        return mask;
    }

    /** One bit per mask that has flows. */
    long live() {
        return live;
    }

    boolean hasExact() {
        return flowsOf[EXACT] > 0;
    }

    /** The place of an equal mask, else a free place now filled with it, else {@link #EXACT}. */
    int placeFor(FlowMask mask) {
        if (mask.equals(ALL_BITS)) {
            return EXACT;
        }
        for (long left = live; left != 0; left &= left - 1) {
            int place = Long.numberOfTrailingZeros(left);
            if (equal(place, mask)) {
                return place;
            }
        }
        if (live == -1L) {
            return EXACT;
        }
        int place = Long.numberOfTrailingZeros(~live);
        mask.copyTo(words, place * FlowKey.WORDS);
        // The ingress always counts: the cache finds a flow by its port's list.
        words[place * FlowKey.WORDS] = -1L;
        return place;
    }

    private boolean equal(int place, FlowMask mask) {
        for (int i = 1; i < FlowKey.WORDS; i++) {
            if (words[place * FlowKey.WORDS + i] != mask.word(i)) {
                return false;
            }
        }
        return true;
    }

    /** Word {@code index} of the mask at {@code place}. */
    long word(int place, int index) {
        return place == EXACT ? -1L : words[place * FlowKey.WORDS + index];
    }

    void copyTo(int place, FlowMask target) {
        if (place == EXACT) {
            target.exact();
        } else {
            target.copyFrom(words, place * FlowKey.WORDS);
        }
    }

    void flowAdded(int place) {
        flows++;
        flowsOf[place]++;
        if (place != EXACT) {
            live |= 1L << place;
        }
    }

    void flowRemoved(int place) {
        flows--;
        flowsOf[place]--;
        if (place != EXACT && flowsOf[place] == 0) {
            live &= ~(1L << place);
        }
    }

    /** The port is gone: no new flows; the list goes with the last old one. */
    void close() {
        closing = true;
    }

    boolean isClosing() {
        return closing;
    }

    boolean isDone() {
        return closing && flows == 0;
    }
}
