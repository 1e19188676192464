package dev.weft.topology;

import com.google.protobuf.Message;
import java.util.List;
import java.util.Set;

/**
 * What a checked transaction changes, implied objects included: whole objects and deletions.
 *
 * @param created those of the upserts that were not there before; empty when not known
 */
record Batch(List<Message> upserts, List<ObjectRef> deletes, Set<ObjectRef> created) {
    Batch {
        upserts = List.copyOf(upserts);
        deletes = List.copyOf(deletes);
        created = Set.copyOf(created);
    }

    boolean isEmpty() {
        return upserts.isEmpty() && deletes.isEmpty();
    }
}
