package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import dev.weft.base.NanoClock;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** SIGKILL for one of two agents: what it had in the store goes, the other stops sending to it, and it comes back. */
class AgentKilledIT {
    private static final Duration SESSION = Duration.ofSeconds(3);
    private static final Duration LIMIT = SESSION.plusSeconds(1);
    private static final Duration BACK = Duration.ofSeconds(3);
    private static final Duration SOON = Duration.ofSeconds(20);

    private static TestCloud cloud;
    private static Vm a;
    private static Vm b;

    @BeforeAll
    static void build() {
        cloud = TestCloud.withHosts(SESSION, "h1", "h2");
        a = cloud.vm("h1", "a", "02:00:00:00:01:05", "10.0.1.5/24");
        b = cloud.vm("h2", "b", "02:00:00:00:02:09", "10.0.2.9/24");
        cloud.start();
        cloud.apply(Networks.twoBridges("red", a, b));
    }

    @AfterAll
    static void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @Test
    void aKilledAgentIsForgottenInTimeAndComesBackWithoutHelp() {
        assertThat(TestCloud.ping(a, "10.0.2.9")).as(cloud::logs).isTrue();
        try (var storeNodes = EphemeralNodes.of(cloud);
                var underlay = Capture.at(cloud.host("h2"), "underlay0");
                WeftProcess pings = cloud.program(a, "pings", "ping", "-n", "-i", "0.1", "10.0.2.9")) {
            Set<Long> sessions = storeNodes.owners();
            await().atMost(SOON).until(() -> underlay.tunnelFrames().size() > 3);

            long killed = NanoClock.SYSTEM.nanoTime();
            cloud.agent("h2").kill();
            long lastHeard = lastTunnelFrame(underlay, killed);

            assertThat(Duration.ofNanos(lastHeard - killed))
                    .as("h1 sends to h2 no longer than the session time-out and a second")
                    .isLessThan(LIMIT);
            assertThat(lastHeard).as("h1 did send for a while").isGreaterThan(killed);
            assertThat(pings.isAlive()).isTrue();
            assertThat(storeNodes.owners())
                    .as("the dead session's nodes are gone, the other's stay")
                    .hasSize(sessions.size() - 1)
                    .isSubsetOf(sessions);
            assertThat(cloud.weft("hosts").expectOk().out())
                    .containsPattern("h1 .*alive")
                    .containsPattern("h2 .*gone");
        }

        cloud.startAgent("h2");
        long ready = NanoClock.SYSTEM.nanoTime();
        await().atMost(SOON)
                .pollInterval(Duration.ofMillis(100))
                .untilAsserted(() -> assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "1", "10.0.2.9"))
                        .as(cloud::logs)
                        .returns(true, Commands.Result::ok));
        assertThat(Duration.ofNanos(NanoClock.SYSTEM.nanoTime() - ready))
                .as("nobody has to wait until a question that failed while h2 was away is forgotten")
                .isLessThan(BACK);
        assertThat(TestCloud.ping(b, "10.0.1.5")).isTrue();
    }

    /** Watches until nothing has come for two seconds. Returns when the last frame was seen. */
    private static long lastTunnelFrame(Capture underlay, long killed) {
        var last = new long[] {killed};
        underlay.forget();
        await().atMost(LIMIT.multipliedBy(4))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    if (!underlay.tunnelFrames().isEmpty()) {
                        last[0] = NanoClock.SYSTEM.nanoTime();
                        underlay.forget();
                    }
                    long quiet = NanoClock.SYSTEM.nanoTime() - last[0];
                    return quiet > Duration.ofSeconds(2).toNanos()
                            && NanoClock.SYSTEM.nanoTime() - killed > LIMIT.toNanos();
                });
        return last[0];
    }
}
