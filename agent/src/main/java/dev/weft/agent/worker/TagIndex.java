package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.Hashing;
import dev.weft.base.HotPath;
import java.util.function.LongConsumer;

/**
 * Which flows carry which tag. Not thread safe: part of a {@link FlowBook}. An edge joins a flow and a tag; it is in
 * two lists, its tag's (doubly linked) and its flow's. A tag is known while it has an edge.
 */
@HotPath
final class TagIndex {
    // Tags, found by chained hashing.
    private final int mask;
    private final int[] buckets;
    private final int[] nextInBucket; // of a free tag: the next free one
    private final long[] tagOf;
    private final int[] firstEdge;
    private int freeTag;
    private int tags;
    // Edges.
    private final int[] edgeFlow;
    private final int[] edgeTag;
    private final int[] nextInTag;
    private final int[] previousInTag;
    private final int[] nextOfFlow; // of a free edge: the next free one
    private int freeEdge;
    private int edges;
    // By flow.
    private final int[] firstOfFlow;

    /** @param tagCapacity different tags at one time */
    TagIndex(int flows, int edgeCapacity, int tagCapacity) {
        buckets = Slabs.buckets(tagCapacity);
        mask = buckets.length - 1;
        nextInBucket = Slabs.chained(tagCapacity);
        tagOf = new long[tagCapacity];
        firstEdge = Slabs.none(tagCapacity);
        edgeFlow = new int[edgeCapacity];
        edgeTag = new int[edgeCapacity];
        nextInTag = new int[edgeCapacity];
        previousInTag = new int[edgeCapacity];
        nextOfFlow = Slabs.chained(edgeCapacity);
        firstOfFlow = Slabs.none(flows);
    }

    /** Whether a flow with so many tags fits, whichever they are. */
    boolean hasRoom(int count) {
        return edgeFlow.length - edges >= count && tagOf.length - tags >= count;
    }

    int tags() {
        return tags;
    }

    /** The caller has made sure of room. A tag the flow has already, given in one go with this one, counts once. */
    void link(int flow, long tag) {
        int entry = find(tag);
        if (entry == NONE) {
            entry = open(tag);
        } else if (edgeFlow[firstEdge[entry]] == flow) {
            return; // newest edges stand first, so a double of the same flow is there or nowhere
        }
        int edge = freeEdge;
        freeEdge = nextOfFlow[edge];
        edges++;
        edgeFlow[edge] = flow;
        edgeTag[edge] = entry;
        int second = firstEdge[entry];
        nextInTag[edge] = second;
        previousInTag[edge] = NONE;
        if (second != NONE) {
            previousInTag[second] = edge;
        }
        firstEdge[entry] = edge;
        nextOfFlow[edge] = firstOfFlow[flow];
        firstOfFlow[flow] = edge;
    }

    /** Takes a flow's tags away; {@code unused} hears of each that no flow has any more. */
    void unlinkAll(int flow, LongConsumer unused) {
        int edge = firstOfFlow[flow];
        firstOfFlow[flow] = NONE;
        while (edge != NONE) {
            int following = nextOfFlow[edge];
            int entry = edgeTag[edge];
            int before = previousInTag[edge];
            int after = nextInTag[edge];
            if (before == NONE) {
                firstEdge[entry] = after;
            } else {
                nextInTag[before] = after;
            }
            if (after != NONE) {
                previousInTag[after] = before;
            }
            nextOfFlow[edge] = freeEdge;
            freeEdge = edge;
            edges--;
            if (firstEdge[entry] == NONE) {
                long tag = tagOf[entry];
                close(entry);
                unused.accept(tag);
            }
            edge = following;
        }
    }

    /** The newest flow with this tag, {@link Slabs#NONE} when there is none. */
    int firstFlow(long tag) {
        int entry = find(tag);
        return entry == NONE ? NONE : edgeFlow[firstEdge[entry]];
    }

    /** The first edge of a tag's list; walk it with {@link #nextInTag} and {@link #flowOf}. */
    int firstEdge(long tag) {
        int entry = find(tag);
        return entry == NONE ? NONE : firstEdge[entry];
    }

    int nextInTag(int edge) {
        return nextInTag[edge];
    }

    int flowOf(int edge) {
        return edgeFlow[edge];
    }

    void forEachTag(int flow, LongConsumer consumer) {
        for (int edge = firstOfFlow[flow]; edge != NONE; edge = nextOfFlow[edge]) {
            consumer.accept(tagOf[edgeTag[edge]]);
        }
    }

    private int find(long tag) {
        int entry = buckets[bucket(tag)];
        while (entry != NONE && tagOf[entry] != tag) {
            entry = nextInBucket[entry];
        }
        return entry;
    }

    private int open(long tag) {
        int entry = freeTag;
        freeTag = nextInBucket[entry];
        int bucket = bucket(tag);
        nextInBucket[entry] = buckets[bucket];
        buckets[bucket] = entry;
        tagOf[entry] = tag;
        tags++;
        return entry;
    }

    private void close(int entry) {
        int bucket = bucket(tagOf[entry]);
        if (buckets[bucket] == entry) {
            buckets[bucket] = nextInBucket[entry];
        } else {
            int before = buckets[bucket];
            while (nextInBucket[before] != entry) {
                before = nextInBucket[before];
            }
            nextInBucket[before] = nextInBucket[entry];
        }
        nextInBucket[entry] = freeTag;
        freeTag = entry;
        tags--;
    }

    private int bucket(long tag) {
        return (int) Hashing.mix(tag) & mask;
    }
}
