package dev.weft.topology;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;

/** Names within tenant and kind, and the sets of fields that the schema calls unique, occur once. */
final class Uniqueness {
    private final Draft draft;
    private final Report report;

    /** Takes what is wrong. */
    interface Report {
        void report(ObjectKind kind, Message object, FieldRule field, String value, String expected);
    }

    private Uniqueness(Draft draft, Report report) {
        this.draft = draft;
        this.report = report;
    }

    static void check(Draft draft, Set<ObjectKind> touchedKinds, Report report) {
        new Uniqueness(draft, report).check(touchedKinds);
    }

    private void check(Set<ObjectKind> touchedKinds) {
        for (ObjectKind kind : touchedKinds) {
            var names = new HashMap<List<Object>, ObjectRef>();
            var sets = new HashMap<List<Object>, ObjectRef>();
            draft.forEach(kind, (ref, object) -> {
                UUID tenant = kind.tenantOf(object);
                claimUnique(
                        names,
                        List.of(tenant == null ? "" : tenant, kind.nameOf(object)),
                        ref,
                        object,
                        kind.nameField(),
                        kind.tenantOwned() ? "names are unique within a tenant" : "names are unique");
                for (List<FieldRule> set : kind.unique()) {
                    if (set.getFirst().isSet(object)) {
                        var values = new ArrayList<Object>(set);
                        set.forEach(field -> values.add(object.getField(field.field())));
                        claimUnique(sets, values, ref, object, set.getLast(), describe(set));
                    }
                }
            });
        }
    }

    private static String describe(List<FieldRule> set) {
        return Canonical.fileNames(set) + " together occur once";
    }

    private void claimUnique(
            Map<List<Object>, ObjectRef> seen,
            List<Object> values,
            ObjectRef ref,
            Message object,
            FieldRule field,
            String rule) {
        ObjectRef first = seen.putIfAbsent(values, ref);
        if (first == null) {
            return;
        }
        // Of the two, the one that this transaction touches is to blame.
        boolean blameFirst = draft.isTouched(first) && !draft.isTouched(ref);
        Message blamed = blameFirst ? draft.get(first).orElseThrow() : object;
        Message other = blameFirst ? object : draft.get(first).orElseThrow();
        ObjectKind kind = ref.kind();
        String owner = Objects.equals(kind.tenantOf(blamed), kind.tenantOf(other)) ? "" : " of another tenant";
        report.report(
                kind,
                blamed,
                field,
                String.valueOf(blamed.getField(field.field())),
                "is already that of " + kind + " '" + kind.nameOf(other) + "'" + owner + " (" + rule + ")");
    }
}
