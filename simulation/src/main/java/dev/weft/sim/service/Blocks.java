package dev.weft.sim.service;

import java.util.Arrays;

/**
 * Short lists of numbers that grow and shrink one by one, in one array: each has room for the next power of two. What is
 * given back is used again. Not thread safe.
 */
final class Blocks {
    private static final int CLASSES = 8;
    private static final int NONE = -1;

    private int[] numbers = new int[256];
    private int used;
    /** By size, as a power of two: the first free list, each of which holds the place of the next. */
    private final int[] free = new int[CLASSES];

    Blocks() {
        Arrays.fill(free, NONE);
    }

    int get(int at) {
        return numbers[at];
    }

    void set(int at, int number) {
        numbers[at] = number;
    }

    /** Where the list is, with one number more; of an empty list, {@code block} means nothing. */
    int insert(int block, int size, int rank, int number) {
        int to = block;
        if (size == 0 || sizeClass(size + 1) != sizeClass(size)) {
            to = allocate(size + 1);
            System.arraycopy(numbers, block, numbers, to, rank);
            System.arraycopy(numbers, block + rank, numbers, to + rank + 1, size - rank);
            if (size > 0) {
                free(block, size);
            }
        } else {
            System.arraycopy(numbers, block + rank, numbers, block + rank + 1, size - rank);
        }
        numbers[to + rank] = number;
        return to;
    }

    /** Where the list is, with one number less; of an empty list, 0. */
    int remove(int block, int size, int rank) {
        if (size == 1) {
            free(block, 1);
            return 0;
        }
        if (sizeClass(size - 1) == sizeClass(size)) {
            System.arraycopy(numbers, block + rank + 1, numbers, block + rank, size - 1 - rank);
            return block;
        }
        int to = allocate(size - 1);
        System.arraycopy(numbers, block, numbers, to, rank);
        System.arraycopy(numbers, block + rank + 1, numbers, to + rank, size - 1 - rank);
        free(block, size);
        return to;
    }

    /** Gives back a list of this size. */
    void free(int block, int size) {
        numbers[block] = free[sizeClass(size)];
        free[sizeClass(size)] = block;
    }

    private int allocate(int size) {
        int sizeClass = sizeClass(size);
        int block = free[sizeClass];
        if (block != NONE) {
            free[sizeClass] = numbers[block];
            return block;
        }
        block = used;
        used += 1 << sizeClass;
        if (used > numbers.length) {
            numbers = Arrays.copyOf(numbers, 2 * numbers.length);
        }
        return block;
    }

    /** The power of two that holds this many. */
    static int sizeClass(int size) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(size - 1);
    }
}
