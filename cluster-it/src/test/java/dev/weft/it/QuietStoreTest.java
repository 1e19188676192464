package dev.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a change costs the store, counted by ZooKeeper's own transaction numbers. */
class QuietStoreTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final List<String> HOSTS = List.of("h1", "h2", "h3");

    @TempDir
    Path folder;

    @Test
    void aChangeNobodyWaitsForIsOneWriteHoweverManyHostsTakeIt() throws Exception {
        try (var cloud = MemoryCloud.start(folder, HOSTS.toArray(String[]::new))) {
            ZooKeeper client = connect(cloud);
            client.create("/count", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            awaitEverywhere(cloud, cloud.apply("{tenant: red, bridges: [{name: left}]}"));
            long before = client.setData("/count", new byte[1], -1).getMzxid();

            awaitEverywhere(cloud, cloud.apply("{tenant: red, bridges: [{name: right}]}"));

            long after = client.setData("/count", new byte[1], -1).getMzxid();
            assertThat(after - before).as("the change, and the counting itself").isEqualTo(2);
            client.close();
        }
    }

    private static void awaitEverywhere(MemoryCloud cloud, long change) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(HOSTS)
                        .allSatisfy(host -> assertThat(
                                        new AgentStatus(cloud.agent(host).status()).number("change"))
                                .isEqualTo(change)));
    }

    private static ZooKeeper connect(MemoryCloud cloud) throws Exception {
        var connected = new CountDownLatch(1);
        var client = new ZooKeeper(cloud.connectString(), 10_000, event -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        assertThat(connected.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return client;
    }
}
