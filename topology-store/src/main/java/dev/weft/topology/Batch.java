package dev.weft.topology;

import com.google.protobuf.Message;
import java.util.List;

/** What a checked transaction changes, implied objects included: whole objects and deletions. */
record Batch(List<Message> upserts, List<ObjectRef> deletes) {
    Batch {
        upserts = List.copyOf(upserts);
        deletes = List.copyOf(deletes);
    }

    boolean isEmpty() {
        return upserts.isEmpty() && deletes.isEmpty();
    }
}
