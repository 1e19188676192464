package dev.weft.topology;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.weft.topology.DesiredTopology.DesiredObject;
import dev.weft.topology.schema.Format;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Turns the documents of one file into desired objects. Not thread safe. */
final class DocumentReader {
    private static final String TENANT_KEY = "tenant";

    private final String file;
    private final List<DesiredObject> objects;
    private final List<Problem> problems;

    DocumentReader(String file, List<DesiredObject> objects, List<Problem> problems) {
        this.file = file;
        this.objects = objects;
        this.problems = problems;
    }

    void read(Node document) {
        if (isNull(document)) {
            return; // An empty document between two "---".
        }
        if (!(document instanceof MappingNode top)) {
            report(document, "", "", "", excerpt(document), "expected a mapping with the keys " + topKeys(true));
            return;
        }
        Map<String, NodeTuple> keys = keys(top, "", "");
        @Nullable String tenant = keys.containsKey(TENANT_KEY) ? tenant(keys.get(TENANT_KEY)) : null;
        boolean owned = keys.containsKey(TENANT_KEY);
        keys.forEach((key, tuple) -> {
            if (!key.equals(TENANT_KEY)) {
                kindList(key, tuple, owned, tenant);
            }
        });
    }

    private @Nullable String tenant(NodeTuple tuple) {
        ObjectKind kind = Schema.named(TENANT_KEY);
        Optional<String> name = scalar(tuple.getValueNode())
                .filter(text -> Formats.canonical(Format.FORMAT_NAME, text).isPresent());
        if (name.isEmpty()) {
            String text = excerpt(tuple.getValueNode());
            report(tuple.getValueNode(), kind.name(), "", "", text, Formats.expected(Format.FORMAT_NAME, text));
            return null;
        }
        objects.add(new DesiredObject(
                kind,
                null,
                name.get(),
                Optional.empty(),
                Map.of(),
                Map.of(),
                TopologyReader.position(file, tuple.getValueNode()),
                false));
        return name.get();
    }

    private void kindList(String key, NodeTuple tuple, boolean owned, @Nullable String tenant) {
        Optional<ObjectKind> found =
                Schema.kinds().stream().filter(k -> k.plural().equals(key)).findFirst();
        if (found.isEmpty()) {
            report(
                    tuple.getKeyNode(),
                    "",
                    "",
                    "",
                    key,
                    "unknown key (expected " + topKeys(owned) + ")" + Nearest.hint(key, allTopKeys()));
            return;
        }
        ObjectKind kind = found.get();
        if (kind.tenantOwned() != owned) {
            report(
                    tuple.getKeyNode(),
                    "",
                    "",
                    "",
                    key,
                    owned
                            ? "belongs to no tenant; put it into a document of its own, without 'tenant:', after a line '---'"
                            : "belongs to a tenant; say which by 'tenant: NAME' in the same document");
            return;
        }
        if (isNull(tuple.getValueNode())) {
            return;
        }
        if (!(tuple.getValueNode() instanceof SequenceNode list)) {
            report(tuple.getValueNode(), "", "", key, excerpt(tuple.getValueNode()), "expected a list of " + key);
            return;
        }
        if (kind.tenantOwned() && tenant == null) {
            return; // The tenant's name is wrong and was reported: nothing below can be placed.
        }
        list.getValue().forEach(node -> object(kind, tenant, node));
    }

