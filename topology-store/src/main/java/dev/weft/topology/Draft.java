package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.topology.schema.OnDelete;
import dev.weft.topology.schema.Reference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The one generic place where a transaction meets the newest state: formats, required fields, versions, references and
 * their delete policy, mirrored references, unique sets, and then {@link Rules}. Used once, by one thread.
 */
final class Draft {
    private final TopologySnapshot base;
    private final List<Problem> problems = new ArrayList<>();
    // What differs from the base: an object, or null for a deletion. Insertion order keeps batches deterministic.
    private final Map<ObjectRef, Optional<Message>> overlay = new LinkedHashMap<>();
    // Objects that the transaction itself names; implied changes never override them.
    private final Map<ObjectRef, Message> explicit = new LinkedHashMap<>();
    private @Nullable Map<UUID, Set<ObjectRef>> referrers;

    private Draft(TopologySnapshot base) {
        this.base = base;
    }

    /** @throws TopologyException with every problem found; nothing is changed then */
    static Batch check(TopologySnapshot base, Transaction transaction) {
        var draft = new Draft(base);
        Batch batch = draft.run(transaction);
        if (!draft.problems.isEmpty()) {
            throw new TopologyException(draft.problems);
        }
        return batch;
    }

    private Batch run(Transaction transaction) {
        var deletions = new ArrayDeque<ObjectRef>();
        for (Transaction.Operation operation : transaction.operations()) {
            switch (operation) {
                case Transaction.Put put -> put(put);
                case Transaction.Delete delete -> delete(delete, deletions);
            }
        }
        if (!problems.isEmpty()) {
            return new Batch(List.of(), List.of(), Set.of()); // Broken fields would only raise false alarms below.
        }
        while (!deletions.isEmpty()) {
            followDeletion(deletions.remove(), deletions);
        }
        explicit.forEach(this::mirror);
        for (ObjectRef ref : touchedAndTheirReferrers()) {
            get(ref).ifPresent(object -> verify(ref, object));
        }
        Uniqueness.check(this, touchedKinds(), this::report);
        return difference();
    }

    private void put(Transaction.Put put) {
        ObjectKind kind = Schema.kindOf(put.object());
        if (!Formats.isId(kind.idField().text(put.object()))) {
            report(
                    kind,
                    put.object(),
                    kind.idField(),
                    kind.idField().text(put.object()),
                    Formats.expected(kind.idField().format(), ""));
            return;
        }
        Message object = Rules.completed(Canonical.of(kind, put.object(), problems));
        var ref = ObjectRef.of(object);
        checkVersion(ref, kind.nameOf(object), put.expectedVersion());
        set(ref, object);
        explicit.put(ref, object);
    }

    private void delete(Transaction.Delete delete, ArrayDeque<ObjectRef> deletions) {
        var ref = new ObjectRef(delete.kind(), delete.id());
        checkVersion(ref, "", delete.expectedVersion());
        if (get(ref).isEmpty()) {
            problems.add(new Problem(
                    null, ref.kind().name(), ref.id().toString(), "", "", "does not exist; it may be deleted already"));
            return;
        }
        overlay.put(ref, Optional.empty());
        explicit.remove(ref);
        deletions.add(ref);
    }

    private void checkVersion(ObjectRef ref, String name, long expected) {
        long actual = base.version(ref.kind(), ref.id());
        if (expected == Transaction.ANY_VERSION || expected == actual) {
            return;
        }
        String text = expected == Transaction.NEW
                ? "exists already (expected a new object); read it and try again"
                : actual == 0
                        ? "does not exist (expected version " + expected + "); it was deleted meanwhile"
                        : "changed meanwhile (expected version " + expected + "); read it and try again";
        problems.add(new Problem(
                null,
                ref.kind().name(),
                name.isEmpty() ? ref.id().toString() : name,
                "version",
                Long.toString(actual),
                text,
                ref));
    }

    private void followDeletion(ObjectRef gone, ArrayDeque<ObjectRef> deletions) {
        for (ObjectRef referrer : List.copyOf(referrersOf(gone.id()))) {
            Optional<Message> object = get(referrer);
            if (object.isEmpty() || explicit.containsKey(referrer) || get(gone).isPresent()) {
                continue; // What the transaction says itself is checked as it stands: a dangling reference is an error.
            }
            References.visit(referrer.kind(), object.get(), (field, path, id) -> {
                if (id.equals(gone.id().toString())) {
                    get(referrer).ifPresent(now -> applyPolicy(gone, referrer, now, field, deletions));
                }
            });
        }
    }

