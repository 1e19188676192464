package dev.weft.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.base.Allocation;
import dev.weft.base.IpAddress;
import dev.weft.base.Property;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class ConnectionTableTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);
    /** How exactly a table keeps time. */
    private static final long TICK = 1L << 20;

    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final long DEVICE = 11;
    private static final long OTHER_DEVICE = 12;
    private static final long NAT = 13;
    private static final int SYN = 2;
    private static final int FIN = 1;

    private final ConnectionTable table = table(64, 16, 8);
    private final List<Integer> askedSlots = new ArrayList<>();
    private final List<Long> endedTags = new ArrayList<>();
    private boolean used;
    private final ConnectionTable.Sweep sweep = (ofTable, slot) -> {
        askedSlots.add(slot);
        return used;
    };

    ConnectionTableTest() {
        table.setEnding((ofTable, slot) -> ofTable.tags(slot, endedTags::add));
    }

    @Test
    void knowsWhatWasBegunAndNothingElse() {
        assertThat(contains(table, udp(1, 53), 0)).isFalse();
        assertThat(table.put(udp(1, 53), 0, 0)).isEqualTo(ConnectionTable.ADDED);
        assertThat(contains(table, udp(1, 53), 0)).isTrue();
        assertThat(contains(table, udp(1, 54), 0)).isFalse();
        assertThat(contains(table, udp(2, 53), 0)).as("another stateful port").isFalse();
        assertThat(contains(table, tcp(1, 53), 0)).isFalse();
        table.remove(slot(table, udp(1, 53)));
        assertThat(contains(table, udp(1, 53), 0)).isFalse();
        assertThat(table.ports()).isZero();
    }

    @Test
    void forgetsUdpAfterFiveMinutesAndTcpAfterTwoHoursAndFour() {
        table.put(udp(1, 53), 0, 0);
        table.put(tcp(1, 443), 0, 0);
        assertThat(contains(table, udp(1, 53), 5 * MINUTE - TICK)).isTrue();
        assertThat(contains(table, udp(1, 53), 5 * MINUTE + TICK)).isFalse();
        assertThat(contains(table, tcp(1, 443), 124 * MINUTE - TICK)).isTrue();
        assertThat(contains(table, tcp(1, 443), 124 * MINUTE + TICK)).isFalse();
    }

    @Test
    void halfOpenAndClosingTcpLiveForFourMinutes() {
        table.put(tcp(1, 1), SYN, 0);
        assertThat(contains(table, tcp(1, 1), 4 * MINUTE + TICK)).as("opening").isFalse();
        table.put(tcp(1, 2), SYN, 0);
        assertThat(table.put(tcp(1, 2), 0, SECOND / 2)).as("opened").isEqualTo(ConnectionTable.RENEWED);
        assertThat(contains(table, tcp(1, 2), 100 * MINUTE)).as("open").isTrue();
        assertThat(table.put(tcp(1, 2), FIN, SECOND)).as("closed").isEqualTo(ConnectionTable.RENEWED);
        table.put(tcp(1, 2), 0, SECOND);
        assertThat(contains(table, tcp(1, 2), 5 * MINUTE))
                .as("the last ACK re-opens nothing")
                .isFalse();
    }

    @Test
    void copyOutlivesItsOwnerByOneLifetime() {
        table.putCopy(copy(udp(1, 53), 9), 0);
        assertThat(contains(table, udp(1, 53), 10 * MINUTE - TICK)).isTrue();
        assertThat(contains(table, udp(1, 53), 10 * MINUTE + TICK)).isFalse();
    }

    @Test
    void earlierEpochChangesNothingAndLaterTakesOver() {
        table.put(udp(1, 53), 0, 0);
        int slot = slot(table, udp(1, 53));
        assertThat(table.putCopy(copy(udp(1, 53), 6), 0)).isEqualTo(ConnectionTable.STALE);
        assertThat(table.putCopy(copy(udp(1, 53), 7), 0)).as("our own echo").isEqualTo(ConnectionTable.STALE);
        assertThat(table.isOwner(slot)).isTrue();
        assertThat(table.putCopy(copy(udp(1, 53), 8), 0)).isEqualTo(ConnectionTable.RENEWED);
        assertThat(table.isOwner(slot)).isFalse();
        assertThat(table.put(udp(1, 53), 0, 0)).as("the VM is back here").isEqualTo(ConnectionTable.RENEWED);
        assertThat(table.isOwner(slot)).isTrue();
        assertThat(table.epoch(slot)).isEqualTo(9);
        assertThat(table.stale()).isEqualTo(2);
    }

    @Test
    void portAtItsShareForgetsItsOwnOldest() {
        table.put(udp(2, 1), 0, 0);
        for (int i = 0; i < 16; i++) {
            table.put(udp(1, i), 0, i);
        }
        table.put(udp(1, 0), 0, 2 * SECOND); // refreshed: now 1 is the oldest
        long oldest = table.tag(udp(1, 1).forward);
        assertThat(table.put(udp(1, 99), 0, 3 * SECOND)).isEqualTo(ConnectionTable.ADDED);
        assertThat(endedTags).contains(oldest);
        assertThat(contains(table, udp(1, 1), 3 * SECOND)).isFalse();
        assertThat(contains(table, udp(1, 0), 3 * SECOND)).isTrue();
        assertThat(contains(table, udp(2, 1), 3 * SECOND)).isTrue();
        assertThat(table.evicted()).isEqualTo(1);
    }

    @Test
    void fullTableTakesFromThePortThatHoldsTheMost() {
        var small = table(4, 4, 8);
        for (int i = 0; i < 3; i++) {
            small.put(udp(1, i), 0, i);
        }
        small.put(udp(2, 0), 0, 5);
        small.put(udp(3, 0), 0, 6);
        small.put(udp(4, 0), 0, 7);
        assertThat(small.sizeOf(7, 1)).isEqualTo(1);
        small.put(udp(5, 0), 0, 8);
        assertThat(small.size()).isEqualTo(4);
        assertThat(small.ports())
                .as("a port without connections takes no place")
                .isEqualTo(4);
        assertThat(contains(small, udp(5, 0), 8)).isTrue();
    }

    @Test
    void refusesAndCountsWhenThereAreTooManyPorts() {
        for (int port = 0; port < 8; port++) {
            assertThat(table.put(udp(port, 1), 0, 0)).isEqualTo(ConnectionTable.ADDED);
        }
        assertThat(table.put(udp(8, 1), 0, 0)).isEqualTo(ConnectionTable.NO_ROOM);
        assertThat(table.refused()).isEqualTo(1);
        table.remove(slot(table, udp(3, 1)));
        assertThat(table.put(udp(8, 1), 0, 0)).isEqualTo(ConnectionTable.ADDED);
    }

    @Test
    void ownerTellsAgainSoonThenEachTimeTheAgeDoubledThenEachThird() {
        table.put(udp(1, 53), 0, 0);
        used = true;
        var told = new ArrayList<Long>();
        for (long now = 0; now < 400 * SECOND; now += SECOND / 2) {
            askedSlots.clear();
            table.expire(now, 64, sweep);
            if (!askedSlots.isEmpty()) {
                told.add(now / SECOND);
            }
        }
        assertThat(told).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 228L, 328L);
    }

    @Test
    void idleConnectionEndsAndCopiesAreNotAskedFor() {
        table.put(udp(1, 53), 0, 0);
        assertThat(table.expire(5 * MINUTE + TICK, 64, sweep)).isEqualTo(1);
        assertThat(table.size()).isZero();
        assertThat(table.expired()).isEqualTo(1);
        askedSlots.clear();
        table.putCopy(copy(udp(1, 53), 1), 0);
        table.expire(9 * MINUTE, 64, sweep);
        assertThat(askedSlots).isEmpty();
        assertThat(table.expire(10 * MINUTE + TICK, 64, sweep)).isEqualTo(1);
    }

    @Test
    void halfOpenConnectionWhoseBeginnerGoesOnIsOpen() {
        table.put(tcp(1, 1), SYN, 0);
        used = true;
        table.expire(2 * SECOND, 64, sweep);
        assertThat(table.phase(slot(table, tcp(1, 1))))
                .as("whatever the other side sends")
                .isEqualTo(Phase.OPENING);
        assertThat(table.opened(slot(table, tcp(1, 1)))).isTrue();
        assertThat(table.opened(slot(table, tcp(1, 1)))).as("again").isFalse();
        assertThat(table.phase(slot(table, tcp(1, 1)))).isEqualTo(Phase.OPEN);
        used = false;
        assertThat(contains(table, tcp(1, 1), 100 * MINUTE)).isTrue();
    }

    @Test
    void closingConnectionWhoseFlowsAreUsedIsStillClosing() {
        table.put(tcp(1, 1), FIN, 0);
        used = true;
        table.expire(2 * SECOND, 64, sweep);
        assertThat(table.phase(slot(table, tcp(1, 1)))).isEqualTo(Phase.CLOSING);
    }

    @Test
    void connectionThatCameBackAfterItsEndIsNewAgain() {
        table.put(udp(1, 53), 0, 0);
        assertThat(table.put(udp(1, 53), 0, 6 * MINUTE))
                .as("flows that saw it gone must go")
                .isEqualTo(ConnectionTable.ADDED);
    }

    @Test
    void readsBackWhatItHolds() {
        var put = translated(3, 1000, 443, 61000);
        put.frame(0x0200_0000_0001L, 0x0200_0000_0002L, 0x1007);
        table.put(put, SYN, 5);
        var read = new Connection();
        int slot = slot(table, put);
        table.read(slot, read);
        assertThat(read.forward).isEqualTo(put.forward);
        assertThat(read.answer).isEqualTo(put.answer);
        assertThat(read.answer).hasToString("tcp 8.8.8.8:443 > 203.0.113.1:61000");
        assertThat(read.srcMac()).isEqualTo(0x0200_0000_0001L);
        assertThat(read.dstMac()).isEqualTo(0x0200_0000_0002L);
        assertThat(read.vlanTci()).isEqualTo(0x1007);
        assertThat(read.isOwned()).isTrue();
        assertThat(read.bindings()).isOne();
        assertThat(read.phase()).isEqualTo(Phase.OPENING);
        assertThat(table.isOfPort(slot, 7, 3)).isTrue();
    }

    @Test
    void isFoundByItsAnswerAtItsEndAndAtTheDeviceThatTranslates() {
        var put = translated(3, 1000, 443, 61000);
        assertThat(table.put(put, 0, 0)).isEqualTo(ConnectionTable.ADDED);
        int entry = table.find(put.answer, 0);
        assertThat(table.isAnswer(entry)).isTrue();
        assertThat(table.slotOf(entry)).isEqualTo(slot(table, put));
        var atDevice = new ConnectionKey();
        atDevice.copyFrom(put.answer);
        atDevice.scope(ConnectionTable.atDevice(NAT));
        assertThat(table.slotOf(table.find(atDevice, 0))).isEqualTo(slot(table, put));
        var before = new ConnectionKey();
        var after = new ConnectionKey();
        assertThat(table.crossing(slot(table, put), NAT, before, after)).isTrue();
        assertThat(before).hasToString("tcp 10.0.0.3:1000 > 8.8.8.8:443");
        assertThat(after).hasToString("tcp 203.0.113.1:61000 > 8.8.8.8:443");
        assertThat(table.crossing(slot(table, put), NAT + 1, before, after)).isFalse();
    }

    @Test
    void refusesASecondConnectionWithTheSameAnswers() {
        table.put(translated(3, 1000, 443, 61000), 0, 0);
        assertThat(table.put(translated(4, 1000, 443, 61000), 0, 0)).isEqualTo(ConnectionTable.TAKEN);
        assertThat(table.put(translated(4, 1000, 80, 61000), 0, 0))
                .as("one public port serves many destinations")
                .isEqualTo(ConnectionTable.ADDED);
        assertThat(table.taken()).isOne();
    }

    @Test
    void takesAnotherWayWhenItsTranslationChanges() {
        var first = translated(3, 1000, 443, 61000);
        table.put(first, 0, 0);
        int epoch = table.epoch(slot(table, first));
        var second = translated(3, 1000, 443, 61001);
        assertThat(table.put(second, 0, SECOND)).isEqualTo(ConnectionTable.ADDED);
        assertThat(table.find(first.answer, SECOND)).isEqualTo(ConnectionTable.NONE);
        assertThat(table.isAnswer(table.find(second.answer, SECOND))).isTrue();
        assertThat(table.epoch(slot(table, second))).isEqualTo(epoch + 1);
        assertThat(endedTags).contains(table.tag(first.answer));
        assertThat(table.size()).isOne();
    }

    @Test
    void holderOfACopySaysThatTheOtherSideHasClosed() {
        var put = translated(3, 1000, 443, 61000);
        table.put(put, 0, 0);
        int slot = slot(table, put);
        assertThat(table.answered(slot, Phase.afterAnswer(Phase.OPEN, TCP, 0))).isFalse();
        assertThat(table.answered(slot, Phase.afterAnswer(Phase.OPEN, TCP, FIN)))
                .isTrue();
        assertThat(contains(table, put, 5 * MINUTE)).isFalse();
    }

    @Test
    void refusesLimitsThatCannotBe() {
        assertThatThrownBy(() -> new ConnectionTable.Limits(10, 11, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("connections per port 11 (expected 1..10)");
    }

    @Test
    void agreesWithAnOracleOfMapsOverAnyHistory() {
        Property.check("connection table against maps", 200, random -> new History(random).run(300));
    }

    @Test
    void allocatesNothing() {
        var big = table(1 << 14, 1 << 12, 64);
        var connection = new Connection();
        ConnectionTable.Sweep quiet = (ofTable, slot) -> (slot & 2) == 0;
        long[] tags = new long[1];
        ConnectionTable.TagConsumer count = tag -> tags[0] += tag;
        big.setEnding((ofTable, slot) -> ofTable.tags(slot, count));
        Runnable work = () -> {
            for (int i = 0; i < 200_000; i++) {
                // ICMP entries run out of time, TCP entries of room.
                connection.clear();
                connection.port(7, i & 31);
                connection.forward.protocol((i & 1) == 0 ? ICMP : TCP);
                connection.forward.src(0, IpAddress.V4_MARK | i, i & 0xffff).dst(0, IpAddress.V4_MARK | i * 31L, 53);
                connection.bind(NAT, Connection.SOURCE, 0, IpAddress.V4_MARK | 9, i & 0xffff);
                connection.answerAt(1);
                long now = i * MINUTE / 4000;
                big.put(connection, 0, now);
                big.find(connection.answer, now);
                big.expire(now, 4, quiet);
            }
        };
        work.run();
        work.run();
        assertThat(Allocation.bytes(work)).isZero();
        assertThat(big.evicted()).isPositive();
        assertThat(big.expired()).isPositive();
    }

    /** A random history, told to the table and to plain maps that keep each port's connections by last refresh. */
    private static final class History {
        private final RandomGenerator random;
        private final ConnectionTable table = table(24, 8, 4);
        private final Map<Integer, LinkedHashMap<Integer, Entry>> oracle = new HashMap<>();
        private long now = 3 * SECOND;

        private record Entry(boolean owner, int epoch, long created, long refreshed) {
            boolean live(long now) {
                return sinceTick(refreshed, now) < (owner ? 5 : 10) * MINUTE;
            }
        }

        private long evicted;
        private ConnectionKey touched = new ConnectionKey();

        History(RandomGenerator random) {
            this.random = random;
            table.setEnding((ofTable, slot) -> {
                var gone = new Connection();
                ofTable.read(slot, gone);
                evicted = gone.forward.equals(touched) ? 0 : ofTable.tag(gone.forward);
                ended(gone);
            });
        }

        private void ended(Connection gone) {
            if (sweeping) {
                assertThat(take((int) gone.portLow(), gone.forward.dstPort()).live(now))
                        .isFalse();
            }
        }

        private boolean sweeping;

        void run(int steps) {
            for (int i = 0; i < steps; i++) {
                now += random.nextLong(random.nextInt(8) == 0 ? 4 * MINUTE : SECOND);
                int port = random.nextInt(6);
                int remote = random.nextInt(12);
                switch (random.nextInt(5)) {
                    case 0, 1 -> put(port, remote);
                    case 2 -> putCopy(port, remote, 5 + random.nextInt(6));
                    case 3 -> remove(port, remote);
                    default -> sweep(random.nextBoolean());
                }
                check();
            }
        }

        private void remove(int port, int remote) {
            if (slot(table, udp(port, remote), now) != ConnectionTable.NONE) {
                table.remove(slot(table, udp(port, remote), now));
                take(port, remote);
            }
        }

        private void put(int port, int remote) {
            var old = live(port, remote);
            evicted = 0;
            touched = udp(port, remote).forward;
            int result = table.put(udp(port, remote), 0, now);
            if (old == null) {
                assertAdded(result, port, remote, new Entry(true, 7, now, now));
                return;
            }
            long wait = Math.min(5 * MINUTE / 3, Math.max(SECOND, sinceTick(old.created, old.refreshed)));
            if (old.owner && sinceTick(old.refreshed, now) < wait / TICK * TICK) {
                assertThat(result).isEqualTo(ConnectionTable.KNOWN);
                return;
            }
            assertThat(result).isEqualTo(ConnectionTable.RENEWED);
            int epoch = old.owner ? old.epoch : Math.max(7, old.epoch + 1);
            renew(port, remote, new Entry(true, epoch, old.created, now));
        }

        private void putCopy(int port, int remote, int epoch) {
            var old = live(port, remote);
            evicted = 0;
            touched = udp(port, remote).forward;
            int result = table.putCopy(copy(udp(port, remote), epoch), now);
            if (old == null) {
                assertAdded(result, port, remote, new Entry(false, epoch, now, now));
            } else if (epoch < old.epoch || epoch == old.epoch && old.owner) {
                assertThat(result).isEqualTo(ConnectionTable.STALE);
            } else {
                assertThat(result).isEqualTo(ConnectionTable.RENEWED);
                renew(port, remote, new Entry(false, epoch, old.created, now));
            }
        }

        private void assertAdded(int result, int port, int remote, Entry entry) {
            if (!oracle.containsKey(port) && oracle.size() == 4) {
                assertThat(result).isEqualTo(ConnectionTable.NO_ROOM);
                return;
            }
            assertThat(result).isEqualTo(ConnectionTable.ADDED);
            int most = oracle.values().stream().mapToInt(Map::size).max().orElse(0);
            if (oracle.containsKey(port) && oracle.get(port).size() == 8) {
                assertThat(evicted).isEqualTo(oldestTag(port));
                take(port, oracle.get(port).firstEntry().getKey());
            } else if (size() == 24) {
                int victim = oracle.keySet().stream()
                        .filter(p -> evicted == oldestTag(p))
                        .findFirst()
                        .orElseThrow();
                assertThat(oracle.get(victim))
                        .as("taken from one that holds the most")
                        .hasSize(most);
                take(victim, oracle.get(victim).firstEntry().getKey());
            } else {
                assertThat(evicted).isZero();
            }
            renew(port, remote, entry);
        }

        private void sweep(boolean used) {
            sweeping = true;
            table.expire(now, 24, (ofTable, slot) -> {
                if (used) {
                    var gone = new Connection();
                    ofTable.read(slot, gone);
                    int port = (int) gone.portLow();
                    int remote = gone.forward.dstPort();
                    var old = oracle.get(port).get(remote);
                    renew(port, remote, new Entry(true, old.epoch, old.created, now));
                }
                return used;
            });
            sweeping = false;
            assertThat(oracle.values().stream().flatMap(m -> m.values().stream()))
                    .allMatch(e -> e.live(now));
        }

        private void check() {
            assertThat(table.size()).isEqualTo(size());
            assertThat(table.ports()).isEqualTo(oracle.size());
            for (int port = 0; port < 6; port++) {
                var of = oracle.getOrDefault(port, new LinkedHashMap<>());
                assertThat(table.sizeOf(7, port)).isEqualTo(of.size());
                for (int remote = 0; remote < 12; remote++) {
                    var entry = of.get(remote);
                    boolean live = entry != null && entry.live(now);
                    int slot = slot(table, udp(port, remote), now);
                    assertThat(slot != ConnectionTable.NONE).isEqualTo(live);
                    if (live) {
                        assertThat(table.isOwner(slot)).isEqualTo(entry.owner);
                        assertThat(table.epoch(slot)).isEqualTo(entry.epoch);
                        assertThat(table.idleNanos(slot, now)).isEqualTo(sinceTick(entry.refreshed, now));
                    }
                }
            }
        }

        private long oldestTag(int port) {
            return table.tag(udp(port, oracle.get(port).firstEntry().getKey()).forward);
        }

        private int size() {
            return oracle.values().stream().mapToInt(Map::size).sum();
        }

        private Entry live(int port, int remote) {
            var entry = oracle.getOrDefault(port, new LinkedHashMap<>()).get(remote);
            if (entry != null && !entry.live(now)) {
                take(port, remote);
                return null;
            }
            return entry;
        }

        private Entry take(int port, int remote) {
            var of = oracle.get(port);
            var entry = of == null ? null : of.remove(remote);
            if (of != null && of.isEmpty()) {
                oracle.remove(port);
            }
            return entry;
        }

        private void renew(int port, int remote, Entry entry) {
            take(port, remote);
            oracle.computeIfAbsent(port, p -> new LinkedHashMap<>()).put(remote, entry);
        }
    }

    private static ConnectionTable table(int connections, int perPort, int ports) {
        return new ConnectionTable(
                new ConnectionTable.Limits(connections, perPort, ports), Lifetimes.STANDARD, 7, 0x5eed);
    }

    private static long sinceTick(long then, long now) {
        return (now / TICK - then / TICK) * TICK;
    }

    private static Connection udp(int port, int remotePort) {
        return connection(UDP, port, remotePort);
    }

    private static Connection tcp(int port, int remotePort) {
        return connection(TCP, port, remotePort);
    }

    private static Connection connection(int protocol, int port, int remotePort) {
        var connection = new Connection();
        connection.port(7, port);
        connection.forward.scope(DEVICE).protocol(protocol);
        connection.forward.src(0, IpAddress.V4_MARK | 0x0a000000 | port, 1000);
        connection.forward.dst(0, IpAddress.V4_MARK | 0x08080808, remotePort);
        connection.answerAt(OTHER_DEVICE);
        return connection;
    }

    private static Connection translated(int port, int vmPort, int remotePort, int publicPort) {
        var connection = tcp(port, remotePort);
        connection.forward.src(0, IpAddress.V4_MARK | 0x0a000000 | port, vmPort);
        connection.bind(NAT, Connection.SOURCE, 0, IpAddress.V4_MARK | 0xcb007101L, publicPort);
        connection.answerAt(NAT);
        return connection;
    }

    private static Connection copy(Connection connection, int epoch) {
        connection.state(Phase.OPEN, epoch, false);
        return connection;
    }

    private static int slot(ConnectionTable table, Connection connection) {
        return slot(table, connection, 0);
    }

    private static int slot(ConnectionTable table, Connection connection, long now) {
        return table.begunBy(connection.forward, now);
    }

    private static boolean contains(ConnectionTable table, Connection connection, long now) {
        return slot(table, connection, now) != ConnectionTable.NONE;
    }
}
