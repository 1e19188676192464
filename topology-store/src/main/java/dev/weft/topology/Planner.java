package dev.weft.topology;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.weft.base.IpAddress;
import dev.weft.topology.DesiredTopology.DesiredObject;
import dev.weft.topology.schema.Host;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Meets a description with a topology: names become ids, descriptions become whole objects. Used once. */
final class Planner {
    private static final String NO_TENANT = "";
    private static final long DOCUMENTATION_PREFIX = 0x2001_0db8_0000_0000L;

    private final TopologySnapshot snapshot;
    private final Ids ids;
    private final boolean offline;
    private final List<Problem> problems = new ArrayList<>();
    private final Map<Key, Planned> planned = new LinkedHashMap<>();
    private final Map<ObjectRef, Planned> byRef = new LinkedHashMap<>();

    Planner(TopologySnapshot snapshot, Ids ids, boolean offline) {
        this.snapshot = snapshot;
        this.ids = ids;
        this.offline = offline;
    }

    /** Where the ids of new objects come from. */
    enum Ids {
        RANDOM {
            @Override
            UUID of(Key key) {
                return UUID.randomUUID();
            }
        },
        FROM_NAMES {
            @Override
            UUID of(Key key) {
                String text = key.tenant + "/" + key.kind + "/" + key.name;
                return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8));
            }
        };

        abstract UUID of(Key key);
    }

    /** @param tenant the tenant's name; {@link #NO_TENANT} for kinds that belong to none */
    private record Key(ObjectKind kind, String tenant, String name) {}

    /** An object that files describe; {@code message} is complete once references are resolved. */
    private static final class Planned {
        final Key key;
        final DesiredObject desired;
        final UUID id;
        final Optional<Message> before;
        Message message;
        boolean broken;

        Planned(Key key, DesiredObject desired, UUID id, Optional<Message> before) {
            this.key = key;
            this.desired = desired;
            this.id = id;
            this.before = before;
            this.message = before.orElse(key.kind.prototype());
            this.broken = desired.broken();
        }
    }

    ChangeSet plan(DesiredTopology desired) {
        problems.addAll(desired.problems());
        // Owners first: what belongs to a tenant asks for the tenant's id.
        desired.objects().stream().filter(o -> !o.kind().tenantOwned()).forEach(this::admit);
        desired.objects().stream().filter(o -> o.kind().tenantOwned()).forEach(this::admit);
        if (offline) {
            standInForHosts();
        }
        planned.values().forEach(this::complete);
        planned.values().forEach(this::leaveFormerPartner);
        return changes();
    }

    private void admit(DesiredObject object) {
        ObjectKind kind = object.kind();
        var key = new Key(kind, object.tenant() == null ? NO_TENANT : object.tenant(), object.name());
        if (kind.selfRegistered() && !offline) {
            problems.add(new Problem(
                    object.at(),
                    kind.name(),
                    object.name(),
                    "",
                    "",
                    "cannot be applied: a " + kind + " registers itself when its agent starts; remove it here"));
            return;
        }
        Planned first = planned.get(key);
        if (first != null) {
            if (kind.tenantOwned() || kind.selfRegistered()) {
                problems.add(new Problem(
                        object.at(),
                        kind.name(),
                        object.name(),
                        "name",
                        object.name(),
                        "stands twice (first at " + first.desired.at() + "); "
                                + (kind.tenantOwned()
                                        ? "names are unique within tenant and kind"
                                        : "names are unique")));
                first.broken = true;
            }
            return; // A tenant may be named as often as one likes.
        }
        Optional<Message> before = existing(key, object);
        UUID id = before.map(kind::idOf)
                .or(() -> object.id().map(UUID::fromString))
                .orElseGet(() -> ids.of(key));
        var entry = new Planned(key, object, id, before);
        planned.put(key, entry);
        byRef.put(new ObjectRef(kind, id), entry);
    }

    private Optional<Message> existing(Key key, DesiredObject object) {
        if (object.id().isPresent()) {
            return snapshot.find(key.kind, UUID.fromString(object.id().get()));
        }
        if (!key.kind.tenantOwned()) {
            return snapshot.named(key.kind, null, key.name);
        }
        return tenantId(key.tenant).flatMap(tenant -> snapshot.named(key.kind, tenant, key.name));
    }

    private Optional<UUID> tenantId(String tenantName) {
        Planned tenant = planned.get(new Key(Schema.named("tenant"), NO_TENANT, tenantName));
        return Optional.ofNullable(tenant).map(t -> t.id);
    }

    private void standInForHosts() {
        ObjectKind kind = Schema.kindOf(Host.class);
        var names = new TreeSet<String>();
        for (Planned entry : planned.values()) {
            for (FieldRule field : entry.key.kind.references()) {
                if (Objects.requireNonNull(field.reference()).getTo().equals(kind.name())) {
                    mentioned(entry, field.field()).map(Object::toString).ifPresent(names::add);
                }
            }
        }
        int index = 1;
        for (String name : names) {
            var key = new Key(kind, NO_TENANT, name);
            FieldDescriptor underlay = kind.field("underlay").orElseThrow().field();
            if (!planned.containsKey(key) && !Formats.isId(name)) {
                String address = new IpAddress(DOCUMENTATION_PREFIX, index++).toString();
                var fields = Map.of(
                        kind.nameField().field(), Optional.<Object>of(name), underlay, Optional.<Object>of(address));
                admit(new DesiredObject(
                        kind, null, name, Optional.empty(), fields, Map.of(), new Position("", 1, 1), false));
            }
        }
    }

    private static Optional<Object> mentioned(Planned entry, FieldDescriptor field) {
        return entry.desired.fields().getOrDefault(field, Optional.empty());
    }

    private void complete(Planned entry) {
        ObjectKind kind = entry.key.kind;
        Message.Builder builder = entry.message.toBuilder();
        builder.setField(kind.idField().field(), entry.id.toString());
        builder.setField(kind.nameField().field(), entry.key.name);
        FieldRule owner = kind.tenantField();
        if (owner != null) {
            tenantId(entry.key.tenant).ifPresent(id -> builder.setField(owner.field(), id.toString()));
        }
        List<FieldRule> mentioned = new ArrayList<>();
        for (FieldRule rule : kind.fields()) {
            Optional<Object> value = entry.desired.fields().get(rule.field());
            if (value == null) {
                continue; // Not mentioned: stays as it is.
            }
            if (value.isEmpty()) {
                builder.clearField(rule.field());
            } else {
                builder.setField(rule.field(), value.get());
                mentioned.add(rule);
            }
        }
        Message named = builder.build();
        for (FieldRule rule : mentioned) {
            named = References.replaceField(rule, named, "", (field, path, word) -> resolve(entry, field, path, word));
        }
        entry.message = named;
    }

    /** The id that a name (or id) in a file stands for. */
    private Optional<String> resolve(Planned entry, FieldRule rule, String path, String word) {
        ObjectKind to = Schema.named(Objects.requireNonNull(rule.reference()).getTo());
        String tenant = to.tenantOwned() ? entry.key.tenant : NO_TENANT;
        Planned described = planned.get(new Key(to, tenant, word));
        if (described != null) {
            return Optional.of(described.id.toString());
        }
        @Nullable UUID owner = to.tenantOwned() ? tenantId(tenant).orElse(null) : null;
        Optional<Message> stored = snapshot.named(to, owner, word);
        if (stored.isEmpty() && Formats.isId(word)) {
            var ref = new ObjectRef(to, UUID.fromString(word));
            stored = byRef.containsKey(ref) ? Optional.of(byRef.get(ref).message) : snapshot.find(to, ref.id());
            if (stored.isPresent()) {
                return Optional.of(ref.id().toString()); // Another tenant's object is refused by the checks.
            }
        }
        if (stored.isPresent()) {
            return stored.map(to.idField()::text);
        }
        List<String> names = namesOf(to, tenant, owner);
        problems.add(new Problem(
                entry.desired.positionOf(path),
                entry.key.kind.name(),
                entry.key.name,
                path,
                word,
                missing(to, tenant, word, names)));
        entry.broken = true;
        return Optional.empty();
    }

    private String missing(ObjectKind to, String tenant, String word, List<String> names) {
        String where = to.tenantOwned() ? " in tenant '" + tenant + "'" : "";
        boolean elsewhere = to.tenantOwned()
                && (planned.keySet().stream().anyMatch(key -> key.kind == to && key.name.equals(word))
                        || snapshot.all(to).stream().anyMatch(o -> to.nameOf(o).equals(word)));
        String other = elsewhere ? "; another tenant has one, but references stay within a tenant" : "";
        String hint = to.selfRegistered() ? "; a " + to + " is known once its agent has started" : "";
        return "there is no such " + to + where + " (expected " + (names.isEmpty() ? "one that exists" : some(names))
                + ")" + Nearest.hint(word, names) + other + hint;
    }

    private static String some(List<String> names) {
        int shown = 10;
        return "one of " + String.join(", ", names.subList(0, Math.min(shown, names.size())))
                + (names.size() > shown ? " and " + (names.size() - shown) + " more" : "");
    }

    private List<String> namesOf(ObjectKind kind, String tenant, @Nullable UUID owner) {
        Stream<String> described = planned.keySet().stream()
                .filter(key -> key.kind == kind && key.tenant.equals(tenant))
                .map(Key::name);
        Stream<String> stored = snapshot.all(kind).stream()
                .filter(object -> Objects.equals(kind.tenantOf(object), owner))
                .map(kind::nameOf);
        return Stream.concat(described, stored).distinct().sorted().toList();
    }

    /**
     * A stored partner that the files do not mention at this side, but send elsewhere at its own side, is let go: else
     * the unmentioned field would hold it back.
     */
    private void leaveFormerPartner(Planned entry) {
        for (FieldRule rule : entry.key.kind.references()) {
            if (Objects.requireNonNull(rule.reference()).getMirroredBy().isEmpty()
                    || entry.desired.fields().containsKey(rule.field())
                    || !rule.isSet(entry.message)) {
                continue;
            }
            ObjectKind to = Schema.named(rule.reference().getTo());
            FieldRule back = to.field(rule.reference().getMirroredBy()).orElseThrow();
            Planned partner = byRef.get(new ObjectRef(to, UUID.fromString(rule.text(entry.message))));
            if (partner != null && !back.text(partner.message).equals(entry.id.toString())) {
                entry.message =
                        entry.message.toBuilder().clearField(rule.field()).build();
            }
        }
    }

    private ChangeSet changes() {
        var changes = new ArrayList<ChangeSet.Change>();
        var transaction = Transaction.builder();
        int unchanged = 0;
        for (Planned entry : planned.values()) {
            if (entry.before.filter(entry.message::equals).isPresent()) {
                unchanged++;
                continue;
            }
            ObjectKind kind = entry.key.kind;
            changes.add(new ChangeSet.Change(kind, entry.key.tenant, entry.key.name, entry.before, entry.message));
            transaction.put(entry.message, snapshot.version(kind, entry.id));
        }
        Transaction finished = transaction.build();
        TopologySnapshot after = snapshot.after(snapshot.changeNumber(), verified(finished));
        return new ChangeSet(changes, unchanged, finished, warnings(after));
    }

    private List<Problem> warnings(TopologySnapshot after) {
        return Warnings.about(after, byRef.keySet()).stream().map(this::placed).toList();
    }

    private Problem placed(Problem problem) {
        @Nullable Planned subject = problem.subject() == null ? null : byRef.get(problem.subject());
        return subject == null ? problem : problem.at(subject.desired.positionOf(problem.field()));
    }

    /** Adds what the store would refuse, each with its place in the file; then gives up if there was anything. */
    private Batch verified(Transaction transaction) {
        Batch batch = new Batch(List.of(), List.of(), Set.of());
        try {
            batch = Draft.check(snapshot, transaction);
        } catch (TopologyException refused) {
            for (Problem problem : refused.problems()) {
                @Nullable Planned subject = problem.subject() == null ? null : byRef.get(problem.subject());
                if (subject == null || !subject.broken) {
                    problems.add(placed(problem));
                }
            }
        }
        if (!problems.isEmpty()) {
            throw new TopologyException(problems);
        }
        return batch;
    }
}
