package dev.weft.agent.control;

import dev.weft.agent.health.Target;
import dev.weft.base.IpAddress;
import dev.weft.topology.MatchText;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Member;
import dev.weft.topology.schema.Pool;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** What the health checks of a topology's pools ask, defaults filled in. */
final class HealthTargets {
    private static final int DEFAULT_INTERVAL_MILLIS = 5_000;
    private static final int DEFAULT_TIMEOUT_MILLIS = 2_000;
    private static final int DEFAULT_FALL = 3;
    private static final int DEFAULT_RISE = 2;

    private HealthTargets() {}

    /** The members of a pool are asked through the router of one of its balancers, always the same; those without a port
     * of their own at that one's first port. */
    static Set<Target> of(TopologySnapshot snapshot) {
        Map<String, Balancer> balancerOfPool = new HashMap<>();
        for (Balancer balancer : snapshot.all(Balancer.class)) {
            balancerOfPool.merge(
                    balancer.getPoolId(),
                    balancer,
                    (one, other) -> one.getId().compareTo(other.getId()) < 0 ? one : other);
        }
        Set<Target> targets = new HashSet<>();
        for (Pool pool : snapshot.all(Pool.class)) {
            Balancer balancer = balancerOfPool.get(pool.getId());
            if (pool.getHealth().getType() != Health.Type.NONE && balancer != null) {
                for (Member member : pool.getMembersList()) {
                    targets.add(target(pool, member, balancer));
                }
            }
        }
        return targets;
    }

    private static Target target(Pool pool, Member member, Balancer balancer) {
        Health health = pool.getHealth();
        int own = member.getPort() != 0
                ? member.getPort()
                : MatchText.ports(balancer.getPort()).low();
        return target(
                UUID.fromString(pool.getId()),
                UUID.fromString(balancer.getRouterId()),
                IpAddress.parse(member.getAddress()),
                member.getPort(),
                or(health.getPort(), own),
                health);
    }

    /**
     * Who is asked of a pool, or of whatever else is asked together.
     *
     * @param memberPort with the address, its name among them
     * @param port to ask at
     */
    static Target target(UUID pool, UUID router, IpAddress address, int memberPort, int port, Health health) {
        Target.Kind kind =
                switch (health.getType()) {
                    case HTTP -> Target.Kind.HTTP;
                    case UDP -> Target.Kind.UDP;
                    case TCP, NONE, UNRECOGNIZED -> Target.Kind.TCP;
                };
        return new Target(
                pool,
                router,
                address,
                memberPort,
                kind,
                port,
                Duration.ofMillis(or(health.getInterval(), DEFAULT_INTERVAL_MILLIS)),
                Duration.ofMillis(or(health.getTimeout(), DEFAULT_TIMEOUT_MILLIS)),
                or(health.getFall(), DEFAULT_FALL),
                or(health.getRise(), DEFAULT_RISE),
                kind != Target.Kind.HTTP ? "" : health.getPath().isEmpty() ? "/" : health.getPath());
    }

    private static int or(int value, int otherwise) {
        return value == 0 ? otherwise : value;
    }
}
