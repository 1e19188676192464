package dev.weft.agent.worker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CountersTest {
    @Test
    void countsEachForItself() {
        var counters = new Counters(3);
        counters.increment(0);
        counters.add(2, 5);
        counters.increment(2);
        counters.set(1, 9);
        assertThat(counters.get(0)).isEqualTo(1);
        assertThat(counters.get(1)).isEqualTo(9);
        assertThat(counters.get(2)).isEqualTo(6);
        assertThat(counters.size()).isEqualTo(3);
    }

    @Test
    void portSpendsItsBurstThenItsRateAndNobodyElses() {
        var budget = new PortBudget(10, 3);
        long now = Long.MAX_VALUE - 5; // the clock may wrap
        for (int i = 0; i < 3; i++) {
            assertThat(budget.take(100, now)).isTrue();
        }
        assertThat(budget.take(100, now)).isFalse();
        assertThat(budget.take(7, now)).isTrue();
        assertThat(budget.take(100, now + 99_999_999)).isFalse();
        assertThat(budget.take(100, now + 100_000_000)).isTrue();
        assertThat(budget.take(100, now + 100_000_000)).isFalse();
        assertThat(budget.refused()).isEqualTo(3);
    }
}
