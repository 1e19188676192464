package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.ServiceId;
import dev.weft.topology.MemoryStateTables;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.DelayedService;
import dev.weft.topology.TableLimits;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OwnDelaysTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final MemoryStateTables tables =
            new MemoryStateTables.Cluster().host(new UUID(9, 9), TableLimits.DEFAULT, () -> 0);
    private final StateTable<DelayedService, Integer> table =
            tables.open(TableKind.DELAYED_SERVICES, TableKind.CLUSTER);
    private final OwnDelays own = new OwnDelays(table);
    private long now = 100 * SECOND;

    @AfterEach
    void close() {
        tables.close();
    }

    private static DelayedService service(int number) {
        return new DelayedService(new UUID(1, 1), ServiceId.of(number));
    }

    @Test
    void aServiceIsThereWhileItIsAskedFor() {
        own.heard(service(1), now);
        assertThat(table.get(service(1))).isPresent();
        for (int i = 0; i < 10; i++) {
            now += 4 * SECOND;
            own.look(now);
            own.heard(service(1), now);
        }
        assertThat(table.get(service(1))).isPresent();
        now += 5 * SECOND;
        own.look(now);
        assertThat(table.get(service(1))).isEmpty();
    }

    @Test
    void whoAsksForEverythingIsToldOfABit() {
        for (int i = 0; i < 1000; i++) {
            own.heard(service(i), now);
        }
        assertThat(table.entries()).hasSize(OwnDelays.PER_SECOND);
        for (int second = 0; second < 4; second++) {
            now += SECOND;
            for (int i = 0; i < 1000; i++) {
                own.heard(service(i), now);
            }
        }
        for (int second = 0; second < 20; second++) {
            now += SECOND;
            for (int i = 0; i < 1000; i++) {
                own.heard(service(i), now);
            }
            own.look(now);
        }
        assertThat(table.entries()).hasSize(OwnDelays.MOST);
    }
}
