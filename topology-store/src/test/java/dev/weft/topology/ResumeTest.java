package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.base.NanoClock;
import dev.weft.topology.TableKind.TunnelTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that ends without ending its session, and the next one that goes on with it. */
class ResumeTest {
    private static final UUID HOST = Samples.id("host", "h1");
    private static final TunnelTarget KEPT = new TunnelTarget(TunnelTarget.What.PORT, Samples.id("port", "kept"), HOST);
    private static final TunnelTarget GONE = new TunnelTarget(TunnelTarget.What.PORT, Samples.id("port", "gone"), HOST);
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private EmbeddedZooKeeper zooKeeper;
    private SavedSession saved;
    private StoreConnection onlooker;
    private StateTable<TunnelTarget, Integer> seen;
    private final List<String> deletions = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void start() {
        zooKeeper = EmbeddedZooKeeper.start(folder.resolve("zk"), "127.0.0.1", 0);
        saved = SavedSession.at(folder.resolve("session"));
        onlooker = StoreConnection.open(zooKeeper.connectString());
        seen = tables(onlooker, UUID.randomUUID()).open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER);
        seen.watch((key, value, host, incarnation, ownerDied) -> {
            if (value == null) {
                deletions.add(key.id() + (ownerDied ? " died" : " withdrawn"));
            }
        });
    }

    @AfterEach
    void stop() {
        onlooker.close();
        zooKeeper.close();
    }

    private static ZkStateTables tables(StoreConnection connection, UUID host) {
        return new ZkStateTables(connection, host, TableLimits.DEFAULT, NanoClock.SYSTEM, new Random(1));
    }

    private StoreConnection connect() {
        var connection = StoreConnection.open(zooKeeper.connectString(), TIMEOUT, saved);
        assertThat(connection.awaitConnected(SOON)).isTrue();
        return connection;
    }

    /** Publishes both keys and leaves them behind. */
    private void firstProcess() {
        StoreConnection connection = connect();
        ZkStateTables tables = tables(connection, HOST);
        var table = tables.open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER);
        table.put(KEPT, 7);
        table.put(GONE, 8);
        await().atMost(SOON).until(() -> seen.entries().size() == 2);
        tables.leave();
        connection.leave();
    }

    @Test
    void whatTheNextProcessSaysAgainNeverBlinks() {
        firstProcess();
        Map<TunnelTarget, StateTable.Entry<Integer>> before = seen.entries();

        StoreConnection connection = connect();
        ZkStateTables tables = tables(connection, HOST);
        tables.beginWith(List.of());
        var table = tables.open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER);
        await().atMost(SOON).until(() -> table.entries().size() == 2);
        table.put(KEPT, 7);
        assertThat(seen.entries()).isEqualTo(before);
        assertThat(deletions).isEmpty();

        tables.dropUnwanted();
        await().atMost(SOON).until(() -> seen.entries().size() == 1);
        assertThat(seen.entries()).containsEntry(KEPT, before.get(KEPT));
        assertThat(deletions).containsExactly(GONE.id() + " withdrawn");
        connection.close();
        assertThat(folder.resolve("session")).as("the session is over").doesNotExist();
    }

    @Test
    void aSessionThatIsEndedTakesItsEntriesAlongBeforeTheNextBegins() {
        firstProcess();
        StoreConnection.endSession(zooKeeper.connectString(), saved, SOON);
        await().atMost(Duration.ofSeconds(2)).until(() -> seen.entries().isEmpty());
        assertThat(folder.resolve("session")).doesNotExist();
        connect().close();
    }

    @Test
    void aSessionThatTheServerDoesNotKnowIsMadeAnew() throws IOException {
        Files.writeString(folder.resolve("session"), "100000000000042 00112233445566778899aabbccddeeff\n");
        StoreConnection connection = connect();
        assertThat(Files.readString(folder.resolve("session"))).doesNotContain("100000000000042 ");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("session"))))
                .isEqualTo("rw-------");
        connection.close();

        Files.writeString(folder.resolve("session"), "not a session");
        connect().close();
    }

    @Test
    void theNextProcessBeginsWithWhatTheOneBeforeHadReadThoughNoServerAnswers() {
        StoreConnection connection = connect();
        var store = ZkTopologyStore.open(connection, NanoClock.SYSTEM);
        ZkStateTables tables = tables(connection, HOST);
        var table = tables.open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER);
        long change =
                store.apply(Transaction.builder().put(Samples.tenant("acme")).build());
        table.put(KEPT, 7);
        await().atMost(SOON).until(() -> table.entries().size() == 1);
        Path file = folder.resolve("state");
        StateArchive.open(file, connection, store, tables, InstantSource.system())
                .close();
        connection.leave();
        zooKeeper.stop();

        StateArchive.Beginning beginning = StateArchive.read(file).orElseThrow();
        assertThat(beginning.topology().changeNumber()).isEqualTo(change);
        StoreConnection next = StoreConnection.open(zooKeeper.connectString(), TIMEOUT, saved);
        var again = ZkTopologyStore.open(next, NanoClock.SYSTEM, beginning.topology());
        ZkStateTables againTables = tables(next, HOST);
        againTables.beginWith(beginning.tables());
        assertThat(again.snapshot().tenants()).containsExactly(Samples.tenant("acme"));
        assertThat(again.isRead()).isFalse();
        var known = againTables.open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER);
        await().atMost(SOON).until(() -> known.get(KEPT).isPresent());

        zooKeeper.start();
        await().atMost(Duration.ofSeconds(30)).until(again::isRead);
        assertThat(again.snapshot().changeNumber()).isEqualTo(change);
        againTables.close();
        next.close();
    }

    @Test
    void anArchiveThatCannotBeReadIsNone() throws IOException {
        assertThat(StateArchive.read(folder.resolve("none"))).isEmpty();
        Path file = Files.writeString(folder.resolve("state"), "no protobuf at all");
        assertThat(StateArchive.read(file)).isEmpty();
    }
}
