package dev.weft.state;

import dev.weft.base.HotPath;

/**
 * The bindings of a table's connections: fixed arrays, a list per connection in the order of the way. Not thread safe:
 * part of a {@link ConnectionTable}.
 */
@HotPath
final class BindingSlab {
    static final int NONE = -1;

    private static final int DEVICE = 0;
    private static final int HIGH = 1;
    private static final int LOW = 2;
    private static final int META = 3; // kind (23..16) | port or id (15..0)
    private static final int WORDS = 4;

    private final long[] words;
    private final int[] next; // of a free one: the next free one
    private final int[] slot;
    private int free;
    private int left;

    BindingSlab(int capacity) {
        words = new long[Math.multiplyExact(capacity, WORDS)];
        next = new int[capacity];
        slot = new int[capacity];
        for (int i = 0; i < capacity; i++) {
            next[i] = i + 1 < capacity ? i + 1 : NONE;
            slot[i] = NONE;
        }
        left = capacity;
    }

    int capacity() {
        return next.length;
    }

    boolean hasRoom(int count) {
        return left >= count;
    }

    /** Takes them all; there must be room. Returns the first, or {@link #NONE} when there are none. */
    int add(Connection connection, int ofSlot) {
        int first = NONE;
        for (int i = connection.bindings() - 1; i >= 0; i--) {
            int binding = free;
            free = next[binding];
            left--;
            int at = binding * WORDS;
            words[at + DEVICE] = connection.device(i);
            words[at + HIGH] = connection.high(i);
            words[at + LOW] = connection.low(i);
            words[at + META] = (long) connection.kind(i) << 16 | connection.l4Port(i);
            slot[binding] = ofSlot;
            next[binding] = first;
            first = binding;
        }
        return first;
    }

    void removeAll(int first) {
        int binding = first;
        while (binding != NONE) {
            int following = next[binding];
            slot[binding] = NONE;
            next[binding] = free;
            free = binding;
            left++;
            binding = following;
        }
    }

    void read(int first, Connection into) {
        for (int binding = first; binding != NONE; binding = next[binding]) {
            int at = binding * WORDS;
            into.bind(words[at + DEVICE], kind(binding), words[at + HIGH], words[at + LOW], l4Port(binding));
        }
    }

    boolean equal(int first, Connection other) {
        int binding = first;
        for (int i = 0; i < other.bindings(); i++) {
            if (binding == NONE || !isAt(binding, other, i)) {
                return false;
            }
            binding = next[binding];
        }
        return binding == NONE;
    }

    private boolean isAt(int binding, Connection other, int i) {
        int at = binding * WORDS;
        return words[at + DEVICE] == other.device(i)
                && kind(binding) == other.kind(i)
                && words[at + HIGH] == other.high(i)
                && words[at + LOW] == other.low(i)
                && l4Port(binding) == other.l4Port(i);
    }

    void apply(int binding, ConnectionKey to) {
        int at = binding * WORDS;
        if (kind(binding) == Connection.SOURCE) {
            to.rewriteSrc(words[at + HIGH], words[at + LOW], l4Port(binding));
        } else {
            to.rewriteDst(words[at + HIGH], words[at + LOW], l4Port(binding));
        }
    }

    int next(int binding) {
        return next[binding];
    }

    int slot(int binding) {
        return slot[binding];
    }

    long device(int binding) {
        return words[binding * WORDS + DEVICE];
    }

    /** The last one of its device: what follows is another device's, or nothing. */
    boolean isLastOfDevice(int binding) {
        return next[binding] == NONE || device(next[binding]) != device(binding);
    }

    private int kind(int binding) {
        return (int) (words[binding * WORDS + META] >>> 16);
    }

    private int l4Port(int binding) {
        return (int) words[binding * WORDS + META] & 0xffff;
    }
}
