package dev.weft.sim;

import dev.weft.base.Hashing;
import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Pool;
import dev.weft.topology.schema.Port;
import dev.weft.topology.schema.Router;
import dev.weft.topology.schema.ServiceTable;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A router's port that nobody configures: health checks of the pools of its balancers, and of
 * the instances of its service table, come in by it, from whichever host
 * asks just now. Every compile adds one to each such router. Behind it is the asker alone, with addresses of its own on
 * a link that is the same at every router; they never leave it, since members see the router's own address, and nothing
 * goes to them but answers.
 */
public final class HealthPort {
    /** Of the asker. IPv4: RFC 7335, never a tenant's; IPv6: RFC 4193. */
    public static final IpAddress ASKER_V4 = IpAddress.parse("192.0.0.2");

    public static final IpAddress ASKER_V6 = IpAddress.parse("fd57:6566:7400::2");
    public static final MacAddress ASKER_MAC = MacAddress.parse("02:57:65:66:74:02");
    /** Of the router's end. */
    public static final IpAddress GATEWAY_V4 = IpAddress.parse("192.0.0.1");

    public static final IpAddress GATEWAY_V6 = IpAddress.parse("fd57:6566:7400::1");
    public static final int LENGTH_V4 = 29;
    public static final int LENGTH_V6 = 64;

    private static final long NAMESPACE = 0x6865_616c_7468_0001L;
    /** It is bound to no host for good: who asks says so in the table of tunnel keys. */
    private static final String SOME_HOST = new UUID(0, 0).toString();

    private HealthPort() {}

    /** Ids of objects have a version in them, this one has none. */
    public static UUID idAt(UUID router) {
        return new UUID(
                Hashing.combine(NAMESPACE, router.getMostSignificantBits()) & ~0xf000L,
                Hashing.combine(NAMESPACE, router.getLeastSignificantBits()));
    }

    /** The routers that have one, ascending. */
    private static Collection<String> routers(TopologySnapshot snapshot) {
        Set<String> checked = new HashSet<>();
        for (Pool pool : snapshot.all(Pool.class)) {
            if (pool.getHealth().getType() != Health.Type.NONE) {
                checked.add(pool.getId());
            }
        }
        for (ServiceTable table : snapshot.all(ServiceTable.class)) {
            if (table.getChecksCount() > 0) {
                checked.add(table.getId());
            }
        }
        if (checked.isEmpty()) {
            return List.of();
        }
        Set<String> routers = new TreeSet<>();
        for (Router router : snapshot.routers()) {
            if (checked.contains(router.getServiceTableId())) {
                routers.add(router.getId());
            }
        }
        for (Balancer balancer : snapshot.all(Balancer.class)) {
            if (checked.contains(balancer.getPoolId())) {
                routers.add(balancer.getRouterId());
            }
        }
        return routers;
    }

    static List<Port> of(TopologySnapshot snapshot) {
        return routers(snapshot).stream().map(HealthPort::at).toList();
    }

    /** As a port of the topology would be written. */
    public static Port at(String router) {
        return Port.newBuilder()
                .setId(idAt(UUID.fromString(router)).toString())
                .setName("health checks")
                .setRouterId(router)
                .setHostId(SOME_HOST)
                .addAddresses(GATEWAY_V4 + "/" + LENGTH_V4)
                .addAddresses(GATEWAY_V6 + "/" + LENGTH_V6)
                .build();
    }

    static boolean is(Port message) {
        return message.getHostId().equals(SOME_HOST);
    }

    static boolean isAsker(long high, long low) {
        return high == ASKER_V4.high() && low == ASKER_V4.low() || high == ASKER_V6.high() && low == ASKER_V6.low();
    }
}
