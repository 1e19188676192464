package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeadershipTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final UUID H1 = new UUID(1, 1);
    private static final UUID H2 = new UUID(2, 2);

    @TempDir
    Path folder;

    private EmbeddedZooKeeper zooKeeper;
    private StoreConnection first;
    private StoreConnection second;

    @BeforeEach
    void start() {
        zooKeeper = EmbeddedZooKeeper.start(folder, "127.0.0.1", 0);
        first = StoreConnection.open(zooKeeper.connectString());
        second = StoreConnection.open(zooKeeper.connectString());
        assertThat(first.awaitConnected(SOON)).isTrue();
    }

    @AfterEach
    void stop() {
        first.close();
        second.close();
        zooKeeper.close();
    }

    @Test
    void oneOfTwoLeadsAndTheOtherTakesOver() {
        var one = new Leadership(first, "test", H1, here -> {});
        await().atMost(SOON).until(one::isLeader);
        try (var other = new Leadership(second, "test", H2, here -> {})) {
            assertThat(other.isLeader()).isFalse();
            one.close();
            await().atMost(SOON).until(other::isLeader);
        }
    }

    @Test
    void candidacyOfAnAgentThatWasKilledDoesNotWinForNobody() throws Exception {
        // As it stands in a session that the next agent of the host goes on with.
        first.curator()
                .create()
                .creatingParentsIfNeeded()
                .withMode(CreateMode.EPHEMERAL)
                .withACL(ZooDefs.Ids.OPEN_ACL_UNSAFE)
                .forPath(
                        ZkPaths.LEADERS + "/test/_c_old-latch-0000000000",
                        H1.toString().getBytes(StandardCharsets.UTF_8));
        try (var again = new Leadership(first, "test", H1, here -> {})) {
            await().atMost(SOON).until(again::isLeader);
        }
    }
}
