package dev.weft.topology;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Walks all that refers to another object: fields, elements of lists, and those inside nested messages. */
final class References {
    private References() {}

    /** Is shown a reference. */
    interface Visitor {
        /**
         * @param path as a file spells it: {@code rules[2].jump}
         * @param word the id; in a description a name
         */
        void reference(FieldRule rule, String path, String word);
    }

    /** Gives what a reference becomes. */
    interface Replacement {
        /** Empty takes the reference away. */
        Optional<String> of(FieldRule rule, String path, String word);
    }

    static void visit(ObjectKind kind, Message object, Visitor visitor) {
        visit(kind.fields(), object, "", visitor);
    }

    private static void visit(List<FieldRule> rules, Message object, String prefix, Visitor visitor) {
        for (FieldRule rule : rules) {
            if (!rule.refers() || !rule.isSet(object)) {
                continue;
            }
            if (rule.field().isRepeated()) {
                for (int i = 0; i < object.getRepeatedFieldCount(rule.field()); i++) {
                    visitOne(rule, object.getRepeatedField(rule.field(), i), prefix, i, visitor);
                }
            } else {
                visitOne(rule, object.getField(rule.field()), prefix, -1, visitor);
            }
        }
    }

    private static void visitOne(FieldRule rule, Object value, String prefix, int index, Visitor visitor) {
        if (value instanceof Message nested) {
            visit(rule.nested(), nested, path(rule, prefix, index) + ".", visitor);
        } else {
            visitor.reference(rule, path(rule, prefix, index), (String) value);
        }
    }

    static Message replace(ObjectKind kind, Message object, Replacement replacement) {
        Message changed = object;
        for (FieldRule rule : kind.fields()) {
            changed = replaceField(rule, changed, "", replacement);
        }
        return changed;
    }

    /** Of one field of the object. */
    static Message replaceField(FieldRule rule, Message object, String prefix, Replacement replacement) {
        if (!rule.refers() || !rule.isSet(object)) {
            return object;
        }
        Object before = object.getField(rule.field());
        if (!(before instanceof List<?> elements)) {
            Optional<Object> after = replaceOne(rule, before, prefix, -1, replacement);
            return after.isEmpty()
                    ? object.toBuilder().clearField(rule.field()).build()
                    : after.get().equals(before)
                            ? object
                            : object.toBuilder()
                                    .setField(rule.field(), after.get())
                                    .build();
        }
        var after = new ArrayList<Object>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            replaceOne(rule, elements.get(i), prefix, i, replacement).ifPresent(after::add);
        }
        return after.equals(elements)
                ? object
                : object.toBuilder().setField(rule.field(), after).build();
    }

    private static Optional<Object> replaceOne(
            FieldRule rule, Object value, String prefix, int index, Replacement replacement) {
        String path = path(rule, prefix, index);
        if (!(value instanceof Message nested)) {
            return replacement.of(rule, path, (String) value).map(Object.class::cast);
        }
        Message changed = nested;
        for (FieldRule inner : rule.nested()) {
            changed = replaceField(inner, changed, path + ".", replacement);
        }
        return Optional.of(changed);
    }

    private static String path(FieldRule rule, String prefix, int index) {
        return prefix + rule.fileName() + (index < 0 ? "" : "[" + index + "]");
    }
}
