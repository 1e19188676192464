package dev.weft.topology;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.weft.topology.schema.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/** Brings one object into canonical form and reports what its own fields do wrong, by the schema's options alone. */
final class Canonical {
    private final ObjectKind kind;
    private final String label;
    private final ObjectRef subject;
    private final List<Problem> problems;

    private Canonical(ObjectKind kind, String label, ObjectRef subject, List<Problem> problems) {
        this.kind = kind;
        this.label = label;
        this.subject = subject;
        this.problems = problems;
    }

    /**
     * The object with every formatted text in canonical spelling; what cannot be so written goes to
     * {@code problems}. Its id must be a UUID.
     */
    static Message of(ObjectKind kind, Message object, List<Problem> problems) {
        String name = kind.nameOf(object);
        String id = kind.idField().text(object);
        var subject = new ObjectRef(kind, UUID.fromString(id));
        var walk = new Canonical(kind, name.isEmpty() ? id : name, subject, problems);
        return walk.message(object, kind.fields(), "");
    }

    private Message message(Message object, List<FieldRule> rules, String path) {
        Message.Builder builder = null;
        for (FieldRule rule : rules) {
            if (rule.required() && !rule.isSet(object)) {
                report(path + rule.fileName(), "", "missing (" + describe(rule, "") + ")");
                continue;
            }
            Object canonical = field(object, rule, path + rule.fileName());
            if (!canonical.equals(object.getField(rule.field()))) {
                builder = builder == null ? object.toBuilder() : builder;
                builder.setField(rule.field(), canonical);
            }
        }
        return builder == null ? object : builder.build();
    }

    private Object field(Message object, FieldRule rule, String path) {
        Object value = object.getField(rule.field());
        if (!rule.field().isRepeated()) {
            return rule.isSet(object) ? one(rule, value, path) : value;
        }
        var all = new ArrayList<Object>();
        for (Object element : (List<?>) value) {
            all.add(one(rule, element, path + "[" + all.size() + "]"));
        }
        return all;
    }

    private Object one(FieldRule rule, Object value, String path) {
        if (rule.isMessage()) {
            return message((Message) value, rule.nested(), path + ".");
        }
        if (value instanceof EnumValueDescriptor constant && constant.getIndex() < 0) {
            report(path, Integer.toString(constant.getNumber()), "unknown constant (expected " + constants(rule) + ")");
            return value;
        }
        if (!rule.isText()) {
            return value;
        }
        Format format = rule.reference() != null ? Format.FORMAT_ID : rule.format();
        String text = (String) value;
        Optional<String> canonical = Formats.canonical(format, text);
        if (canonical.isEmpty()) {
            report(path, text, Formats.expected(format, text));
        }
        return canonical.orElse(text);
    }

    private void report(String field, String value, String expected) {
        problems.add(new Problem(null, kind.name(), label, field, value, expected, subject));
    }

    /** What a field may hold. */
    static String describe(FieldRule rule, String value) {
        if (rule.reference() != null) {
            return "expected the name or id of a " + rule.reference().getTo();
        }
        return switch (rule.field().getJavaType()) {
            case STRING -> Formats.expected(rule.format(), value);
            case BOOLEAN -> "expected true or false";
            case ENUM -> "expected " + constants(rule);
            case INT, LONG -> "expected a whole number";
            case FLOAT, DOUBLE -> "expected a number";
            case BYTE_STRING -> "expected bytes";
            case MESSAGE -> "expected a mapping of " + fileNames(rule.nested());
        };
    }

    static String fileNames(List<FieldRule> rules) {
        return String.join(", ", rules.stream().map(FieldRule::fileName).toList());
    }

    static String constants(FieldRule rule) {
        FieldDescriptor field = rule.field();
        return String.join(
                ", ",
                field.getEnumType().getValues().stream()
                        .map(value -> value.getName().toLowerCase(Locale.ROOT))
                        .toList());
    }
}
