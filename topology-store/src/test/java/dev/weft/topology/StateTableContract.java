package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weft.base.IpAddress;
import dev.weft.base.MacAddress;
import dev.weft.base.NanoClock;
import dev.weft.topology.TableKind.MacKey;
import dev.weft.topology.TableKind.NeighbourValue;
import dev.weft.topology.TableKind.TunnelTarget;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What every kind of state table keeps: the in-memory twin and the one over ZooKeeper. */
abstract class StateTableContract {
    static final UUID BRIDGE = new UUID(1, 1);
    static final UUID HOST_A = new UUID(0xa, 0xa);
    static final UUID HOST_B = new UUID(0xb, 0xb);
    static final UUID PORT_1 = new UUID(7, 1);
    static final UUID PORT_2 = new UUID(7, 2);

    /** The tables as one host of the cluster under test sees them; the host counts as alive. */
    abstract StateTables host(UUID id, TableLimits limits, NanoClock clock);

    /** The host's session ends without a word, and it does not come back. */
    abstract void kill(StateTables host);

    final StateTables host(UUID id) {
        return host(id, TableLimits.DEFAULT, NanoClock.SYSTEM);
    }

    static MacKey mac(int last) {
        return new MacKey(0, new MacAddress(0x020000000000L | last));
    }

    record Told(Object key, @Nullable Object value, UUID host, boolean ownerDied) {}

    /** Remembers all it is told. */
    static final class Seen<K, V> implements StateTable.Listener<K, V> {
        final List<Told> told = new CopyOnWriteArrayList<>();
        final AtomicBoolean ready = new AtomicBoolean();

        @Override
        public void changed(K key, @Nullable V value, UUID host, long incarnation, boolean ownerDied) {
            told.add(new Told(key, value, host, ownerDied));
        }

        @Override
        public void ready() {
            ready.set(true);
        }
    }

    private static <K, V> void awaitValue(StateTable<K, V> table, K key, @Nullable V value) {
        await().untilAsserted(() -> assertThat(
                        table.get(key).map(StateTable.Entry::value).orElse(null))
                .isEqualTo(value));
    }

    @Test
    void whatOneHostSaysAllHear() {
        var a = host(HOST_A).open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        var seen = new Seen<MacKey, UUID>();
        b.watch(seen);
        assertThat(a.put(mac(1), PORT_1)).isEqualTo(PutOutcome.SHARED);
        awaitValue(b, mac(1), PORT_1);
        awaitValue(a, mac(1), PORT_1);
        assertThat(b.get(mac(1)).orElseThrow().host()).isEqualTo(HOST_A);
        await().until(() -> seen.told.size() == 1);
        assertThat(seen.told).containsExactly(new Told(mac(1), PORT_1, HOST_A, false));
    }

    @Test
    void whoComesLaterIsToldWhatIsThere() {
        var a = host(HOST_A).open(TableKind.MACS, BRIDGE);
        a.put(mac(1), PORT_1);
        a.put(mac(2), PORT_2);
        awaitValue(a, mac(2), PORT_2);
        var seen = new Seen<MacKey, UUID>();
        host(HOST_B).open(TableKind.MACS, BRIDGE).watch(seen);
        await().until(seen.ready::get);
        await().until(() -> seen.told.size() == 2);
        assertThat(seen.told).extracting(Told::key).containsExactlyInAnyOrder(mac(1), mac(2));
    }

    @Test
    void theNewestOpinionHolds() {
        var a = host(HOST_A).open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        a.put(mac(1), PORT_1);
        awaitValue(b, mac(1), PORT_1);
        b.put(mac(1), PORT_2);
        awaitValue(a, mac(1), PORT_2);
        b.remove(mac(1));
        awaitValue(a, mac(1), PORT_1);
        a.remove(mac(1));
        awaitValue(b, mac(1), null);
    }

    @Test
    void aChangedValueNeverBlinks() {
        var a = host(HOST_A).open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        var seen = new Seen<MacKey, UUID>();
        b.watch(seen);
        for (int i = 0; i < 20; i++) {
            UUID port = i % 2 == 0 ? PORT_1 : PORT_2;
            a.put(mac(1), port);
            awaitValue(b, mac(1), port);
        }
        assertThat(seen.told).extracting(Told::value).doesNotContainNull();
    }

    @Test
    void sayingItAgainWritesNothing() {
        var host = host(HOST_A);
        var a = host.open(TableKind.MACS, BRIDGE);
        a.put(mac(1), PORT_1);
        awaitValue(a, mac(1), PORT_1);
        assertThat(a.put(mac(1), PORT_1)).isEqualTo(PutOutcome.SHARED);
        a.put(mac(2), PORT_1);
        awaitValue(a, mac(2), PORT_1);
        await().until(() -> host.counters().created() == 2);
    }

    @Test
    void takingBackIsNotDying() {
        var a = host(HOST_A).open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        var seen = new Seen<MacKey, UUID>();
        b.watch(seen);
        a.put(mac(1), PORT_1);
        awaitValue(b, mac(1), PORT_1);
        a.remove(mac(1));
        awaitValue(b, mac(1), null);
        assertThat(seen.told).last().isEqualTo(new Told(mac(1), null, HOST_A, false));
    }