    private void object(ObjectKind kind, @Nullable String tenant, Node node) {
        if (!(node instanceof MappingNode mapping)) {
            report(node, kind.name(), "", "", excerpt(node), "expected a mapping of " + fieldNames(kind));
            return;
        }
        String label = label(mapping);
        var fields = new LinkedHashMap<FieldDescriptor, Optional<Object>>();
        var positions = new HashMap<String, Position>();
        @Nullable String id = null;
        int before = problems.size();
        for (var entry : keys(mapping, kind.name(), label).entrySet()) {
            Node value = entry.getValue().getValueNode();
            FieldRule rule = fileFields(kind).stream()
                    .filter(f -> f.fileName().equals(entry.getKey()))
                    .findFirst()
                    .orElse(null);
            if (rule == null) {
                List<String> names =
                        fileFields(kind).stream().map(FieldRule::fileName).toList();
                report(
                        entry.getValue().getKeyNode(),
                        kind.name(),
                        label,
                        entry.getKey(),
                        "",
                        "unknown field (expected " + String.join(", ", names) + ")"
                                + Nearest.hint(entry.getKey(), names));
                continue;
            }
            var context = new FieldContext(kind, label, positions);
            Optional<Object> read = context.read(rule, value, rule.fileName());
            if (rule == kind.idField()) {
                id = read.map(Object::toString).orElse(null);
            } else if (read.isPresent() || isNull(value)) {
                fields.put(rule.field(), read);
            }
        }
        String name = Optional.ofNullable(fields.get(kind.nameField().field()))
                .flatMap(value -> value)
                .map(Object::toString)
                .orElseGet(() -> derivedName(kind, fields));
        if (name.isEmpty() && !kind.nameField().required()) {
            return; // A route whose key fields are wrong: reported above, or below as missing.
        }
        boolean reported = positions.containsKey("name") && problems.size() > before;
        if (name.isEmpty() && !reported) {
            report(node, kind.name(), "", "name", "", "missing (" + Canonical.describe(kind.nameField(), "") + ")");
        }
        if (!name.isEmpty()) {
            fields.put(kind.nameField().field(), Optional.of(name));
            objects.add(new DesiredObject(
                    kind,
                    tenant,
                    name,
                    Optional.ofNullable(id),
                    fields,
                    positions,
                    TopologyReader.position(file, node),
                    problems.size() > before));
        }
    }

    /** The name of an object that a file may leave nameless: made of what identifies it. */
    private static String derivedName(ObjectKind kind, Map<FieldDescriptor, Optional<Object>> fields) {
        if (kind.nameField().required()) {
            return "";
        }
        var parts = new ArrayList<String>();
        for (FieldRule rule : kind.fields()) {
            Optional<Object> value = fields.getOrDefault(rule.field(), Optional.empty());
            if (value.isPresent() && rule.isText()) {
                parts.add(value.get().toString());
            }
        }
        return Formats.nameOf(String.join(":", parts));
    }

    /** What a file says of a kind: the owner comes from the document. */
    private static List<FieldRule> fileFields(ObjectKind kind) {
        return kind.fields().stream().filter(f -> f != kind.tenantField()).toList();
    }

    private static String fieldNames(ObjectKind kind) {
        return Canonical.fileNames(fileFields(kind));
    }

    private String label(MappingNode mapping) {
        for (NodeTuple tuple : mapping.getValue()) {
            if (scalar(tuple.getKeyNode()).orElse("").equals("name")) {
                return scalar(tuple.getValueNode()).orElse("");
            }
        }
        return "";
    }

    /** Keys in order; a key that is no text, or stands twice, is a problem. */
    private Map<String, NodeTuple> keys(MappingNode mapping, String kind, String label) {
        var keys = new LinkedHashMap<String, NodeTuple>();
        for (NodeTuple tuple : mapping.getValue()) {
            Optional<String> key = scalar(tuple.getKeyNode());
            if (key.isEmpty()) {
                report(
                        tuple.getKeyNode(),
                        kind,
                        label,
                        "",
                        excerpt(tuple.getKeyNode()),
                        "expected a key of plain text");
            } else if (keys.putIfAbsent(key.get(), tuple) != null) {
                report(tuple.getKeyNode(), kind, label, key.get(), "", "stands twice (expected once)");
            }
        }
        return keys;
    }

    private static List<String> allTopKeys() {
        var keys = new ArrayList<String>(List.of(TENANT_KEY));
        Schema.kinds().forEach(kind -> keys.add(kind.plural()));
        return keys;
    }

    private static String topKeys(boolean owned) {
        var keys = new ArrayList<String>(List.of(TENANT_KEY));
        Schema.kinds().stream().filter(kind -> kind.tenantOwned() == owned).forEach(kind -> keys.add(kind.plural()));
        return String.join(", ", keys);
    }

    private static Optional<String> scalar(Node node) {
        return node instanceof ScalarNode scalar ? Optional.of(scalar.getValue()) : Optional.empty();
    }

    private static boolean isNull(Node node) {
        return node.getTag().equals(Tag.NULL);
    }

    private static String excerpt(Node node) {
        return switch (node) {
            case ScalarNode scalar -> isNull(node) ? "null" : scalar.getValue();
            case SequenceNode list -> "a list of " + list.getValue().size();
            case MappingNode mapping -> "a mapping of " + mapping.getValue().size();
            default -> node.getNodeType().toString();
        };
    }

    private void report(Node node, String kind, String name, String field, String value, String expected) {
        problems.add(new Problem(TopologyReader.position(file, node), kind, name, field, value, expected));
    }

