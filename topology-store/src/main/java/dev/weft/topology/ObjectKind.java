package dev.weft.topology;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.weft.topology.schema.Kind;
import dev.weft.topology.schema.Options;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the schema says of one kind of object: a port, a bridge. Immutable; one instance per kind, in {@link Schema}. */
public final class ObjectKind {
    private final Message prototype;
    private final Kind options;
    private final List<FieldRule> fields;
    private final FieldRule id;
    private final FieldRule name;
    private final @Nullable FieldRule tenant;
    private final List<FieldRule> references;
    private final List<List<FieldRule>> unique;

    ObjectKind(Message prototype) {
        this.prototype = prototype;
        this.options = prototype.getDescriptorForType().getOptions().getExtension(Options.kind);
        this.fields = FieldRule.allOf(prototype);
        this.id = field("id").orElseThrow();
        this.name = field("name").orElseThrow();
        this.tenant = options.getTenantOwned() ? field("tenant_id").orElseThrow() : null;
        this.references = fields.stream()
                .filter(f -> f.reference() != null && !f.field().isRepeated())
                .toList();
        this.unique = options.getUniqueList().stream()
                .map(set -> Arrays.stream(set.split(","))
                        .map(field -> field(field).orElseThrow())
                        .toList())
                .toList();
    }

    /** As in an error or on the command line: "port". */
    public String name() {
        return options.getName();
    }

    /** The key of the list in a file: "ports". */
    public String plural() {
        return options.getPlural();
    }

    /** Names are unique within a tenant, and references stay inside it. */
    public boolean tenantOwned() {
        return tenant != null;
    }

    /** Written by agents about themselves, never by a file. */
    public boolean selfRegistered() {
        return options.getSelfRegistered();
    }

    public Message prototype() {
        return prototype;
    }

    public List<FieldRule> fields() {
        return fields;
    }

    /** Those fields that hold one other object's id; lists of them, and nested ones, are what {@link References} walks. */
    public List<FieldRule> references() {
        return references;
    }

    /** Sets of fields whose values together occur once; the first field unset means that the object claims nothing. */
    List<List<FieldRule>> unique() {
        return unique;
    }

    /** By its name in the schema, {@code bridge_id}. */
    Optional<FieldRule> field(String schemaName) {
        return fields.stream()
                .filter(f -> f.field().getName().equals(schemaName))
                .findFirst();
    }

    FieldRule idField() {
        return id;
    }

    FieldRule nameField() {
        return name;
    }

    @Nullable
    FieldRule tenantField() {
        return tenant;
    }

    /** @throws IllegalArgumentException when the object has no id */
    public UUID idOf(Message object) {
        return UUID.fromString(id.text(object));
    }

    public String nameOf(Message object) {
        return name.text(object);
    }

    /** The owner, or null for kinds that belong to no tenant. */
    public @Nullable UUID tenantOf(Message object) {
        return tenant == null ? null : UUID.fromString(tenant.text(object));
    }

    Message parse(ByteString bytes) {
        try {
            return prototype.getParserForType().parseFrom(bytes);
        } catch (InvalidProtocolBufferException broken) {
            throw new TopologyException(
                    "stored " + name() + " of " + bytes.size() + " bytes cannot be read (expected protobuf "
                            + prototype.getDescriptorForType().getFullName() + "); the store was written by something"
                            + " else",
                    broken);
        }
    }

    @Override
    public String toString() {
        return name();
    }
}
