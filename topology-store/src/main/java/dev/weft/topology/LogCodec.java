package dev.weft.topology;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.weft.topology.TopologySnapshot.Versioned;
import dev.weft.topology.schema.DeletedObject;
import dev.weft.topology.schema.LogEntry;
import dev.weft.topology.schema.StoredObject;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Between objects and the bytes of their nodes. Kinds that a newer release wrote are skipped, with a word in the log. */
final class LogCodec {
    private static final Logger LOG = LoggerFactory.getLogger(LogCodec.class);

    private LogCodec() {}

    static StoredObject stored(Message object, long version) {
        ObjectKind kind = Schema.kindOf(object);
        return StoredObject.newBuilder()
                .setKind(kind.name())
                .setId(kind.idOf(object).toString())
                .setVersion(version)
                .setObject(object.toByteString())
                .build();
    }

    static LogEntry entry(long number, ByteString transaction, Batch batch) {
        var entry = LogEntry.newBuilder().setNumber(number).setTransaction(transaction);
        batch.upserts().forEach(object -> entry.addUpserts(stored(object, number)));
        batch.deletes()
                .forEach(ref -> entry.addDeletes(DeletedObject.newBuilder()
                        .setKind(ref.kind().name())
                        .setId(ref.id().toString())));
        return entry.build();
    }

    static LogEntry entry(byte[] data) {
        try {
            return LogEntry.parseFrom(data);
        } catch (InvalidProtocolBufferException broken) {
            throw new TopologyException("log entry of " + data.length + " bytes cannot be read", broken);
        }
    }

    static Batch batch(LogEntry entry) {
        List<Message> upserts = entry.getUpsertsList().stream()
                .flatMap(stored -> object(stored).stream())
                .toList();
        List<ObjectRef> deletes = entry.getDeletesList().stream()
                .flatMap(gone ->
                        kind(gone.getKind()).map(kind -> new ObjectRef(kind, UUID.fromString(gone.getId()))).stream())
                .toList();
        return new Batch(upserts, deletes, Set.of());
    }

    static Optional<Versioned> versioned(byte[] data) {
        try {
            StoredObject stored = StoredObject.parseFrom(data);
            return object(stored).map(object -> new Versioned(object, stored.getVersion()));
        } catch (InvalidProtocolBufferException broken) {
            throw new TopologyException("stored object of " + data.length + " bytes cannot be read", broken);
        }
    }

    static Optional<Message> object(StoredObject stored) {
        return kind(stored.getKind()).map(kind -> kind.parse(stored.getObject()));
    }

    private static Optional<ObjectKind> kind(String name) {
        Optional<ObjectKind> kind = Schema.byWord(name);
        if (kind.isEmpty()) {
            LOG.warn("stored object of kind '{}' ignored: this release does not know it", name);
        }
        return kind;
    }
}
