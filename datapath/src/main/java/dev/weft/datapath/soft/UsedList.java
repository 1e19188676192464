package dev.weft.datapath.soft;

import dev.weft.base.HotPath;
import java.util.Arrays;

/** The flows used since their worker last looked, oldest first: a linked list per worker through one array of links. */
@HotPath
final class UsedList {
    private static final int END = -1;
    private static final int ABSENT = -2;

    private final int[] next;
    private final int[] previous;
    private final int[] head;
    private final int[] tail;

    UsedList(int slots, int workers) {
        next = new int[slots];
        previous = new int[slots];
        head = new int[workers];
        tail = new int[workers];
        Arrays.fill(next, ABSENT);
        Arrays.fill(head, END);
        Arrays.fill(tail, END);
    }

    void add(int slot, int worker) {
        if (next[slot] != ABSENT) {
            return;
        }
        next[slot] = END;
        previous[slot] = tail[worker];
        if (tail[worker] == END) {
            head[worker] = slot;
        } else {
            next[tail[worker]] = slot;
        }
        tail[worker] = slot;
    }

    void remove(int slot, int worker) {
        if (next[slot] == ABSENT) {
            return;
        }
        if (previous[slot] == END) {
            head[worker] = next[slot];
        } else {
            next[previous[slot]] = next[slot];
        }
        if (next[slot] == END) {
            tail[worker] = previous[slot];
        } else {
            previous[next[slot]] = previous[slot];
        }
        next[slot] = ABSENT;
    }

    /** The oldest, taken off; -1 when there is none. */
    int poll(int worker) {
        int slot = head[worker];
        if (slot != END) {
            remove(slot, worker);
        }
        return slot;
    }
}