    private void applyPolicy(
            ObjectRef gone, ObjectRef referrer, Message object, FieldRule field, ArrayDeque<ObjectRef> deletions) {
        Reference reference = Objects.requireNonNull(field.reference());
        OnDelete policy = reference.getOnDelete();
        switch (policy) {
            case CASCADE -> {
                overlay.put(referrer, Optional.empty());
                deletions.add(referrer);
            }
            case CLEAR -> {
                Message cleared = References.replace(
                        referrer.kind(),
                        object,
                        (rule, path, id) ->
                                rule.equals(field) && id.equals(gone.id().toString())
                                        ? Optional.empty()
                                        : Optional.of(id));
                set(referrer, Rules.afterClearing(cleared, field));
            }
            case REFUSE, ON_DELETE_UNSPECIFIED, UNRECOGNIZED ->
                problems.add(new Problem(
                        null,
                        gone.kind().name(),
                        base.find(gone.kind(), gone.id())
                                .map(gone.kind()::nameOf)
                                .orElse(gone.id().toString()),
                        "",
                        "",
                        "cannot be deleted: " + referrer.kind() + " '"
                                + referrer.kind().nameOf(object) + "' refers to it; delete that first"));
        }
    }

    /** Sets the other side of references that must point back, and frees the side that was left. */
    private void mirror(ObjectRef ref, Message written) {
        for (FieldRule field : ref.kind().references()) {
            Reference reference = Objects.requireNonNull(field.reference());
            if (reference.getMirroredBy().isEmpty()) {
                continue;
            }
            ObjectKind other = Schema.named(reference.getTo());
            FieldRule back = other.field(reference.getMirroredBy()).orElseThrow();
            Message now = get(ref).orElse(written);
            base.find(ref.kind(), ref.id())
                    .map(field::text)
                    .filter(before -> !before.isEmpty() && !before.equals(field.text(now)))
                    .ifPresent(before -> release(new ObjectRef(other, UUID.fromString(before)), back, ref));
            if (field.isSet(now)) {
                claim(ref, now, field, new ObjectRef(other, UUID.fromString(field.text(now))), back);
            }
        }
    }

    private void release(ObjectRef left, FieldRule back, ObjectRef from) {
        get(left)
                .filter(object -> back.text(object).equals(from.id().toString()) && !explicit.containsKey(left))
                .ifPresent(object ->
                        set(left, object.toBuilder().clearField(back.field()).build()));
    }

    private void claim(ObjectRef ref, Message object, FieldRule field, ObjectRef target, FieldRule back) {
        Message there = get(target).orElse(null);
        if (there == null || target.equals(ref)) {
            return; // Reported as dangling, or by the rules.
        }
        if (!Objects.equals(target.kind().tenantOf(there), ref.kind().tenantOf(object))) {
            return; // Refused below; the other tenant's object stays as it is.
        }
        String pointsTo = back.text(there);
        if (!pointsTo.isEmpty() && !pointsTo.equals(ref.id().toString()) && !leavesIn(target, back, pointsTo)) {
            String taker = get(new ObjectRef(ref.kind(), UUID.fromString(pointsTo)))
                    .map(ref.kind()::nameOf)
                    .orElse(pointsTo);
            report(
                    ref.kind(),
                    object,
                    field,
                    target.kind().nameOf(there),
                    "is taken: its " + back.fileName() + " is '" + taker + "' (expected one that is free); clear that"
                            + " first");
            return;
        }
        set(
                target,
                there.toBuilder().setField(back.field(), ref.id().toString()).build());
    }

    /** The object that {@code target} points to says in this transaction that it goes elsewhere. */
    private boolean leavesIn(ObjectRef target, FieldRule back, String pointsTo) {
        if (explicit.containsKey(target)) {
            return false;
        }
        Message holder = explicit.get(new ObjectRef(target.kind(), UUID.fromString(pointsTo)));
        return holder != null && !back.text(holder).equals(target.id().toString());
    }

