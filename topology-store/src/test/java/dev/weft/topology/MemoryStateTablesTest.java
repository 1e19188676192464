package dev.weft.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.NanoClock;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MemoryStateTablesTest extends StateTableContract {
    private final MemoryStateTables.Cluster cluster = new MemoryStateTables.Cluster();

    @Override
    StateTables host(UUID id, TableLimits limits, NanoClock clock) {
        return cluster.host(id, limits, clock);
    }

    @Override
    void kill(StateTables host) {
        ((MemoryStateTables) host).die();
    }

    @Override
    void tick(StateTables host) {
        ((MemoryStateTables) host).writeDelayed();
    }

    @Test
    void entriesOfALostSessionAreMadeAgain() {
        var host = (MemoryStateTables) host(HOST_A);
        host.open(TableKind.MACS, BRIDGE).put(mac(1), PORT_1);
        long before =
                host.open(TableKind.MACS, BRIDGE).get(mac(1)).orElseThrow().incarnation();
        host.loseSession();
        assertThat(host(HOST_B)
                        .open(TableKind.MACS, BRIDGE)
                        .get(mac(1))
                        .orElseThrow()
                        .incarnation())
                .isNotEqualTo(before);
    }
}
