package dev.weft.topology;

import com.google.protobuf.Message;
import dev.weft.topology.schema.AddressGroup;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Bridge;
import dev.weft.topology.schema.Chain;
import dev.weft.topology.schema.Host;
import dev.weft.topology.schema.Nat;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.PortGroup;
import dev.weft.topology.schema.Route;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.SecurityGroup;
import dev.weft.topology.schema.Service;
import dev.weft.topology.schema.ServiceBlock;
import dev.weft.topology.schema.ServiceTable;
import dev.weft.topology.schema.Tenant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The schema's knowledge of itself, read from the options of the protobuf descriptors. A new kind is one line here and a
 * message in {@code topology.proto}; nothing else in the store names kinds, except {@link Rules}.
 */
public final class Schema {
    /** A kind stands after those it refers to; only rules refer to what comes later. */
    private static final List<ObjectKind> KINDS = List.of(
            new ObjectKind(Tenant.getDefaultInstance()),
            new ObjectKind(Host.getDefaultInstance()),
            new ObjectKind(AddressGroup.getDefaultInstance()),
            new ObjectKind(PortGroup.getDefaultInstance()),
            new ObjectKind(SecurityGroup.getDefaultInstance()),
            new ObjectKind(Chain.getDefaultInstance()),
            new ObjectKind(ServiceBlock.getDefaultInstance()),
            new ObjectKind(ServiceTable.getDefaultInstance()),
            new ObjectKind(Bridge.getDefaultInstance()),
            new ObjectKind(Router.getDefaultInstance()),
            new ObjectKind(Port.getDefaultInstance()),
            new ObjectKind(Route.getDefaultInstance()),
            new ObjectKind(Nat.getDefaultInstance()),
            new ObjectKind(Pool.getDefaultInstance()),
            new ObjectKind(Balancer.getDefaultInstance()),
            new ObjectKind(Service.getDefaultInstance()));

    private static final Map<Class<?>, ObjectKind> BY_CLASS =
            KINDS.stream().collect(Collectors.toMap(k -> k.prototype().getClass(), Function.identity()));
    private static final Map<String, ObjectKind> BY_NAME =
            KINDS.stream().collect(Collectors.toMap(ObjectKind::name, Function.identity()));

    private Schema() {}

    public static List<ObjectKind> kinds() {
        return KINDS;
    }

    public static ObjectKind kindOf(Message object) {
        return kindOf(object.getClass());
    }

    public static ObjectKind kindOf(Class<? extends Message> type) {
        ObjectKind kind = BY_CLASS.get(type);
        if (kind == null) {
            throw new IllegalArgumentException(type.getName() + " is no kind of the schema (expected one of "
                    + String.join(", ", BY_NAME.keySet().stream().sorted().toList()) + ")");
        }
        return kind;
    }

    /** By "port" or "ports". */
    public static Optional<ObjectKind> byWord(String word) {
        return KINDS.stream()
                .filter(k -> k.name().equals(word) || k.plural().equals(word))
                .findFirst();
    }

    /** The kind that a reference names. */
    static ObjectKind named(String name) {
        return Optional.ofNullable(BY_NAME.get(name))
                .orElseThrow(() -> new IllegalArgumentException("kind '" + name + "' (expected one of "
                        + String.join(", ", BY_NAME.keySet().stream().sorted().toList()) + ")"));
    }
}
