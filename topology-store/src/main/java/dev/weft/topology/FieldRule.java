package dev.weft.topology;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.weft.topology.schema.Format;
import dev.weft.topology.schema.Options;
import dev.weft.topology.schema.Reference;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the schema says of one field.
 *
 * @param reference whom the field refers to, or null
 * @param nested the fields of a message field; empty for others
 * @param refers whether the field, or one nested in it, refers to another object
 * @param prototype the empty message of a message field; null for others
 */
public record FieldRule(
        FieldDescriptor field,
        Format format,
        boolean required,
        @Nullable Reference reference,
        List<FieldRule> nested,
        boolean refers,
        @Nullable Message prototype) {
    private static final String ID_SUFFIX = "_id";
    private static final String IDS_SUFFIX = "_ids";

    static List<FieldRule> allOf(Message prototype) {
        return prototype.getDescriptorForType().getFields().stream()
                .map(field -> of(prototype, field))
                .toList();
    }

    private static FieldRule of(Message parent, FieldDescriptor field) {
        var options = field.getOptions();
        Message prototype = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                ? parent.newBuilderForType().newBuilderForField(field).buildPartial()
                : null;
        boolean isReference = options.hasExtension(Options.reference);
        List<FieldRule> nested = prototype == null ? List.of() : allOf(prototype);
        return new FieldRule(
                field,
                options.getExtension(Options.format),
                options.getExtension(Options.required),
                isReference ? options.getExtension(Options.reference) : null,
                nested,
                isReference || nested.stream().anyMatch(FieldRule::refers),
                prototype);
    }

    /**
     * As a file spells it: {@code bridge_id} holds an id in the schema and appears as {@code bridge}, a name;
     * {@code in_port_ids} appears as {@code in_ports}.
     */
    public String fileName() {
        String name = field.getName();
        if (reference == null) {
            return name;
        }
        return name.endsWith(IDS_SUFFIX)
                ? name.substring(0, name.length() - IDS_SUFFIX.length()) + "s"
                : name.endsWith(ID_SUFFIX) ? name.substring(0, name.length() - ID_SUFFIX.length()) : name;
    }

    boolean isText() {
        return field.getJavaType() == FieldDescriptor.JavaType.STRING;
    }

    boolean isMessage() {
        return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
    }

    /** The text of a singular text field; empty when unset. */
    String text(Message message) {
        return (String) message.getField(field);
    }

    boolean isSet(Message message) {
        if (field.isRepeated()) {
            return message.getRepeatedFieldCount(field) > 0;
        }
        return isMessage() ? message.hasField(field) : !message.getField(field).equals(field.getDefaultValue());
    }
}
