package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.HotPath;

/**
 * Records of a few ints each, named by slot, a record's ints side by side. Room is reckoned in at construction; memory is
 * taken by the page when a slot is used first, and kept. Not thread safe.
 */
@HotPath
final class Records {
    private static final int PAGE_BITS = 12;
    private static final int PAGE = 1 << PAGE_BITS;

    // Immutable after construction.
    private final int width;
    private final int capacity;
    private final int[][] pages;
    // Owned by the worker thread.
    private int free = NONE; // by way of the first int
    private int fresh; // slots below it were used before
    private int size;

    /** @param width ints of a record */
    Records(int capacity, int width) {
        this.capacity = capacity;
        this.width = width;
        pages = new int[(capacity + PAGE - 1) >>> PAGE_BITS][];
    }

    /** A slot whose ints are whatever they were; {@link Slabs#NONE} when all are taken. */
    int take() {
        int slot = free;
        if (slot != NONE) {
            free = get(slot, 0);
        } else if (fresh == capacity) {
            return NONE;
        } else {
            slot = fresh++;
            if ((slot & PAGE - 1) == 0) {
                pages[slot >>> PAGE_BITS] = new int[Math.min(PAGE, capacity - slot) * width];
            }
        }
        size++;
        return slot;
    }

    void give(int slot) {
        set(slot, 0, free);
        free = slot;
        size--;
    }

    int get(int slot, int field) {
        return pages[slot >>> PAGE_BITS][at(slot, field)];
    }

    void set(int slot, int field, int value) {
        pages[slot >>> PAGE_BITS][at(slot, field)] = value;
    }

    /** Two ints, the first one high. */
    long getLong(int slot, int field) {
        int[] page = pages[slot >>> PAGE_BITS];
        int at = at(slot, field);
        return (long) page[at] << Integer.SIZE | Integer.toUnsignedLong(page[at + 1]);
    }

    void setLong(int slot, int field, long value) {
        int[] page = pages[slot >>> PAGE_BITS];
        int at = at(slot, field);
        page[at] = (int) (value >>> Integer.SIZE);
        page[at + 1] = (int) value;
    }

    int size() {
        return size;
    }

    int room() {
        return capacity - size;
    }

    int capacity() {
        return capacity;
    }

    private int at(int slot, int field) {
        return (slot & PAGE - 1) * width + field;
    }
}
