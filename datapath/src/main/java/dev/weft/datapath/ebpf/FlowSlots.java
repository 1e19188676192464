package dev.weft.datapath.ebpf;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import java.util.Arrays;

/**
 * One worker's flows, each in the slot that the low half of its id names: the key under which the kernel has it, and what
 * it had carried when it was read last. Not thread safe: touched only by its worker thread. Pages are made when a slot of
 * theirs is used first, and then stay.
 */
@HotPath
final class FlowSlots {
    static final int NONE = -1;

    private static final int PAGE_BITS = 10;
    private static final int PAGE = 1 << PAGE_BITS;
    private static final int WORDS = FlowKey.WORDS + 2;
    private static final int ID = FlowKey.WORDS;
    private static final int SEEN = FlowKey.WORDS + 1;
    /** {@link #SEEN} of a slot without a flow. */
    private static final long VACANT = -1;

    private long[][] pages = new long[0][];
    private MaskLists.Use[][] uses = new MaskLists.Use[0][];
    private int[][] steps = new int[0][];

    /** The flow's slot, its key not filled yet. */
    int add(long flowId, MaskLists.Use use, int firstStep, int stepCount) {
        int slot = (int) flowId;
        int page = slot >>> PAGE_BITS;
        if (page >= pages.length || pages[page].length == 0) {
            makePage(page);
        }
        pages[page][at(slot) + ID] = flowId;
        pages[page][at(slot) + SEEN] = 0;
        uses[page][slot & PAGE - 1] = use;
        steps[page][slot & PAGE - 1] = stepCount > 1 ? stepCount << 16 | firstStep : NONE;
        return slot;
    }

    private void makePage(int page) {
        int before = pages.length;
        if (page >= before) {
            int length = Math.max(page + 1, 2 * before);
            pages = Arrays.copyOf(pages, length);
            uses = Arrays.copyOf(uses, length);
            steps = Arrays.copyOf(steps, length);
            Arrays.fill(pages, before, length, new long[0]);
            Arrays.fill(uses, before, length, new MaskLists.Use[0]);
            Arrays.fill(steps, before, length, new int[0]);
        }
        pages[page] = new long[PAGE * WORDS];
        uses[page] = new MaskLists.Use[PAGE];
        steps[page] = new int[PAGE];
        for (int i = 0; i < PAGE; i++) {
            pages[page][i * WORDS + SEEN] = VACANT;
        }
    }

    /** The slot of a flow that is there, else {@link #NONE}. */
    int find(long flowId) {
        int slot = (int) flowId;
        int page = slot >>> PAGE_BITS;
        boolean there = page < pages.length
                && pages[page].length > 0
                && pages[page][at(slot) + ID] == flowId
                && pages[page][at(slot) + SEEN] != VACANT;
        return there ? slot : NONE;
    }

    void remove(int slot) {
        setSeen(slot, VACANT);
    }

    long seen(int slot) {
        return page(slot)[at(slot) + SEEN];
    }

    void setSeen(int slot, long packets) {
        page(slot)[at(slot) + SEEN] = packets;
    }

    MaskLists.Use use(int slot) {
        return uses[slot >>> PAGE_BITS][slot & PAGE - 1];
    }

    /** {@link #NONE} unless it has several. */
    int firstStep(int slot) {
        int packed = steps[slot >>> PAGE_BITS][slot & PAGE - 1];
        return packed == NONE ? NONE : packed & 0xffff;
    }

    int stepCount(int slot) {
        return steps[slot >>> PAGE_BITS][slot & PAGE - 1] >>> 16;
    }

    void setKeyWord(int slot, int index, long word) {
        page(slot)[at(slot) + index] = word;
    }

    long keyWord(int slot, int index) {
        return page(slot)[at(slot) + index];
    }

    private long[] page(int slot) {
        return pages[slot >>> PAGE_BITS];
    }

    private static int at(int slot) {
        return (slot & PAGE - 1) * WORDS;
    }
}