    private Set<ObjectRef> touchedAndTheirReferrers() {
        var all = new LinkedHashSet<>(overlay.keySet());
        for (ObjectRef ref : List.copyOf(all)) {
            all.addAll(referrersOf(ref.id()));
        }
        return all;
    }

    private void verify(ObjectRef ref, Message object) {
        ObjectKind kind = ref.kind();
        int before = problems.size();
        References.visit(kind, object, (field, path, id) -> {
            ObjectKind to =
                    Schema.named(Objects.requireNonNull(field.reference()).getTo());
            Message target = get(new ObjectRef(to, UUID.fromString(id))).orElse(null);
            if (target == null) {
                report(kind, object, path, id, "does not exist (expected an existing " + to + ")");
            } else if (to.tenantOwned() && !Objects.equals(to.tenantOf(target), kind.tenantOf(object))) {
                report(
                        kind,
                        object,
                        path,
                        to.nameOf(target),
                        "belongs to another tenant (expected a " + to + " of the same tenant)");
            }
        });
        if (problems.size() == before) {
            new Rules(this, problems).check(ref, object);
        }
    }

    private Set<ObjectKind> touchedKinds() {
        var touched = new LinkedHashSet<ObjectKind>();
        overlay.forEach((ref, object) -> object.ifPresent(present -> touched.add(ref.kind())));
        return touched;
    }

    private Batch difference() {
        var upserts = new ArrayList<Message>();
        var deletes = new ArrayList<ObjectRef>();
        var created = new LinkedHashSet<ObjectRef>();
        overlay.forEach((ref, object) -> {
            Optional<Message> before = base.find(ref.kind(), ref.id());
            if (object.isEmpty()) {
                before.ifPresent(existed -> deletes.add(ref));
            } else if (!object.equals(before)) {
                upserts.add(object.get());
                if (before.isEmpty()) {
                    created.add(ref);
                }
            }
        });
        return new Batch(upserts, deletes, created);
    }

    // The state after the transaction, as far as it is known.

    Optional<Message> get(ObjectRef ref) {
        Optional<Message> changed = overlay.get(ref);
        return changed != null ? changed : base.find(ref.kind(), ref.id());
    }

    boolean isTouched(ObjectRef ref) {
        return overlay.containsKey(ref);
    }

    /** Objects that refer to this one now or did before the transaction; check the field. */
    Collection<ObjectRef> referrersOf(UUID id) {
        if (referrers == null) {
            referrers = new HashMap<>();
            for (ObjectKind kind : Schema.kinds()) {
                base.all(kind).forEach(object -> index(new ObjectRef(kind, kind.idOf(object)), object));
            }
            overlay.forEach((ref, object) -> object.ifPresent(present -> index(ref, present)));
        }
        return referrers.getOrDefault(id, Set.of());
    }

    private void set(ObjectRef ref, Message object) {
        overlay.put(ref, Optional.of(object));
        if (referrers != null) {
            index(ref, object);
        }
    }

    private void index(ObjectRef ref, Message object) {
        References.visit(
                ref.kind(),
                object,
                (field, path, id) -> Objects.requireNonNull(referrers)
                        .computeIfAbsent(UUID.fromString(id), key -> new LinkedHashSet<>())
                        .add(ref));
    }

    /** Is shown an object. */
    interface ObjectVisitor {
        void visit(ObjectRef ref, Message object);
    }

    /** All objects of a kind. */
    void forEach(ObjectKind kind, ObjectVisitor visitor) {
        for (Message object : base.all(kind)) {
            var ref = new ObjectRef(kind, kind.idOf(object));
            if (!overlay.containsKey(ref)) {
                visitor.visit(ref, object);
            }
        }
        overlay.forEach((ref, object) -> {
            if (ref.kind() == kind) {
                object.ifPresent(present -> visitor.visit(ref, present));
            }
        });
    }

    private void report(ObjectKind kind, Message object, FieldRule field, String value, String expected) {
        report(kind, object, field.fileName(), value, expected);
    }

    private void report(ObjectKind kind, Message object, String path, String value, String expected) {
        String name = kind.nameOf(object);
        problems.add(new Problem(
                null,
                kind.name(),
                name.isEmpty() ? kind.idField().text(object) : name,
                path,
                value,
                expected,
                Formats.isId(kind.idField().text(object)) ? ObjectRef.of(object) : null));
    }
}
