package dev.weft.agent.cli;

import com.google.protobuf.Message;
import dev.weft.topology.ObjectKind;
import dev.weft.topology.Schema;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Tenant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An object as people name it: {@code acme/vm1} for what belongs to a tenant, {@code h1} for what does not, or an id.
 *
 * @param tenant empty for kinds that belong to none, and for ids
 */
record ObjectName(String tenant, String name) {
    static ObjectName parse(String text) {
        int slash = text.indexOf('/');
        return slash < 0
                ? new ObjectName("", text)
                : new ObjectName(text.substring(0, slash), text.substring(slash + 1));
    }

    /** The name of an object that is in the snapshot. */
    static ObjectName of(TopologySnapshot snapshot, Message object) {
        ObjectKind kind = Schema.kindOf(object);
        return new ObjectName(tenantName(snapshot, kind.tenantOf(object)), kind.nameOf(object));
    }

    /** The name of a tenant; empty for none. */
    static String tenantName(TopologySnapshot snapshot, @Nullable UUID tenant) {
        return tenant == null
                ? ""
                : snapshot.tenant(tenant).map(Tenant::getName).orElse(tenant.toString());
    }

    /** @throws Failure when there is no such object, with those that there are */
    Message in(TopologySnapshot snapshot, ObjectKind kind) {
        return find(snapshot, kind).orElseThrow(() -> Failure.refused(notFound(snapshot, kind)));
    }

    private Optional<? extends Message> find(TopologySnapshot snapshot, ObjectKind kind) {
        if (!kind.tenantOwned()) {
            return byId(snapshot, kind).or(() -> snapshot.named(kind, null, name));
        }
        if (tenant.isEmpty()) {
            // Without its tenant a name will do as long as only one object has it.
            List<? extends Message> sameName = snapshot.all(kind).stream()
                    .filter(object -> kind.nameOf(object).equals(name))
                    .toList();
            return byId(snapshot, kind)
                    .or(() -> sameName.size() == 1 ? Optional.of(sameName.getFirst()) : Optional.empty());
        }
        return snapshot.named(Tenant.class, null, tenant)
                .flatMap(owner -> snapshot.named(kind, UUID.fromString(owner.getId()), name));
    }

    private Optional<Message> byId(TopologySnapshot snapshot, ObjectKind kind) {
        try {
            return snapshot.find(kind, UUID.fromString(name));
        } catch (IllegalArgumentException notAnId) {
            return Optional.empty();
        }
    }

    private String notFound(TopologySnapshot snapshot, ObjectKind kind) {
        List<String> there = snapshot.all(kind).stream()
                .map(object -> of(snapshot, object).toString())
                .sorted()
                .limit(20)
                .toList();
        return "%s '%s' (expected %s)"
                .formatted(kind, this, there.isEmpty() ? "one that exists; there are none" : String.join(", ", there));
    }

    @Override
    public String toString() {
        return tenant.isEmpty() ? name : tenant + "/" + name;
    }
}
