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
    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int SYN = 2;
    private static final int FIN = 1;

    private final ConnectionTable table = table(64, 16, 8);
    private final List<Integer> askedSlots = new ArrayList<>();
    private boolean used;
    private final ConnectionTable.Sweep sweep = new ConnectionTable.Sweep() {
        @Override
        public boolean inUse(ConnectionTable ofTable, int slot) {
            askedSlots.add(slot);
            return used;
        }

        @Override
        public void onExpired(ConnectionTable ofTable, int slot) {}
    };

    @Test
    void knowsWhatWasBegunAndNothingElse() {
        assertThat(table.contains(udp(1, 53), 0)).isFalse();
        assertThat(table.put(udp(1, 53), 0, 0)).isEqualTo(ConnectionTable.ADDED);
        assertThat(table.contains(udp(1, 53), 0)).isTrue();
        assertThat(table.contains(udp(1, 54), 0)).isFalse();
        assertThat(table.contains(udp(2, 53), 0)).as("another stateful port").isFalse();
        assertThat(table.contains(udp(1, 53).protocol(TCP), 0)).isFalse();
        assertThat(table.remove(udp(1, 53))).isTrue();
        assertThat(table.contains(udp(1, 53), 0)).isFalse();
        assertThat(table.ports()).isZero();
    }

    @Test
    void forgetsUdpAfterFiveMinutesAndTcpAfterTwoHoursAndFour() {
        table.put(udp(1, 53), 0, 0);
        table.put(tcp(1, 443), 0, 0);
        assertThat(table.contains(udp(1, 53), 5 * MINUTE - 1)).isTrue();
        assertThat(table.contains(udp(1, 53), 5 * MINUTE)).isFalse();
        assertThat(table.contains(tcp(1, 443), 124 * MINUTE - 1)).isTrue();
        assertThat(table.contains(tcp(1, 443), 124 * MINUTE)).isFalse();
    }

    @Test
    void halfOpenAndClosingTcpLiveForFourMinutes() {
        table.put(tcp(1, 1), SYN, 0);
        assertThat(table.contains(tcp(1, 1), 4 * MINUTE)).as("opening").isFalse();
        table.put(tcp(1, 2), SYN, 0);
        assertThat(table.put(tcp(1, 2), 0, SECOND / 2)).as("opened").isEqualTo(ConnectionTable.RENEWED);
        assertThat(table.contains(tcp(1, 2), 100 * MINUTE)).as("open").isTrue();
        assertThat(table.put(tcp(1, 2), FIN, SECOND)).as("closed").isEqualTo(ConnectionTable.RENEWED);
        table.put(tcp(1, 2), 0, SECOND);
        assertThat(table.contains(tcp(1, 2), 5 * MINUTE))
                .as("the last ACK re-opens nothing")
                .isFalse();
    }

    @Test
    void copyOutlivesItsOwnerByOneLifetime() {
        table.putCopy(udp(1, 53), Phase.OPEN, 9, 0);
        assertThat(table.contains(udp(1, 53), 10 * MINUTE - 1)).isTrue();
        assertThat(table.contains(udp(1, 53), 10 * MINUTE)).isFalse();
    }

    @Test
    void earlierEpochChangesNothingAndLaterTakesOver() {
        table.put(udp(1, 53), 0, 0);
        int slot = table.find(udp(1, 53));
        assertThat(table.putCopy(udp(1, 53), Phase.OPEN, 6, 0)).isEqualTo(ConnectionTable.STALE);
        assertThat(table.putCopy(udp(1, 53), Phase.OPEN, 7, 0))
                .as("our own echo")
                .isEqualTo(ConnectionTable.STALE);
        assertThat(table.isOwner(slot)).isTrue();
        assertThat(table.putCopy(udp(1, 53), Phase.OPEN, 8, 0)).isEqualTo(ConnectionTable.RENEWED);
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
        long oldest = table.tag(udp(1, 1));
        assertThat(table.put(udp(1, 99), 0, 3 * SECOND)).isEqualTo(ConnectionTable.ADDED);
        assertThat(table.evictedTag()).isEqualTo(oldest);
        assertThat(table.contains(udp(1, 1), 3 * SECOND)).isFalse();
        assertThat(table.contains(udp(1, 0), 3 * SECOND)).isTrue();
        assertThat(table.contains(udp(2, 1), 3 * SECOND)).isTrue();
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
        assertThat(small.contains(udp(5, 0), 8)).isTrue();
    }

    @Test
    void refusesAndCountsWhenThereAreTooManyPorts() {
        for (int port = 0; port < 8; port++) {
            assertThat(table.put(udp(port, 1), 0, 0)).isEqualTo(ConnectionTable.ADDED);
        }
        assertThat(table.put(udp(8, 1), 0, 0)).isEqualTo(ConnectionTable.NO_ROOM);
        assertThat(table.refused()).isEqualTo(1);
        table.remove(udp(3, 1));
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
        assertThat(table.expire(5 * MINUTE, 64, sweep)).isEqualTo(1);
        assertThat(table.size()).isZero();
        assertThat(table.expired()).isEqualTo(1);
        askedSlots.clear();
        table.putCopy(udp(1, 53), Phase.OPEN, 1, 0);
        table.expire(9 * MINUTE, 64, sweep);
        assertThat(askedSlots).isEmpty();
        assertThat(table.expire(10 * MINUTE, 64, sweep)).isEqualTo(1);
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
        var key = tcp(3, 443);
        table.put(key, SYN, 5);
        var read = new ConnectionKey();
        int slot = table.find(key);
        table.read(slot, read);
        assertThat(read).isEqualTo(key);
        assertThat(table.phase(slot)).isEqualTo(Phase.OPENING);
        assertThat(table.tag(slot)).isEqualTo(table.tag(key));
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
        var key = new ConnectionKey();
        var quiet = new ConnectionTable.Sweep() {
            @Override
            public boolean inUse(ConnectionTable ofTable, int slot) {
                return (slot & 1) == 0;
            }

            @Override
            public void onExpired(ConnectionTable ofTable, int slot) {}
        };
        Runnable work = () -> {
            for (int i = 0; i < 200_000; i++) {
                // ICMP entries run out of time, TCP entries of room.
                key.port(7, i & 31)
                        .protocol((i & 1) == 0 ? ICMP : TCP)
                        .vm(0, i, i & 0xffff)
                        .remote(0, i * 31L, 53);
                big.put(key, 0, i * MINUTE / 4000);
                big.contains(key, i * MINUTE / 4000);
                big.expire(i * MINUTE / 4000, 4, quiet);
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
        private long now = -3 * SECOND;

        private record Entry(boolean owner, int epoch, long created, long refreshed) {
            boolean live(long now) {
                return now - refreshed < (owner ? 5 : 10) * MINUTE;
            }
        }

        History(RandomGenerator random) {
            this.random = random;
        }

        void run(int steps) {
            for (int i = 0; i < steps; i++) {
                now += random.nextLong(random.nextInt(8) == 0 ? 4 * MINUTE : SECOND);
                int port = random.nextInt(6);
                int remote = random.nextInt(12);
                switch (random.nextInt(5)) {
                    case 0, 1 -> put(port, remote);
                    case 2 -> putCopy(port, remote, 5 + random.nextInt(6));
                    case 3 -> assertThat(table.remove(udp(port, remote))).isEqualTo(take(port, remote) != null);
                    default -> sweep(random.nextBoolean());
                }
                check();
            }
        }

        private void put(int port, int remote) {
            var old = live(port, remote);
            int result = table.put(udp(port, remote), 0, now);
            if (old == null) {
                assertAdded(result, port, remote, new Entry(true, 7, now, now));
                return;
            }
            long wait = Math.min(5 * MINUTE / 3, Math.max(SECOND, old.refreshed - old.created));
            if (old.owner && now - old.refreshed < wait) {
                assertThat(result).isEqualTo(ConnectionTable.KNOWN);
                return;
            }
            assertThat(result).isEqualTo(ConnectionTable.RENEWED);
            int epoch = old.owner ? old.epoch : Math.max(7, old.epoch + 1);
            renew(port, remote, new Entry(true, epoch, old.created, now));
        }

        private void putCopy(int port, int remote, int epoch) {
            var old = live(port, remote);
            int result = table.putCopy(udp(port, remote), Phase.OPEN, epoch, now);
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
                assertThat(table.evictedTag()).isEqualTo(oldestTag(port));
                take(port, oracle.get(port).firstEntry().getKey());
            } else if (size() == 24) {
                int victim = oracle.keySet().stream()
                        .filter(p -> table.evictedTag() == oldestTag(p))
                        .findFirst()
                        .orElseThrow();
                assertThat(oracle.get(victim))
                        .as("taken from one that holds the most")
                        .hasSize(most);
                take(victim, oracle.get(victim).firstEntry().getKey());
            } else {
                assertThat(table.evictedTag()).isZero();
            }
            renew(port, remote, entry);
        }

        private void sweep(boolean used) {
            table.expire(now, 24, new ConnectionTable.Sweep() {
                @Override
                public boolean inUse(ConnectionTable ofTable, int slot) {
                    if (used) {
                        var key = new ConnectionKey();
                        ofTable.read(slot, key);
                        int port = (int) key.portLow();
                        var old = oracle.get(port).get(key.remotePort());
                        renew(port, key.remotePort(), new Entry(true, old.epoch, old.created, now));
                    }
                    return used;
                }

                @Override
                public void onExpired(ConnectionTable ofTable, int slot) {
                    var key = new ConnectionKey();
                    ofTable.read(slot, key);
                    assertThat(take((int) key.portLow(), key.remotePort()).live(now))
                            .isFalse();
                }
            });
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
                    var key = udp(port, remote);
                    assertThat(table.contains(key, now)).isEqualTo(entry != null && entry.live(now));
                    int slot = table.find(key);
                    assertThat(slot != ConnectionTable.NONE).isEqualTo(entry != null);
                    if (entry != null) {
                        assertThat(table.isOwner(slot)).isEqualTo(entry.owner);
                        assertThat(table.epoch(slot)).isEqualTo(entry.epoch);
                        assertThat(table.refreshedNanos(slot)).isEqualTo(entry.refreshed);
                    }
                }
            }
        }

        private long oldestTag(int port) {
            return table.tag(udp(port, oracle.get(port).firstEntry().getKey()));
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

    private static ConnectionKey udp(int port, int remotePort) {
        return new ConnectionKey()
                .port(7, port)
                .protocol(UDP)
                .vm(0, IpAddress.V4_MARK | 0x0a000105, 1000)
                .remote(0, IpAddress.V4_MARK | 0x0a000209, remotePort);
    }

    private static ConnectionKey tcp(int port, int remotePort) {
        return udp(port, remotePort).protocol(TCP);
    }
}
