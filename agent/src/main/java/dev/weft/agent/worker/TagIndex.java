package dev.weft.agent.worker;

import static dev.weft.agent.worker.Slabs.NONE;

import dev.weft.base.HotPath;
import java.util.function.LongConsumer;

/**
 * Which flows carry which tag. Not thread safe: part of a {@link FlowBook}. An edge joins a flow and a tag; it is in
 * two lists, its tag's (doubly linked) and its flow's. A tag is known while it has an edge.
 */
@HotPath
final class TagIndex {
    /** The one field of a tag's record. */
    private static final int FIRST_EDGE = TaggedRecords.FIRST;

    // Fields of an edge.
    private static final int FLOW = 0;
    private static final int ENTRY = 1;
    private static final int NEXT_IN_TAG = 2;
    private static final int PREVIOUS_IN_TAG = 3;
    private static final int NEXT_OF_FLOW = 4;
    private static final int EDGE_WIDTH = 5;

    private final TaggedRecords entries;
    private final Records edges;
    private final int[] firstOfFlow;

    /** @param tagCapacity different tags at one time */
    TagIndex(int flows, int edgeCapacity, int tagCapacity) {
        entries = new TaggedRecords(tagCapacity, 1);
        edges = new Records(edgeCapacity, EDGE_WIDTH);
        firstOfFlow = Slabs.none(flows);
    }

    /** Whether a flow with so many tags fits, whichever they are. */
    boolean hasRoom(int count) {
        return edges.room() >= count && entries.room() >= count;
    }

    int tags() {
        return entries.size();
    }

    /** The caller has made sure of room. A tag the flow has already, given in one go with this one, counts once. */
    void link(int flow, long tag) {
        int entry = entries.find(tag);
        int second = NONE;
        if (entry == NONE) {
            entry = entries.open(tag);
        } else {
            second = entries.get(entry, FIRST_EDGE);
            if (flowOf(second) == flow) {
                return; // newest edges stand first, so a double of the same flow is there or nowhere
            }
        }
        int edge = edges.take();
        edges.set(edge, FLOW, flow);
        edges.set(edge, ENTRY, entry);
        edges.set(edge, NEXT_IN_TAG, second);
        edges.set(edge, PREVIOUS_IN_TAG, NONE);
        if (second != NONE) {
            edges.set(second, PREVIOUS_IN_TAG, edge);
        }
        entries.set(entry, FIRST_EDGE, edge);
        edges.set(edge, NEXT_OF_FLOW, firstOfFlow[flow]);
        firstOfFlow[flow] = edge;
    }

    /** Takes a flow's tags away; {@code unused} hears of each that no flow has any more. */
    void unlinkAll(int flow, LongConsumer unused) {
        int edge = firstOfFlow[flow];
        firstOfFlow[flow] = NONE;
        while (edge != NONE) {
            int following = edges.get(edge, NEXT_OF_FLOW);
            int entry = edges.get(edge, ENTRY);
            int before = edges.get(edge, PREVIOUS_IN_TAG);
            int after = edges.get(edge, NEXT_IN_TAG);
            if (before == NONE) {
                entries.set(entry, FIRST_EDGE, after);
            } else {
                edges.set(before, NEXT_IN_TAG, after);
            }
            if (after != NONE) {
                edges.set(after, PREVIOUS_IN_TAG, before);
            }
            edges.give(edge);
            if (before == NONE && after == NONE) {
                long tag = entries.tag(entry);
                entries.close(entry);
                unused.accept(tag);
            }
            edge = following;
        }
    }

    /** The newest flow with this tag, {@link Slabs#NONE} when there is none. */
    int firstFlow(long tag) {
        int edge = firstEdge(tag);
        return edge == NONE ? NONE : flowOf(edge);
    }

    /** The first edge of a tag's list; walk it with {@link #nextInTag} and {@link #flowOf}. */
    int firstEdge(long tag) {
        int entry = entries.find(tag);
        return entry == NONE ? NONE : entries.get(entry, FIRST_EDGE);
    }

    int nextInTag(int edge) {
        return edges.get(edge, NEXT_IN_TAG);
    }

    int flowOf(int edge) {
        return edges.get(edge, FLOW);
    }

    void forEachTag(int flow, LongConsumer consumer) {
        for (int edge = firstOfFlow[flow]; edge != NONE; edge = edges.get(edge, NEXT_OF_FLOW)) {
            consumer.accept(entries.tag(edges.get(edge, ENTRY)));
        }
    }
}