    /** Reads the fields of one object. */
    private final class FieldContext {
        private final ObjectKind kind;
        private final String label;
        private final Map<String, Position> positions;

        FieldContext(ObjectKind kind, String label, Map<String, Position> positions) {
            this.kind = kind;
            this.label = label;
            this.positions = positions;
        }

        /** Empty for null and for what was reported as a problem. */
        Optional<Object> read(FieldRule rule, Node node, String path) {
            positions.put(path, TopologyReader.position(file, node));
            if (isNull(node)) {
                return Optional.empty();
            }
            if (!rule.field().isRepeated()) {
                return one(rule, node, path);
            }
            if (!(node instanceof SequenceNode list)) {
                problem(node, path, "expected a list, like [" + Canonical.describe(rule, "") + "]");
                return Optional.empty();
            }
            var values = new ArrayList<Object>();
            for (Node element : list.getValue()) {
                String at = path + "[" + values.size() + "]";
                positions.put(at, TopologyReader.position(file, element));
                one(rule, element, at).ifPresent(values::add);
            }
            return Optional.of(values);
        }

        private Optional<Object> one(FieldRule rule, Node node, String path) {
            if (rule.isMessage()) {
                return nested(rule, node, path);
            }
            if (!(node instanceof ScalarNode scalar) || isNull(node)) {
                problem(node, path, Canonical.describe(rule, ""));
                return Optional.empty();
            }
            Optional<Object> value = value(rule, scalar);
            if (value.isEmpty()) {
                problem(node, path, Canonical.describe(rule, scalar.getValue()));
            }
            return value;
        }

        private Optional<Object> value(FieldRule rule, ScalarNode scalar) {
            String text = scalar.getValue();
            return switch (rule.field().getJavaType()) {
                // A reference is a name (or id) here; who it means is found out against a topology.
                case STRING ->
                    Formats.canonical(rule.reference() != null ? Format.FORMAT_NAME : rule.format(), text)
                            .map(Object.class::cast);
                case BOOLEAN ->
                    text.equals("true") || text.equals("false")
                            ? Optional.of(Boolean.parseBoolean(text))
                            : Optional.empty();
                case ENUM ->
                    rule.field().getEnumType().getValues().stream()
                            .filter(v -> v.getName().equalsIgnoreCase(text))
                            .findFirst()
                            .map(Object.class::cast);
                case INT -> text.matches("0|[1-9][0-9]{0,8}") ? Optional.of(Integer.parseInt(text)) : Optional.empty();
                case LONG -> text.matches("0|[1-9][0-9]{0,17}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
                case FLOAT, DOUBLE, BYTE_STRING, MESSAGE ->
                    throw new IllegalStateException("field " + rule.field().getFullName() + " of type "
                            + rule.field().getJavaType() + " (the reader knows text, bool, enum and integers)");
            };
        }

        private Optional<Object> nested(FieldRule rule, Node node, String path) {
            if (!(node instanceof MappingNode mapping)) {
                problem(node, path, Canonical.describe(rule, ""));
                return Optional.empty();
            }
            Message.Builder builder = Objects.requireNonNull(rule.prototype()).newBuilderForType();
            int before = problems.size();
            Map<String, NodeTuple> keys = keys(mapping, kind.name(), label);
            keys.forEach((key, tuple) -> nestedField(rule, path, builder, key, tuple));
            for (FieldRule inner : rule.nested()) {
                if (inner.required() && !keys.containsKey(inner.fileName())) {
                    problem(node, path + "." + inner.fileName(), "missing (" + Canonical.describe(inner, "") + ")");
                }
            }
            return problems.size() > before ? Optional.empty() : Optional.of(builder.build());
        }

        private void nestedField(FieldRule rule, String path, Message.Builder builder, String key, NodeTuple tuple) {
            List<String> names = rule.nested().stream().map(FieldRule::fileName).toList();
            int index = names.indexOf(key);
            if (index < 0) {
                problem(
                        tuple.getKeyNode(),
                        path + "." + key,
                        "unknown field (expected " + String.join(", ", names) + ")" + Nearest.hint(key, names));
                return;
            }
            FieldRule inner = rule.nested().get(index);
            read(inner, tuple.getValueNode(), path + "." + key)
                    .ifPresent(value -> builder.setField(inner.field(), value));
        }

        private void problem(Node node, String path, String expected) {
            String value = node instanceof ScalarNode && !expected.startsWith("unknown") ? excerpt(node) : "";
            report(node, kind.name(), label, path, value, expected);
        }
    }
}
