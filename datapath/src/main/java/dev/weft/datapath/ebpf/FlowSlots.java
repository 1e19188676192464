package dev.weft.datapath.ebpf;

import dev.weft.base.HotPath;
import dev.weft.sim.flow.FlowKey;
import java.util.Arrays;
import org.agrona.collections.Long2LongHashMap;

/**
 * One worker's flows, by its own number for them and by slot: the key under which the kernel has each, and what it had
 * carried when it was read last. Not thread safe: touched only by its worker thread. Grows by pages up to its bound and
 * then is reused.
 */
@HotPath
final class FlowSlots {
    static final int NONE = -1;

    private static final int PAGE_BITS = 10;
    private static final int PAGE = 1 << PAGE_BITS;
    private static final int WORDS = FlowKey.WORDS + 2;
    private static final int ID = FlowKey.WORDS;
    private static final int SEEN = FlowKey.WORDS + 1;

    private final Long2LongHashMap slots = new Long2LongHashMap(NONE);
    private long[][] pages = new long[0][];
    private MaskLists.Use[][] uses = new MaskLists.Use[0][];
    private int[] steps = new int[0];
    private int[] free = new int[0];
    private int freeCount;

    /** A slot for the flow, its key not filled yet. */
    int add(long flowId, MaskLists.Use use, int firstStep, int stepCount) {
        if (freeCount == 0) {
            grow();
        }
        int slot = free[--freeCount];
        slots.put(flowId, slot);
        page(slot)[at(slot) + ID] = flowId;
        page(slot)[at(slot) + SEEN] = 0;
        uses[slot >>> PAGE_BITS][slot & PAGE - 1] = use;
        steps[slot] = stepCount > 1 ? stepCount << 16 | firstStep : NONE;
        return slot;
    }

    private void grow() {
        int base = pages.length * PAGE;
        pages = Arrays.copyOf(pages, pages.length + 1);
        pages[pages.length - 1] = new long[PAGE * WORDS];
        uses = Arrays.copyOf(uses, uses.length + 1);
        uses[uses.length - 1] = new MaskLists.Use[PAGE];
        steps = Arrays.copyOf(steps, base + PAGE);
        free = Arrays.copyOf(free, base + PAGE);
        for (int i = PAGE - 1; i >= 0; i--) {
            free[freeCount++] = base + i;
        }
    }

    int find(long flowId) {
        return (int) slots.get(flowId);
    }

    void remove(int slot) {
        slots.remove(flowId(slot));
        free[freeCount++] = slot;
    }

    int count() {
        return slots.size();
    }

    /** Whether the slot is of that flow still: the kernel was asked a moment ago. */
    boolean holds(int slot, long flowId) {
        return slot >= 0 && slot < steps.length && flowId(slot) == flowId && slots.get(flowId) == slot;
    }

    long flowId(int slot) {
        return page(slot)[at(slot) + ID];
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
        return steps[slot] == NONE ? NONE : steps[slot] & 0xffff;
    }

    int stepCount(int slot) {
        return steps[slot] >>> 16;
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
