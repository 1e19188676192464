package dev.weft.topology;

import dev.weft.base.IpAddress;
import dev.weft.topology.schema.Balancer;
import dev.weft.topology.schema.Health;
import dev.weft.topology.schema.Member;
import dev.weft.topology.schema.Pool;
import java.util.HashSet;
import java.util.Optional;
import java.util.UUID;

/** What a balancer and its pool must say so that a router can follow them. Formats and references were checked before. */
final class BalancerRules {
    private static final int MAX_WEIGHT = 255;
    private static final int MAX_MEMBERS = 50_000;
    private static final int MAX_PORT = 0xffff;
    private static final int LEAST_INTERVAL_MILLIS = 100;
    private static final int MAX_MILLIS = 3_600_000;

    private final Draft draft;
    private final NatRules.Reporter reporter;

    BalancerRules(Draft draft, NatRules.Reporter reporter) {
        this.draft = draft;
        this.reporter = reporter;
    }

    void check(Balancer balancer) {
        boolean ports =
                balancer.getProtocol().equals("tcp") || balancer.getProtocol().equals("udp");
        if (!ports) {
            reporter.report("protocol", balancer.getProtocol(), "expected tcp or udp");
        }
        if (balancer.getPoolId().isEmpty() == balancer.getService().isEmpty()) {
            reporter.report(
                    "pool",
                    "",
                    balancer.getPoolId().isEmpty()
                            ? "missing: pool or service, one of them: who serves it"
                            : "expected pool or service, one of them");
        }
        if (balancer.getPoolId().isEmpty()) {
            return;
        }
        Optional<Pool> pool = draft.get(new ObjectRef(Schema.kindOf(Pool.class), UUID.fromString(balancer.getPoolId())))
                .map(Pool.class::cast);
        pool.ifPresent(of -> checkFamily(balancer, of));
    }

    private void checkFamily(Balancer balancer, Pool pool) {
        boolean v4 = IpAddress.parse(balancer.getAddress()).isV4();
        pool.getMembersList().stream()
                .filter(member -> IpAddress.parse(member.getAddress()).isV4() != v4)
                .findFirst()
                .ifPresent(member -> reporter.report(
                        "address",
                        balancer.getAddress(),
                        "expected the family of member " + member.getAddress() + " of pool '" + pool.getName()
                                + "' (families are not translated)"));
    }

    void check(Pool pool) {
        if (pool.getMembersCount() == 0) {
            reporter.report(
                    "members", "", "missing: a pool has one member at least, like {address: 10.0.1.5, port: 80}");
        }
        if (pool.getMembersCount() > MAX_MEMBERS) {
            reporter.report("members", pool.getMembersCount() + " members", "expected " + MAX_MEMBERS + " at most");
        }
        var seen = new HashSet<String>();
        for (int i = 0; i < pool.getMembersCount(); i++) {
            Member member = pool.getMembers(i);
            String field = "members[" + i + "]";
            if (Integer.compareUnsigned(member.getWeight(), MAX_WEIGHT) > 0) {
                reporter.report(
                        field + ".weight",
                        Integer.toUnsignedString(member.getWeight()),
                        "expected 1..255, or 0 for 1; a member that gets nothing new says draining: true");
            }
            checkPort(field + ".port", member.getPort());
            if (!seen.add(member.getAddress() + " " + member.getPort())) {
                reporter.report(
                        field + ".address", member.getAddress(), "is there twice with this port (expected once)");
            }
        }
        checkHealth(pool.getHealth(), LEAST_INTERVAL_MILLIS);
    }

    /** @param least milliseconds from one question to the next */
    void checkHealth(Health health, int least) {
        checkPort("health.port", health.getPort());
        checkMillis("health.interval", health.getInterval(), least);
        checkMillis("health.timeout", health.getTimeout(), least);
        if (!health.getPath().isEmpty() && health.getType() != Health.Type.HTTP) {
            reporter.report("health.path", health.getPath(), "only type: http asks for a path; remove it");
        }
        if (!health.getPath().isEmpty()
                && (!health.getPath().startsWith("/")
                        || health.getPath().chars().anyMatch(c -> c <= ' ' || c > '~'))) {
            reporter.report("health.path", health.getPath(), "expected a path like /health");
        }
    }

    private void checkPort(String field, int port) {
        if (port < 0 || port > MAX_PORT) {
            reporter.report(field, Integer.toUnsignedString(port), "expected 1..65535, or 0 for the one that applies");
        }
    }

    private void checkMillis(String field, int millis, int least) {
        if (millis != 0 && (millis < least || millis > MAX_MILLIS)) {
            reporter.report(
                    field,
                    Integer.toUnsignedString(millis),
                    "expected " + least + "..3600000 milliseconds, or 0 for the default");
        }
    }
}
