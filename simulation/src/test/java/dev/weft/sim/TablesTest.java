package dev.weft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.Property;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import java.util.HashMap;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class TablesTest {
    private static Tables tables(int macs) {
        return new Tables(
                new ConnectionTable(new ConnectionTable.Limits(16, 16, 4), Lifetimes.STANDARD, 1, 2),
                new Tables.Limits(macs, 16),
                3);
    }

    @Test
    void wideMapAgreesWithAHashMap() {
        Property.check("wide map", 200, random -> {
            var map = new WideMap(32, random.nextLong());
            var oracle = new HashMap<List<Long>, Long>();
            for (int i = 0; i < 400; i++) {
                long a = random.nextInt(3);
                long b = random.nextInt(4);
                long c = random.nextInt(8);
                int slot = map.find(a, b, c);
                assertThat(slot != WideMap.NONE).isEqualTo(oracle.containsKey(List.of(a, b, c)));
                if (slot == WideMap.NONE && !map.isFull()) {
                    map.setValues(map.add(a, b, c), i, 0, 0);
                    oracle.put(List.of(a, b, c), (long) i);
                } else if (slot != WideMap.NONE) {
                    assertThat(map.value(slot, 0)).isEqualTo(oracle.get(List.of(a, b, c)));
                    if (random.nextBoolean()) {
                        map.remove(slot);
                        oracle.remove(List.of(a, b, c));
                    }
                }
                assertThat(map.size()).isEqualTo(oracle.size());
            }
        });
    }

    @Test
    void refusesMoreMacsThanItHasRoomFor() {
        var tables = tables(4);
        for (int i = 1; i <= 6; i++) {
            assertThat(tables.learnMac(0, 0, i, 1)).isEqualTo(i <= 4);
        }
        assertThat(tables.refused()).isEqualTo(2);
        assertThat(tables.forgetMac(0, 0, 1, 2))
                .as("it has moved to another port")
                .isFalse();
        assertThat(tables.forgetMac(0, 0, 1, 1)).isTrue();
        assertThat(tables.learnMac(0, 0, 6, 1)).isTrue();
    }

    @Test
    void saysWhetherSomethingChanged() {
        var tables = tables(4);
        assertThat(tables.setLocalPort(3, 10)).isTrue();
        assertThat(tables.setLocalPort(3, 10)).isFalse();
        assertThat(tables.portOfDatapathPort(10)).isEqualTo(3);
        assertThat(tables.setLocalPort(4, 10))
                .as("the datapath port is another's now")
                .isTrue();
        assertThat(tables.localPort(3)).isEqualTo(Tables.NONE);
        assertThat(tables.setRemotePort(100, 1, 2, 7)).isTrue();
        assertThat(tables.setRemotePort(100, 1, 2, 7)).isFalse();
        assertThat(tables.clearRemotePort(100)).isTrue();
        assertThat(tables.clearRemotePort(100)).isFalse();
        var host = UUID.randomUUID();
        assertThat(tables.setFloodTarget(1, 7, host, 1, 2, 7)).isTrue();
        assertThat(tables.setFloodTarget(1, 7, host, 1, 2, 7)).isFalse();
        assertThat(tables.setFloodTarget(1, 7, host, 1, 2, 8)).isTrue();
        assertThat(tables.clearFloodTarget(1, 7, host)).isTrue();
        assertThat(tables.setFloodKey(1, 7, 77)).isTrue();
        assertThat(tables.bridgeOfFloodKey(77)).isOne();
        assertThat(tables.vlanOfFloodKey(77)).isEqualTo(7);
        assertThat(tables.setFloodKey(1, 7, Tables.NONE)).isTrue();
        assertThat(tables.bridgeOfFloodKey(77)).isEqualTo(Tables.NONE);
    }

    @Test
    void forgetsNeighboursWhenTheirTimeIsOver() {
        var tables = tables(4);
        assertThat(tables.learnNeighbour(1, 0, 5, 0xaa, 9, 100)).isTrue();
        assertThat(tables.learnNeighbour(1, 0, 5, 0xaa, 9, 200))
                .as("a new expiry alone")
                .isFalse();
        assertThat(tables.neighbourMac(1, 9, 0, 5, 199)).isEqualTo(0xaa);
        assertThat(tables.neighbourMac(1, 9, 0, 5, 200)).isEqualTo(Tables.NO_MAC);
        assertThat(tables.neighbourMac(1, 8, 0, 5, 0)).as("behind another port").isEqualTo(Tables.NO_MAC);
        assertThat(tables.failNeighbour(1, 0, 5, 9, 300)).isTrue();
        assertThat(tables.neighbourMac(1, 9, 0, 5, 299)).isEqualTo(Tables.FAILED_MAC);
        assertThat(tables.forgetNeighbour(1, 0, 5, 0xaa)).isFalse();
        assertThat(tables.forgetNeighbour(1, 0, 5)).isTrue();
    }
}
