package dev.weft.topology;

import org.jspecify.annotations.Nullable;

/**
 * One thing wrong with an object: which object and field, the value found, and what is allowed.
 *
 * @param at where it stands in a file, or null when it came from no file
 * @param kind "port"; empty when the problem is not about one object
 * @param name the object's name or id; may be empty
 * @param field as a file spells it; empty when the problem is about the whole object
 * @param value as found; empty when missing
 * @param expected what is allowed, and what to do
 * @param subject the object, or null when it has no id yet
 */
public record Problem(
        @Nullable Position at,
        String kind,
        String name,
        String field,
        String value,
        String expected,
        @Nullable ObjectRef subject) {
    public Problem(@Nullable Position at, String kind, String name, String field, String value, String expected) {
        this(at, kind, name, field, value, expected, null);
    }

    /** The same problem with its place in a file. */
    public Problem at(@Nullable Position position) {
        return new Problem(position, kind, name, field, value, expected, subject);
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        if (at != null) {
            text.append(at).append(": ");
        }
        if (!kind.isEmpty()) {
            text.append(kind).append(name.isEmpty() ? "" : " '" + name + "'").append(": ");
        }
        if (!field.isEmpty()) {
            text.append(field).append(value.isEmpty() ? "" : " '" + value + "'").append(": ");
        } else if (!value.isEmpty()) {
            text.append('\'').append(value).append("': ");
        }
        return text.append(expected).toString();
    }
}
