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
 */
public record FieldRule(
        FieldDescriptor field,
        Format format,
        boolean required,
        @Nullable Reference reference,
        List<FieldRule> nested) {
    private static final String ID_SUFFIX = "_id";

    static FieldRule of(FieldDescriptor field) {
        var options = field.getOptions();
        boolean isMessage = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
        return new FieldRule(
                field,
                options.getExtension(Options.format),
                options.getExtension(Options.required),
                options.hasExtension(Options.reference) ? options.getExtension(Options.reference) : null,
                isMessage
                        ? field.getMessageType().getFields().stream()
                                .map(FieldRule::of)
                                .toList()
                        : List.of());
    }

    /** As a file spells it: {@code bridge_id} holds an id in the schema and appears as {@code bridge}, a name. */
    public String fileName() {
        String name = field.getName();
        return reference != null && name.endsWith(ID_SUFFIX)
                ? name.substring(0, name.length() - ID_SUFFIX.length())
                : name;
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
        return field.isRepeated()
                ? message.getRepeatedFieldCount(field) > 0
                : !message.getField(field).equals(field.getDefaultValue());
    }
}
