package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.agent.lab.Commands;
import dev.weft.agent.lab.Vm;
import dev.weft.agent.lab.WeftProcess;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The store is gone for longer than the session time-out, and comes back with its data. */
class ZooKeeperOutageIT {
    private static final Duration SESSION = Duration.ofSeconds(2);
    private static final Duration SOON = Duration.ofSeconds(20);

    private static TestCloud cloud;
    private static Vm a;
    private static Vm b;
    private static Vm silent;

    @BeforeAll
    static void build() {
        cloud = TestCloud.withHosts(SESSION, "h1", "h2");
        a = cloud.vm("h1", "a", "02:00:00:00:01:05", "10.0.1.5/24", "fd00:1::5/64");
        b = cloud.vm("h2", "b", "02:00:00:00:02:09", "10.0.2.9/24", "fd00:2::9/64");
        silent = cloud.vm("h2", "silent", "02:00:00:00:02:14", "10.0.2.20/24", "fd00:2::14/64");
        cloud.start();
        cloud.apply(Networks.twoBridges("red", a, b, silent));
    }

    @AfterAll
    static void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @Test
    void packetsGoOnWithoutTheStoreAndChangesFlowWhenItIsBack() {
        List<Long> pids = pids();
        assertThat(TestCloud.ping(a, "10.0.2.9")).as(cloud::logs).isTrue();
        try (var atB = Capture.at(b, "eth0");
                WeftProcess pings = cloud.program(a, "pings", "ping", "-n", "-i", "0.2", "10.0.2.9")) {
            await().atMost(SOON).until(() -> atB.frames().size() > 2);
            cloud.killStore();
            outlastTheSession();

            atB.forget();
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(atB.frames())
                            .as("an established flow goes on")
                            .hasSizeGreaterThan(2));
            assertThat(TestCloud.ping(b, "10.0.1.5"))
                    .as("a new flow between known ports")
                    .isTrue();
            assertThat(TestCloud.ping(a, "fd00:2::9"))
                    .as("a new flow of the other family, its neighbour asked for now")
                    .isTrue();
            assertThat(TestCloud.ping(a, "10.0.2.20"))
                    .as("the ARP answer of a VM never asked before, at another host, reaches the asker")
                    .isTrue();
            assertThat(pings.isAlive()).isTrue();
        }

        cloud.startStore();
        cloud.apply("""
                tenant: red
                routes: [{name: shut, router: router, destination: 10.0.2.20/32, action: blackhole}]
                """);
        assertThat(TestCloud.run(a, "ping", "-n", "-c", "1", "-W", "1", "10.0.2.20"))
                .as("the change is in effect")
                .returns(false, Commands.Result::ok);
        cloud.weft("delete", "--wait", "route", "red/shut").expectOk();
        assertThat(TestCloud.ping(a, "10.0.2.20")).isTrue();
        assertThat(TestCloud.ping(silent, "10.0.1.5")).isTrue();
        assertThat(pids()).as("no agent was started again").isEqualTo(pids);
        assertThat(cloud.agent("h1").isAlive()).isTrue();
        assertThat(cloud.agent("h2").isAlive()).isTrue();
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(cloud.weft("hosts").expectOk().out())
                        .containsPattern("h1 .*alive")
                        .containsPattern("h2 .*alive"));
    }

    private static void outlastTheSession() {
        Duration longEnough = SESSION.multipliedBy(2).plusSeconds(1);
        await().pollDelay(longEnough).atMost(longEnough.plusSeconds(5)).until(() -> true);
    }

    private static List<Long> pids() {
        return List.of(cloud.agent("h1").pid(), cloud.agent("h2").pid());
    }
}
