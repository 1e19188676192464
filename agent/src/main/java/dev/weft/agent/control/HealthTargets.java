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

    /** A member without a port of its own is asked at the first port of a balancer of its pool. */
    static Set<Target> of(TopologySnapshot snapshot) {
        Map<String, Integer> portOfPool = new HashMap<>();
        for (Balancer balancer : snapshot.all(Balancer.class)) {
            portOfPool.putIfAbsent(
                    balancer.getPoolId(), MatchText.ports(balancer.getPort()).low());
        }
        Set<Target> targets = new HashSet<>();
        for (Pool pool : snapshot.all(Pool.class)) {
            if (pool.getHealth().getType() != Health.Type.NONE && portOfPool.containsKey(pool.getId())) {
                for (Member member : pool.getMembersList()) {
                    targets.add(target(pool, member, portOfPool.get(pool.getId())));
                }
            }
        }
        return targets;
    }

    private static Target target(Pool pool, Member member, int portOfBalancer) {
        Health health = pool.getHealth();
        int port = health.getPort() != 0 ? health.getPort() : member.getPort() != 0 ? member.getPort() : portOfBalancer;
        Target.Kind kind =
                switch (health.getType()) {
                    case HTTP -> Target.Kind.HTTP;
                    case UDP -> Target.Kind.UDP;
                    case TCP, NONE, UNRECOGNIZED -> Target.Kind.TCP;
                };
        return new Target(
                UUID.fromString(pool.getId()),
                IpAddress.parse(member.getAddress()),
                member.getPort(),
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
