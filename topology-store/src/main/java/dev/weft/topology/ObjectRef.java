package dev.weft.topology;

import com.google.protobuf.Message;
import java.util.UUID;

/** Names one object. */
public record ObjectRef(ObjectKind kind, UUID id) {
    public static ObjectRef of(Message object) {
        ObjectKind kind = Schema.kindOf(object);
        return new ObjectRef(kind, kind.idOf(object));
    }

    @Override
    public String toString() {
        return kind + " " + id;
    }
}
