package dev.weft.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weft.base.ServiceId;
import dev.weft.base.ServicePrefix;
import dev.weft.topology.MemoryStateTables;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.InstanceKey;
import dev.weft.topology.TableKind.InstanceValue;
import dev.weft.topology.TableLimits;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OwnInstancesTest {
    private static final UUID PORT = new UUID(1, 1);
    private static final InstanceKey WEB = new InstanceKey(ServicePrefix.parse("0x00004001"), PORT);
    private static final InstanceValue VALUE = new InstanceValue(0x0a000105, 0, 1);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final MemoryStateTables tables =
            new MemoryStateTables.Cluster().host(new UUID(9, 9), TableLimits.DEFAULT, () -> 0);
    private final StateTable<InstanceKey, InstanceValue> table = tables.open(TableKind.INSTANCES, TableKind.CLUSTER);
    private final AtomicInteger writes = new AtomicInteger();
    private final OwnInstances own = new OwnInstances(table);
    private boolean alive = true;
    private boolean here = true;
    private long now = 5 * SECOND;

    @AfterEach
    void close() {
        tables.close();
    }

    private void bring() {
        own.bring((key, value) -> alive, port -> here, now);
    }

    @Test
    void isInTheTableWhileItsPortIsUp() {
        own.put(WEB, VALUE);
        bring();
        assertThat(table.get(WEB))
                .hasValueSatisfying(entry -> assertThat(entry.value()).isEqualTo(VALUE));
        alive = false;
        now += SECOND;
        bring();
        assertThat(table.get(WEB)).isEmpty();
        alive = true;
        now += SECOND;
        bring();
        assertThat(table.get(WEB)).as("comes back by itself").isPresent();
    }

    @Test
    void isWhatTheTopologySaysUnlessItsPortSaysOtherwise() {
        var declared = new InstanceValue(0x0a000105, 3, 4);
        own.declare(Map.of(WEB, declared));
        bring();
        assertThat(table.get(WEB))
                .hasValueSatisfying(entry -> assertThat(entry.value()).isEqualTo(declared));
        own.put(WEB, VALUE);
        now += SECOND;
        bring();
        assertThat(table.get(WEB))
                .hasValueSatisfying(entry -> assertThat(entry.value()).isEqualTo(VALUE));
        assertThat(own.remove(WEB)).isTrue();
        assertThat(own.remove(WEB)).as("what is declared is not registered").isFalse();
        now += SECOND;
        bring();
        assertThat(table.get(WEB))
                .hasValueSatisfying(entry -> assertThat(entry.value()).isEqualTo(declared));
        own.declare(Map.of());
        now += SECOND;
        bring();
        assertThat(table.get(WEB)).isEmpty();
        now += SECOND;
        bring();
        assertThat(own.isEmpty()).isTrue();
    }

    @Test
    void isForgottenWhenItsVmDoesNotSaySoAgain() {
        var heard = new InstanceValue(0x0a000105, 0, 1, true);
        assertThat(own.heard(WEB, heard, now)).isTrue();
        for (int i = 0; i < 5; i++) {
            now += 20 * SECOND;
            assertThat(own.heard(WEB, heard, now)).isTrue();
            bring();
            assertThat(table.get(WEB)).isPresent();
        }
        now += 50 * SECOND;
        bring();
        assertThat(table.get(WEB)).isEmpty();
        own.heard(WEB, heard, now);
        own.silent(WEB);
        now += SECOND;
        bring();
        assertThat(table.get(WEB)).as("taken back").isEmpty();
    }

    @Test
    void whatSomebodyRegisteredGoesBeforeWhatTheVmSays() {
        own.put(WEB, VALUE);
        own.heard(WEB, new InstanceValue(0x0a000105, 9, 9, true), now);
        bring();
        assertThat(table.get(WEB))
                .hasValueSatisfying(entry -> assertThat(entry.value()).isEqualTo(VALUE));
        own.silent(WEB);
        now += SECOND;
        bring();
        assertThat(table.get(WEB)).as("only what it said is taken back").isPresent();
    }

    @Test
    void anAgentThatTakesOverForgetsWhatIsNotSaidAgain() {
        var heard = new InstanceValue(0x0a000105, 0, 1, true);
        assertThat(own.adopt(WEB, heard, now)).isTrue();
        bring();
        assertThat(table.get(WEB))
                .hasValueSatisfying(entry -> assertThat(entry.value()).isEqualTo(heard));
        now += 50 * SECOND;
        bring();
        assertThat(table.get(WEB)).isEmpty();
    }

    @Test
    void goesForGoodWithItsPort() {
        own.put(WEB, VALUE);
        bring();
        here = false;
        now += SECOND;
        bring();
        assertThat(table.get(WEB)).isEmpty();
        here = true;
        now += SECOND;
        bring();
        assertThat(table.get(WEB)).isEmpty();
        assertThat(own.isEmpty()).isTrue();
    }

    @Test
    void oneThatFlapsIsWrittenNowAndThenAndAtLastAsItIs() {
        try (var watch = table.watch((key, value, host, incarnation, died) -> writes.incrementAndGet())) {
            for (int i = 0; i < 1_000; i++) {
                own.put(WEB, VALUE);
                bring();
                own.remove(WEB);
                bring();
                now += SECOND / 1_000;
            }
            assertThat(writes.get()).as("writes in a second").isBetween(2, 10);
            own.put(WEB, VALUE);
            now += SECOND;
            bring();
            assertThat(table.get(WEB)).isPresent();
            own.remove(WEB);
            now += SECOND;
            bring();
            assertThat(table.get(WEB)).isEmpty();
            assertThat(watch).isNotNull();
        }
    }

    @Test
    void aPortHasSixtyFourServicesAtMost() {
        for (int i = 0; i < OwnInstances.MAX_PER_PORT; i++) {
            assertThat(own.put(new InstanceKey(ServicePrefix.of(ServiceId.of(i)), PORT), VALUE))
                    .isTrue();
        }
        assertThat(own.put(WEB, VALUE)).isFalse();
        assertThat(own.put(new InstanceKey(WEB.prefix(), new UUID(2, 2)), VALUE))
                .as("another port")
                .isTrue();
        own.remove(new InstanceKey(ServicePrefix.of(ServiceId.of(7)), PORT));
        assertThat(own.put(WEB, VALUE)).isTrue();
    }

    @Test
    void whatIsNotRegisteredCannotBeTakenBack() {
        assertThat(own.remove(WEB)).isFalse();
        own.put(WEB, VALUE);
        assertThat(own.adopt(WEB, VALUE, now)).as("known").isFalse();
        assertThat(own.remove(WEB)).isTrue();
        assertThat(own.remove(WEB)).isFalse();
    }
}
