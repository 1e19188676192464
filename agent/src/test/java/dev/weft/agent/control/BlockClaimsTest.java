package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.base.IpAddress;
import dev.weft.sim.NatPool;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.ChangeSet;
import dev.weft.topology.EmbeddedZooKeeper;
import dev.weft.topology.PortBlockStore;
import dev.weft.topology.PortBlockStore.Held;
import dev.weft.topology.StoreConnection;
import dev.weft.topology.TopologyReader;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who gets which public ports, with a real ZooKeeper. */
class BlockClaimsTest {
    private static final UUID H1 = new UUID(1, 1);
    private static final UUID H2 = new UUID(2, 2);
    private static final UUID H3 = new UUID(3, 3);
    private static final IpAddress PUBLIC = IpAddress.parse("203.0.113.10");

    @TempDir
    Path folder;

    private EmbeddedZooKeeper zooKeeper;
    private StoreConnection connection;
    private PortBlockStore store;
    private Instant now = Instant.now();
    private Set<UUID> hosts = Set.of(H1, H2);

    @BeforeEach
    void start() {
        zooKeeper = EmbeddedZooKeeper.start(folder, "127.0.0.1", 0);
        connection = StoreConnection.open(zooKeeper.connectString());
        assertThat(connection.awaitConnected(Duration.ofSeconds(10))).isTrue();
        store = new PortBlockStore(connection);
    }

    @AfterEach
    void stop() {
        connection.close();
        zooKeeper.close();
    }

    private static NatPool pool(String ports) {
        var snapshot = ChangeSet.offlineSnapshot(
                new TopologyReader().text("net.yaml", """
                        tenant: t
                        routers: [{name: r}]
                        ports: [{name: up, router: r, addresses: [203.0.113.2/24]}]
                        nats: [{name: out, router: r, type: source, port: up, addresses: [203.0.113.10], ports: %s}]
                        """.formatted(ports)).desired());
        return VirtualNetwork.compile(snapshot, VirtualNetwork.EMPTY).natPools().getFirst();
    }

    private BlockClaims claims(UUID host) {
        InstantSource time = () -> now;
        return new BlockClaims(store, host, 1, 2, () -> hosts, time);
    }

    private static List<BlockClaims.Grant> all(BlockClaims claims, NatPool pool, boolean ahead) throws Exception {
        List<BlockClaims.Grant> grants = new ArrayList<>();
        Optional<BlockClaims.Grant> grant = claims.claim(pool, 0, ahead).get();
        while (grant.isPresent()) {
            grants.add(grant.get());
            grant = claims.claim(pool, 0, ahead).get();
        }
        return grants;
    }

    private List<Held> held(NatPool pool) throws Exception {
        return store.held(pool.id(), PUBLIC).get();
    }

    @Test
    void twoHostsNeverHaveTheSamePortAndTogetherHaveAll() throws Exception {
        NatPool pool = pool("20001-20999");
        BlockClaims first = claims(H1);
        BlockClaims second = claims(H2);
        Set<Integer> ports = new HashSet<>();
        int count = 0;
        boolean more = true;
        while (more) {
            more = false;
            for (BlockClaims claims : List.of(first, second)) {
                Optional<BlockClaims.Grant> grant = claims.claim(pool, 0, false).get();
                more |= grant.isPresent();
                if (grant.isPresent()) {
                    for (int port = grant.get().first();
                            port < grant.get().first() + grant.get().count();
                            port++) {
                        assertThat(ports.add(port)).as("port %d twice", port).isTrue();
                        count++;
                    }
                }
            }
        }
        assertThat(count).isEqualTo(999);
        assertThat(ports).contains(20001, 20999).doesNotContain(20000, 21000);
    }

    @Test
    void whatIsWantedAheadLeavesHalfForOthers() throws Exception {
        NatPool pool = pool("20000-20999");
        int ahead = all(claims(H1), pool, true).size();
        assertThat(all(claims(H2), pool, false)).hasSizeGreaterThanOrEqualTo(ahead - 1);
    }

    @Test
    void restartedAgentGetsItsOwnBlocksFirst() throws Exception {
        NatPool pool = pool("20000-20999");
        BlockClaims.Grant before = claims(H1).claim(pool, 0, false).get().orElseThrow();
        assertThat(claims(H1).claim(pool, 0, false).get()).contains(before);
        assertThat(held(pool)).hasSize(1);
    }

    @Test
    void blocksOfARemovedHostAreClosedAndLaterFree() throws Exception {
        hosts = Set.of(H1, H3);
        NatPool pool = pool("20000-20015");
        assertThat(all(claims(H3), pool, false)).isNotEmpty();
        hosts = Set.of(H1);
        assertThat(claims(H1).claim(pool, 0, false).get()).as("all are taken").isEmpty();
        await().until(() -> held(pool).stream().noneMatch(held -> held.owner().open()));
        assertThat(claims(H1).claim(pool, 0, false).get())
                .as("connections may still have its ports")
                .isEmpty();
        now = now.plus(Duration.ofHours(5));
        claims(H1).claim(pool, 0, false).get();
        await().until(() -> claims(H1).claim(pool, 0, false).get().isPresent());
    }
}
