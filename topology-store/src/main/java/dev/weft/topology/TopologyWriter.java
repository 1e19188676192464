package dev.weft.topology;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes objects in the form that {@link TopologyReader} reads: references as names, enums in lower case, unset fields
 * left out. Ids are written too, so that a renamed object is recognised.
 */
public final class TopologyWriter {
    private final TopologySnapshot snapshot;

    /** @param snapshot where names of referred objects are looked up */
    public TopologyWriter(TopologySnapshot snapshot) {
        this.snapshot = snapshot;
    }

    /** One object as maps, lists, text, numbers and booleans; the tenant comes first where there is one. */
    private Map<String, Object> tree(Message object) {
        ObjectKind kind = Schema.kindOf(object);
        var tree = new LinkedHashMap<String, Object>();
        FieldRule owner = kind.tenantField();
        if (owner != null) {
            tree.put(owner.fileName(), name(owner, owner.text(object)));
        }
        fields(object, kind.fields(), owner, tree);
        return tree;
    }

    /** YAML documents that {@code apply} takes: one for what belongs to no tenant, then one for each tenant. */
    public String yaml(Collection<? extends Message> objects) {
        var documents = new LinkedHashMap<String, Map<String, Object>>();
        for (ObjectKind kind : Schema.kinds()) {
            for (Message object : sorted(kind, objects)) {
                UUID tenant = kind.tenantOf(object);
                String owner =
                        tenant == null ? "" : name(Objects.requireNonNull(kind.tenantField()), tenant.toString());
                Map<String, Object> document = documents.computeIfAbsent(owner, name -> {
                    var made = new LinkedHashMap<String, Object>();
                    if (!name.isEmpty()) {
                        made.put("tenant", name);
                    }
                    return made;
                });
                Map<String, Object> tree = tree(object);
                tree.remove("tenant");
                list(document, kind.plural()).add(tree);
            }
        }
        var out = new StringBuilder();
        documents.values().forEach(document -> {
            out.append(out.isEmpty() ? "" : "---\n");
            document.forEach((key, value) -> writeTop(out, key, value));
        });
        return out.toString();
    }

    @SuppressWarnings("unchecked") // Lists in a document are made here only.
    private static List<Object> list(Map<String, Object> document, String key) {
        return (List<Object>) document.computeIfAbsent(key, any -> new ArrayList<>());
    }

    private static List<Message> sorted(ObjectKind kind, Collection<? extends Message> objects) {
        Stream<Message> ofKind =
                objects.stream().filter(o -> Schema.kindOf(o) == kind).map(Message.class::cast);
        return ofKind.sorted((a, b) -> kind.nameOf(a).compareTo(kind.nameOf(b))).toList();
    }

    private void fields(Message object, List<FieldRule> rules, @Nullable FieldRule skipped, Map<String, Object> tree) {
        for (FieldRule rule : rules) {
            if (rule == skipped || !rule.isSet(object)) {
                continue;
            }
            Object value = object.getField(rule.field());
            tree.put(
                    rule.fileName(),
                    value instanceof List<?> all
                            ? all.stream().map(one -> value(rule, one)).toList()
                            : value(rule, value));
        }
    }

    private Object value(FieldRule rule, Object value) {
        return switch (value) {
            case Message nested -> {
                var tree = new LinkedHashMap<String, Object>();
                fields(nested, rule.nested(), null, tree);
                yield tree;
            }
            case EnumValueDescriptor constant -> constant.getName().toLowerCase(Locale.ROOT);
            case String text -> rule.reference() == null ? text : name(rule, text);
            default -> value;
        };
    }

    private String name(FieldRule rule, String id) {
        ObjectKind to = Schema.named(Objects.requireNonNull(rule.reference()).getTo());
        return snapshot.find(to, UUID.fromString(id)).map(to::nameOf).orElse(id);
    }

    private static void writeTop(StringBuilder out, String key, Object value) {
        if (!(value instanceof List<?> objects)) {
            out.append(key).append(": ").append(scalar(value)).append('\n');
            return;
        }
        out.append(key).append(":\n");
        for (Object object : objects) {
            String indent = "  - ";
            for (Map.Entry<?, ?> field : ((Map<?, ?>) object).entrySet()) {
                out.append(indent)
                        .append(field.getKey())
                        .append(": ")
                        .append(flow(field.getValue()))
                        .append('\n');
                indent = "    ";
            }
        }
    }

    /** YAML's flow style, which is JSON but for quotes that are not needed. */
    private static String flow(Object value) {
        return switch (value) {
            case List<?> all ->
                "[" + String.join(", ", all.stream().map(TopologyWriter::flow).toList()) + "]";
            case Map<?, ?> map ->
                "{"
                        + String.join(
                                ", ",
                                map.entrySet().stream()
                                        .map(field -> field.getKey() + ": " + flow(field.getValue()))
                                        .toList())
                        + "}";
            default -> scalar(value);
        };
    }

    /** Plain where plain text means itself, else quoted. */
    private static String scalar(Object value) {
        String text = value.toString();
        if (!(value instanceof String)) {
            return text;
        }
        boolean plain = text.matches("[a-zA-Z0-9/][a-zA-Z0-9./_-]*")
                && !text.matches(
                        "(?i)true|false|null|yes|no|on|off|[0-9]+(\\.[0-9]*)?(e[-+]?[0-9]+)?|0x[0-9a-f]+|0o[0-7]+");
        return plain ? text : quoted(text);
    }

    private static String quoted(String text) {
        var out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f) {
                out.append("\\u%04x".formatted((int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
