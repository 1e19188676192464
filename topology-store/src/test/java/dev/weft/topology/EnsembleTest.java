package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.base.NanoClock;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.UUID;
import org.apache.curator.test.InstanceSpec;
import org.apache.curator.test.TestingCluster;
import org.junit.jupiter.api.Test;

/** Three members. Closing a session lists all it owned in one transaction: at our limit every member must digest it. */
class EnsembleTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void aSessionAtItsLimitEndsAndAllMembersRestart() throws Exception {
        try (var cluster = new TestingCluster(3)) {
            cluster.start();
            var limits = new TableLimits(
                    TableLimits.DEFAULT.entries(), TableLimits.DEFAULT.pathBytes(), 1_000_000, 1_000_000);
            try (var reader = StoreConnection.open(cluster.getConnectString())) {
                var seen = tables(reader, StateTableContract.HOST_B, limits)
                        .open(TableKind.MACS, StateTableContract.BRIDGE);
                try (var writer = StoreConnection.open(cluster.getConnectString())) {
                    var table = tables(writer, StateTableContract.HOST_A, limits)
                            .open(TableKind.MACS, StateTableContract.BRIDGE);
                    int put = 0;
                    while (table.put(StateTableContract.mac(put), StateTableContract.PORT_1) == PutOutcome.SHARED) {
                        put++;
                    }
                    int all = put;
                    await().atMost(LONG).until(() -> seen.entries().size() == all);
                }
                await().atMost(LONG).until(() -> seen.entries().isEmpty());
                for (InstanceSpec member : cluster.getInstances()) {
                    assertThat(cluster.restartServer(member)).isTrue();
                }
                var store = ZkTopologyStore.open(reader, NanoClock.SYSTEM, LONG);
                assertThat(store.apply(TopologyStoreContract.put(TopologyStoreContract.TENANT)))
                        .isEqualTo(1);
            }
        }
    }

    private static ZkStateTables tables(StoreConnection connection, UUID host, TableLimits limits) {
        return new ZkStateTables(connection, host, limits, NanoClock.SYSTEM, new SplittableRandom(1));
    }
}
