package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * The tags that flows on one path through the topology have in common, kept once for all of them: the devices and ports
 * that they cross and where they end. A path is there while a flow is on it. Not thread safe: part of a {@link FlowBook}.
 */
@HotPath
final class PathIndex {
    /** Longer ones are floods: not kept here. */
    private static final int MAX_TAGS = 24;

    private static final int USUAL_TAGS = 12;
    private static final LongConsumer NOBODY = tag -> {};

    // Immutable after construction.
    private final int mask;
    // Paths, found by chained hashing of their tags, in the order in which they were met.
    private final int[] buckets;
    private final int[] nextInBucket; // of a free path: the next free one
    private final long[] hashOf;
    private final long[] tagsOf;
    private final byte[] lengthOf;
    private final int[] holders; // flows on it, and who holds it
    private final int[] firstFlow;
    private final TagIndex index;
    private int free;
    private int size;
    // By flow.
    private final int[] pathOf;
    private final int[] nextOnPath;
    private final int[] previousOnPath;

    PathIndex(int flows, int capacity) {
        buckets = Slabs.buckets(capacity);
        mask = buckets.length - 1;
        nextInBucket = Slabs.chained(capacity);
        hashOf = new long[capacity];
        tagsOf = new long[Math.multiplyExact(capacity, MAX_TAGS)];
        lengthOf = new byte[capacity];
        holders = new int[capacity];
        firstFlow = Slabs.none(capacity);
        int edges = Math.max(MAX_TAGS, Math.multiplyExact(capacity, USUAL_TAGS));
        index = new TagIndex(capacity, edges, edges);
        pathOf = Slabs.none(flows);
        nextOnPath = new int[flows];
        previousOnPath = new int[flows];
    }

    int size() {
        return size;
    }

    /** Holds the path of these tags until {@link #release}, and makes it when new; {@link Slabs#NONE}: no room for it. */
    int hold(long[] tags, int count) {
        if (count == 0 || count > MAX_TAGS) {
            return NONE;
        }
        long hash = count;
        for (int i = 0; i < count; i++) {
            hash = Hashing.combine(hash, tags[i]);
        }
        int path = buckets[(int) hash & mask];
        while (path != NONE && !is(path, hash, tags, count)) {
            path = nextInBucket[path];
        }
        if (path == NONE) {
            if (free == NONE || !index.hasRoom(count)) {
                return NONE;
            }
            path = open(hash, tags, count);
        }
        holders[path]++;
        return path;
    }

    /** Lets go of what {@link #hold} gave; the last one to do so ends the path. */
    void release(int path) {
        if (--holders[path] == 0) {
            close(path);
        }
    }

    /** @param path {@link Slabs#NONE} for a flow that is on none */
    void enter(int flow, int path) {
        pathOf[flow] = path;
        if (path == NONE) {
            return;
        }
        holders[path]++;
        int second = firstFlow[path];
        nextOnPath[flow] = second;
        previousOnPath[flow] = NONE;
        if (second != NONE) {
            previousOnPath[second] = flow;
        }
        firstFlow[path] = flow;
    }

    void leave(int flow) {
        int path = pathOf[flow];
        if (path == NONE) {
            return;
        }
        pathOf[flow] = NONE;
        int before = previousOnPath[flow];
        int after = nextOnPath[flow];
        if (before == NONE) {
            firstFlow[path] = after;
        } else {
            nextOnPath[before] = after;
        }
        if (after != NONE) {
            previousOnPath[after] = before;
        }
        release(path);
    }

    /** A flow on a path that has this tag, {@link Slabs#NONE} when there is none. */
    int firstFlow(long tag) {
        for (int edge = index.firstEdge(tag); edge != NONE; edge = index.nextInTag(edge)) {
            int flow = firstFlow[index.flowOf(edge)];
            if (flow != NONE) {
                return flow;
            }
        }
        return NONE;
    }

    void forEachTag(int flow, LongConsumer consumer) {
        if (pathOf[flow] != NONE) {
            index.forEachTag(pathOf[flow], consumer);
        }
    }

    private boolean is(int path, long hash, long[] tags, int count) {
        int at = path * MAX_TAGS;
        return hashOf[path] == hash && lengthOf[path] == count && Arrays.equals(tagsOf, at, at + count, tags, 0, count);
    }

    private int open(long hash, long[] tags, int count) {
        int path = free;
        free = nextInBucket[path];
        int bucket = (int) hash & mask;
        nextInBucket[path] = buckets[bucket];
        buckets[bucket] = path;
        hashOf[path] = hash;
        lengthOf[path] = (byte) count;
        System.arraycopy(tags, 0, tagsOf, path * MAX_TAGS, count);
        for (int i = 0; i < count; i++) {
            index.link(path, tags[i]);
        }
        size++;
        return path;
    }

    private void close(int path) {
        index.unlinkAll(path, NOBODY);
        int bucket = (int) hashOf[path] & mask;
        if (buckets[bucket] == path) {
            buckets[bucket] = nextInBucket[path];
        } else {
            int before = buckets[bucket];
            while (nextInBucket[before] != path) {
                before = nextInBucket[before];
            }
            nextInBucket[before] = nextInBucket[path];
        }
        nextInBucket[path] = free;
        free = path;
        size--;
    }
}
