package dev.weft.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class PortBlocksTest {
    private static final long POOL = 5;
    private static final long NAT = 13;
    private static final long INSIDE = 11;
    private static final long OUTSIDE = 12;
    private static final int UDP = 17;
    private static final IpAddress PUBLIC = IpAddress.parse("192.0.2.1");
    private static final IpAddress OTHER_PUBLIC = IpAddress.parse("192.0.2.2");
    private static final IpAddress SERVER = IpAddress.parse("198.51.100.1");

    private final ConnectionTable table =
            new ConnectionTable(new ConnectionTable.Limits(1 << 14, 1 << 14, 8), Lifetimes.STANDARD, 1, 2);
    private final PortBlocks blocks = new PortBlocks(0, 1);
    private long now;
    private Offer offer = new Offer(PUBLIC.low(), OTHER_PUBLIC.low(), 0);

    private record Offer(long lowest, long highest, int leastPort) implements PortBlocks.Offer {
        @Override
        public boolean gives(long high, long low) {
            return low >= lowest && low <= highest;
        }

        @Override
        public boolean givesPort(int port) {
            return port >= leastPort;
        }
    }

    @Test
    void givesNothingThatItsRuleDoesNotOfferAnyMore() {
        grant(PUBLIC, 2048, 64);
        grant(OTHER_PUBLIC, 2048, 64);
        offer = new Offer(OTHER_PUBLIC.low(), OTHER_PUBLIC.low(), 2110);
        for (int i = 0; i < 2; i++) {
            assertThat(begin("10.0.0.5", 2048 + i, SERVER)).isBetween(2110, 2111);
            assertThat(blocks.chosenLow()).isEqualTo(OTHER_PUBLIC.low());
        }
        assertThat(begin("10.0.0.5", 2050, SERVER)).isEqualTo(PortBlocks.NONE);
    }

    @Test
    void keepsThePacketsOwnPortWhicheverBlockOfTheAddressHasIt() {
        grant(PUBLIC, 1024, 1024);
        grant(PUBLIC, 2048, 1024);
        grant(PUBLIC, 3072, 1024);
        for (int own : new int[] {1024, 2500, 4095}) {
            assertThat(begin("10.0.0.5", own, SERVER)).isEqualTo(own);
        }
    }

    @Test
    void givesOnePortToManyServersAndToOneServerOnce() {
        grant(PUBLIC, 2048, 64);
        Set<Integer> given = new HashSet<>();
        for (int i = 0; i < 64; i++) {
            assertThat(given.add(begin("10.0.0.5", 40_000 + i, SERVER)))
                    .as("one that nobody has towards this server")
                    .isTrue();
        }
        assertThat(begin("10.0.0.5", 50_000, SERVER)).isEqualTo(PortBlocks.NONE);
        assertThat(begin("10.0.0.5", 50_000, IpAddress.parse("198.51.100.2"))).isBetween(2048, 2111);
    }

    @Test
    void findsTheLastFreePortsOfManyBlocks() {
        for (int i = 0; i < 4; i++) {
            grant(PUBLIC, 2048 + 512 * i, 512);
        }
        for (int i = 0; i < 4 * 512; i++) {
            assertThat(begin("10.0.0.5", 10_000 + i, SERVER)).as("port " + i).isNotEqualTo(PortBlocks.NONE);
        }
        assertThat(begin("10.0.0.5", 9_999, SERVER)).isEqualTo(PortBlocks.NONE);
        assertThat(blocks.isScarce()).isTrue();
    }

    @Test
    void fillsTheBlocksOfAnAddressEvenly() {
        for (int i = 0; i < 4; i++) {
            grant(PUBLIC, 2048 + 512 * i, 512);
        }
        Map<Integer, Integer> inBlock = new HashMap<>();
        for (int i = 0; i < 1_000; i++) {
            inBlock.merge(begin("10.0.0.5", 10_000 + i, SERVER) / 512, 1, Integer::sum);
        }
        assertThat(inBlock.values())
                .hasSize(4)
                .allSatisfy(count -> assertThat(count).isBetween(200, 300));
    }

    @Test
    void asksForMoreWhenMostPortsAreTakenAndNotBefore() {
        grant(PUBLIC, 2048, 1024);
        int scarce = 0;
        for (int i = 0; i < 512; i++) {
            begin("10.0.0.5", 10_000 + i, SERVER);
            scarce += blocks.isScarce() ? 1 : 0;
        }
        assertThat(scarce).as("until half of them are taken").isLessThan(10);
        for (int i = 512; i < 960; i++) {
            begin("10.0.0.5", 10_000 + i, SERVER);
            scarce += blocks.isScarce() ? 1 : 0;
        }
        assertThat(scarce).as("before all are").isGreaterThan(30);
    }

    @Test
    void keepsTheAddressOfAnInsideAddressWhileThatHasPorts() {
        grant(PUBLIC, 2048, 256);
        grant(OTHER_PUBLIC, 2048, 256);
        begin("10.0.0.5", 10_000, SERVER);
        long address = blocks.chosenLow();
        for (int i = 1; i < 256; i++) {
            assertThat(begin("10.0.0.5", 10_000 + i, SERVER)).isNotEqualTo(PortBlocks.NONE);
            assertThat(blocks.chosenLow()).isEqualTo(address);
        }
        assertThat(begin("10.0.0.5", 20_000, SERVER)).isNotEqualTo(PortBlocks.NONE);
        assertThat(blocks.chosenLow()).as("the first one has no more").isNotEqualTo(address);
    }

    @Test
    void findsAPortAgainThatBecameFreeInAFullPool() {
        grant(PUBLIC, 2048, 512);
        for (int i = 0; i < 512; i++) {
            begin("10.0.0.5", 10_000 + i, SERVER);
        }
        assertThat(begin("10.0.0.5", 9_999, SERVER)).isEqualTo(PortBlocks.NONE);
        table.remove(table.begunBy(connection("10.0.0.5", 10_007, SERVER).forward, now));
        now += 20_000_000;
        assertThat(begin("10.0.0.5", 9_999, SERVER)).isNotEqualTo(PortBlocks.NONE);
    }

    private void grant(IpAddress address, int first, int count) {
        blocks.grant(POOL, address.high(), address.low(), first, count);
    }

    /** The port that the connection got, recorded. */
    private int begin(String inside, int port, IpAddress server) {
        Connection connection = connection(inside, port, server);
        int chosen = blocks.choose(POOL, offer, table, connection.forward, NAT, true, now);
        if (chosen != PortBlocks.NONE) {
            connection.bind(NAT, Connection.SOURCE, blocks.chosenHigh(), blocks.chosenLow(), chosen);
            connection.answerAt(OUTSIDE);
            assertThat(table.put(connection, 0, now)).isEqualTo(ConnectionTable.ADDED);
        }
        return chosen;
    }

    private static Connection connection(String inside, int port, IpAddress server) {
        var connection = new Connection();
        var address = IpAddress.parse(inside);
        connection
                .forward
                .scope(INSIDE)
                .protocol(UDP)
                .src(address.high(), address.low(), port)
                .dst(server.high(), server.low(), 53);
        connection.port(1, 1);
        return connection;
    }
}