    @Test
    void forgetsMacWhenItsHostDies() {
        var host = host(HOST_A);
        var a = host.open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        var seen = new Seen<MacKey, UUID>();
        b.watch(seen);
        a.put(mac(1), PORT_1);
        a.put(mac(2), PORT_1);
        awaitValue(b, mac(1), PORT_1);
        awaitValue(b, mac(2), PORT_1);
        b.put(mac(2), PORT_2);
        awaitValue(b, mac(2), PORT_2);
        kill(host);
        awaitValue(b, mac(1), null);
        assertThat(seen.told).contains(new Told(mac(1), null, HOST_A, true));
        awaitValue(b, mac(2), PORT_2);
    }

    @Test
    void closingATableTakesItsEntriesBack() {
        var a = host(HOST_A).open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        a.put(mac(1), PORT_1);
        awaitValue(b, mac(1), PORT_1);
        a.close();
        awaitValue(b, mac(1), null);
    }

    @Test
    void tablesOfSeveralKindsAndDevicesAreApart() {
        var host = host(HOST_A);
        var router = new UUID(2, 2);
        var neighbours = host.open(TableKind.NEIGHBOURS, router);
        var keys = host.open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER);
        var value = new NeighbourValue(new MacAddress(0x0200000000ffL), PORT_1, BRIDGE);
        neighbours.put(IpAddress.parse("fd00::5"), value);
        keys.put(new TunnelTarget(TunnelTarget.What.PORT, PORT_1, HOST_A), 0x010001);
        keys.put(new TunnelTarget(TunnelTarget.What.FLOOD, PORT_1, HOST_A), 0xfffffe);
        host.open(TableKind.MACS, BRIDGE).put(mac(1), PORT_1);
        var other = host(HOST_B);
        awaitValue(other.open(TableKind.NEIGHBOURS, router), IpAddress.parse("fd00::5"), value);
        var otherKeys = other.open(TableKind.TUNNEL_KEYS, TableKind.CLUSTER);
        awaitValue(otherKeys, new TunnelTarget(TunnelTarget.What.FLOOD, PORT_1, HOST_A), 0xfffffe);
        awaitValue(otherKeys, new TunnelTarget(TunnelTarget.What.PORT, PORT_1, HOST_A), 0x010001);
        assertThat(otherKeys.entries()).hasSize(2);
        var otherBridge = other.open(TableKind.MACS, new UUID(1, 2));
        assertThat(otherBridge.entries()).isEmpty();
    }

    @Test
    void overTheLimitOfASessionTheAnswerIsLocal() {
        var host = host(HOST_A, new TableLimits(3, 1 << 20, 1_000, 1_000), NanoClock.SYSTEM);
        var a = host.open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        for (int i = 0; i < 3; i++) {
            assertThat(a.put(mac(i), PORT_1)).isEqualTo(PutOutcome.SHARED);
        }
        assertThat(a.put(mac(3), PORT_1)).isEqualTo(PutOutcome.LOCAL_ONLY);
        awaitValue(a, mac(3), PORT_1);
        await().until(() -> b.entries().size() == 3);
        assertThat(b.get(mac(3))).isEmpty();
        assertThat(host.counters().localOnly()).isEqualTo(1);
        a.remove(mac(0));
        assertThat(a.put(mac(3), PORT_1)).as("there is room again").isEqualTo(PutOutcome.SHARED);
        awaitValue(b, mac(3), PORT_1);
    }

    @Test
    void overTheLimitOfPathsTheAnswerIsLocal() {
        var host = host(HOST_A, new TableLimits(1_000, 10, 1_000, 1_000), NanoClock.SYSTEM);
        assertThat(host.open(TableKind.MACS, BRIDGE).put(mac(1), PORT_1)).isEqualTo(PutOutcome.LOCAL_ONLY);
    }

    @Test
    void overTheRateTheAnswerIsLocalUntilTheRateAllows() {
        var now = new AtomicLong();
        var host = host(HOST_A, new TableLimits(1_000, 1 << 20, 10, 2), now::get);
        var a = host.open(TableKind.MACS, BRIDGE);
        var b = host(HOST_B).open(TableKind.MACS, BRIDGE);
        assertThat(a.put(mac(1), PORT_1)).isEqualTo(PutOutcome.SHARED);
        assertThat(a.put(mac(2), PORT_1)).isEqualTo(PutOutcome.SHARED);
        assertThat(a.put(mac(3), PORT_1)).isEqualTo(PutOutcome.DELAYED);
        awaitValue(a, mac(3), PORT_1);
        awaitValue(b, mac(2), PORT_1);
        assertThat(b.get(mac(3))).isEmpty();
        assertThat(host.counters().delayed()).isEqualTo(1);
        now.addAndGet(100_000_000); // One more write at 10 a second.
        tick(host);
        awaitValue(b, mac(3), PORT_1);
    }

    /** Lets time-driven work happen that the kind does not do by itself. */
    void tick(StateTables host) {}
}
