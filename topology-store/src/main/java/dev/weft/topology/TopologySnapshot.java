package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.Tenant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The whole topology as of one change number. Immutable: share it freely. Kinds that a change does not touch are shared
 * with the snapshot before it. Iteration is in order of id.
 */
public final class TopologySnapshot {
    public static final TopologySnapshot EMPTY = new TopologySnapshot(0, Map.of());

    private final long changeNumber;
    private final Map<ObjectKind, Table> tables;

    private TopologySnapshot(long changeNumber, Map<ObjectKind, Table> tables) {
        this.changeNumber = changeNumber;
        this.tables = tables;
    }

    /** How many transactions led here; 0 for the empty store. */
    public long changeNumber() {
        return changeNumber;
    }

    public Collection<Tenant> tenants() {
        return all(Tenant.class);
    }

    public Collection<Host> hosts() {
        return all(Host.class);
    }

    public Collection<Bridge> bridges() {
        return all(Bridge.class);
    }

    public Collection<Router> routers() {
        return all(Router.class);
    }

    public Collection<Port> ports() {
        return all(Port.class);
    }

    public Collection<Route> routes() {
        return all(Route.class);
    }

    public Optional<Tenant> tenant(UUID id) {
        return find(Tenant.class, id);
    }

    public Optional<Host> host(UUID id) {
        return find(Host.class, id);
    }

    public Optional<Bridge> bridge(UUID id) {
        return find(Bridge.class, id);
    }

    public Optional<Router> router(UUID id) {
        return find(Router.class, id);
    }

    public Optional<Port> port(UUID id) {
        return find(Port.class, id);
    }

    public Optional<Route> route(UUID id) {
        return find(Route.class, id);
    }

    /** All objects of a kind, in order of id; unmodifiable. */
    @SuppressWarnings("unchecked") // A kind's table holds only messages of the kind's class.
    public <M extends Message> Collection<M> all(Class<M> type) {
        return (Collection<M>) all(Schema.kindOf(type));
    }

    public Collection<? extends Message> all(ObjectKind kind) {
        return table(kind).objects;
    }

    public <M extends Message> Optional<M> find(Class<M> type, UUID id) {
        return find(Schema.kindOf(type), id).map(type::cast);
    }

    public Optional<Message> find(ObjectKind kind, UUID id) {
        return Optional.ofNullable(table(kind).byId.get(id)).map(Versioned::object);
    }

    /** @param tenant null for kinds that belong to no tenant */
    public <M extends Message> Optional<M> named(Class<M> type, @Nullable UUID tenant, String name) {
        return named(Schema.kindOf(type), tenant, name).map(type::cast);
    }

    /** @param tenant null for kinds that belong to no tenant */
    public Optional<Message> named(ObjectKind kind, @Nullable UUID tenant, String name) {
        Table table = table(kind);
        UUID id = table.byName.get(new NameKey(tenant, name));
        return id == null ? Optional.empty() : find(kind, id);
    }

    /** The change number that wrote the object last; 0 when it does not exist. */
    public long version(ObjectKind kind, UUID id) {
        Versioned stored = table(kind).byId.get(id);
        return stored == null ? 0 : stored.version;
    }

    public long version(Message object) {
        ObjectKind kind = Schema.kindOf(object);
        return version(kind, kind.idOf(object));
    }

    /** The snapshot after {@code batch}, which became change {@code number}. */
    TopologySnapshot after(long number, Batch batch) {
        var touched = new HashMap<ObjectKind, TableEdit>();
        for (ObjectRef gone : batch.deletes()) {
            touched.computeIfAbsent(gone.kind(), kind -> new TableEdit(kind, table(kind)))
                    .remove(gone.id());
        }
        for (Message object : batch.upserts()) {
            touched.computeIfAbsent(Schema.kindOf(object), kind -> new TableEdit(kind, table(kind)))
                    .put(object, number);
        }
        var next = new HashMap<>(tables);
        touched.forEach((kind, edit) -> next.put(kind, edit.finish()));
        return new TopologySnapshot(number, Map.copyOf(next));
    }

    /** A snapshot from loaded objects with their versions. */
    static TopologySnapshot of(long number, Map<ObjectKind, Map<UUID, Versioned>> objects) {
        var tables = new HashMap<ObjectKind, Table>();
        objects.forEach((kind, byId) -> {
            var edit = new TableEdit(kind, Table.EMPTY);
            byId.values().forEach(stored -> edit.put(stored.object, stored.version));
            tables.put(kind, edit.finish());
        });
        return new TopologySnapshot(number, Map.copyOf(tables));
    }

    private Table table(ObjectKind kind) {
        return tables.getOrDefault(kind, Table.EMPTY);
    }

    record Versioned(Message object, long version) {}

    private record NameKey(@Nullable UUID tenant, String name) {}

    private record Table(TreeMap<UUID, Versioned> byId, Map<NameKey, UUID> byName, List<Message> objects) {
        static final Table EMPTY = new Table(new TreeMap<>(), Map.of(), List.of());
    }

    /** A copy of a table being edited; the table it came from stays as it was. */
    private static final class TableEdit {
        private final ObjectKind kind;
        private final TreeMap<UUID, Versioned> byId;
        private final Map<NameKey, UUID> byName;

        TableEdit(ObjectKind kind, Table from) {
            this.kind = kind;
            this.byId = new TreeMap<>(from.byId);
            this.byName = new HashMap<>(from.byName);
        }

        void put(Message object, long version) {
            UUID id = kind.idOf(object);
            remove(id);
            byId.put(id, new Versioned(object, version));
            byName.put(nameKey(object), id);
        }

        void remove(UUID id) {
            Versioned gone = byId.remove(id);
            if (gone != null) {
                // Names may be swapped inside one transaction: only the entry that is still ours goes.
                byName.remove(nameKey(gone.object), id);
            }
        }

        Table finish() {
            return new Table(
                    byId, byName, byId.values().stream().map(Versioned::object).toList());
        }

        private NameKey nameKey(Message object) {
            return new NameKey(kind.tenantOf(object), kind.nameOf(object));
        }
    }
}
