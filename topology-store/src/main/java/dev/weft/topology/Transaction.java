package dev.weft.topology;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Puts and deletes that happen together or not at all. Order does not matter for references: what one put refers to may
 * come later in the same transaction. Immutable.
 */
public record Transaction(List<Operation> operations) {
    /** Whatever is there, or nothing. */
    public static final long ANY_VERSION = -1;
    /** The object must not exist yet. */
    public static final long NEW = 0;

    public Transaction {
        operations = List.copyOf(operations);
    }

    public sealed interface Operation {
        /** The version that must be there: {@link #NEW}, {@link #ANY_VERSION}, or one read from a snapshot. */
        long expectedVersion();
    }

    /** Writes the whole object; its id says which. */
    public record Put(Message object, long expectedVersion) implements Operation {}

    /** Deletes the object, and what the schema says goes with it. */
    public record Delete(ObjectKind kind, UUID id, long expectedVersion) implements Operation {}

    public static Builder builder() {
        return new Builder();
    }

    public boolean isEmpty() {
        return operations.isEmpty();
    }

    /** Collects operations. Not thread safe. */
    public static final class Builder {
        private final List<Operation> operations = new ArrayList<>();

        private Builder() {}

        public Builder put(Message object) {
            return put(object, ANY_VERSION);
        }

        public Builder create(Message object) {
            return put(object, NEW);
        }

        public Builder put(Message object, long expectedVersion) {
            operations.add(new Put(object, expectedVersion));
            return this;
        }

        public Builder delete(Class<? extends Message> type, UUID id) {
            return delete(Schema.kindOf(type), id, ANY_VERSION);
        }

        public Builder delete(ObjectKind kind, UUID id, long expectedVersion) {
            operations.add(new Delete(kind, id, expectedVersion));
            return this;
        }

        public Transaction build() {
            return new Transaction(operations);
        }
    }
}
