package dev.weft.it.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weft.it.bench.PairedRatios.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PairedRatiosTest {
    /** From tables of the sign test: the greatest r with P(X <= r) <= 0.025 for n fair coins. */
    @ParameterizedTest
    @CsvSource({"1,0", "5,0", "6,0", "8,0", "9,1", "11,1", "12,2", "15,3", "20,5", "21,5", "25,7", "31,9", "100,39"})
    void leavesOutAsManyRatiosAtEachEndAsTheSignTestAllows(int pairs, int outside) {
        assertThat(PairedRatios.rank(pairs)).isEqualTo(outside);
    }

    @Test
    void takesTheSixthFromEachEndOfTwentyOne() {
        var ratios = ratiosOf(IntStream.rangeClosed(1, 21).mapToDouble(i -> i).toArray());

        assertThat(ratios.median()).isEqualTo(11);
        assertThat(ratios.low()).isEqualTo(6);
        assertThat(ratios.high()).isEqualTo(16);
    }

    @Test
    void fewPairsHaveTheirWholeRangeForAnInterval() {
        var ratios = ratiosOf(1.2, 0.9, 1.0);

        assertThat(ratios.low()).isEqualTo(0.9);
        assertThat(ratios.high()).isEqualTo(1.2);
    }

    @Test
    void aMachineThatSlowsDownForBothChangesNoRatio() {
        var steady = new PairedRatios(List.of(new Pair(50, 100), new Pair(60, 100), new Pair(70, 100)));
        var slowing = new PairedRatios(List.of(new Pair(50, 100), new Pair(120, 200), new Pair(210, 300)));

        assertThat(slowing.median()).isEqualTo(steady.median());
        assertThat(slowing.high()).isEqualTo(steady.high());
    }

    @Test
    void theIntervalHoldsTheTrueMedianNineteenTimesInTwenty() {
        var random = new SplittableRandom(7);
        int held = 0;
        int trials = 2000;
        for (int i = 0; i < trials; i++) {
            // Skewed on purpose: the median of exp(normal-like sum) is 1 whatever the spread.
            double[] values = IntStream.range(0, 21)
                    .mapToDouble(j -> Math.exp(3 * (random.nextDouble() + random.nextDouble() - 1)))
                    .toArray();
            var ratios = ratiosOf(values);
            held += ratios.low() <= 1 && 1 <= ratios.high() ? 1 : 0;
        }

        assertThat((double) held / trials).isBetween(0.955, 0.99);
    }

    @Test
    void aRowHoldsOnlyWhenTheFarEndOfTheIntervalMeetsTheBar() {
        var ratios =
                ratiosOf(IntStream.rangeClosed(1, 21).mapToDouble(i -> i / 10.0).toArray());

        assertThat(Row.Figure.of(ratios, "x", Row.Bar.atMost(1.5)).holds()).isFalse();
        assertThat(Row.Figure.of(ratios, "x", Row.Bar.atMost(1.6)).holds()).isTrue();
        assertThat(Row.Figure.of(ratios, "x", Row.Bar.atLeast(0.7)).holds()).isFalse();
        assertThat(Row.Figure.of(ratios, "x", Row.Bar.atLeast(0.6)).holds()).isTrue();
    }

    @Test
    void runsBothInAlternatingOrderAfterWarmingUp() {
        var order = new ArrayList<String>();

        var runs = PairedRatios.interleave(3, () -> note(order, "s"), () -> note(order, "r"));

        assertThat(order).containsExactly("s", "r", "s", "r", "r", "s", "s", "r");
        assertThat(runs).hasSize(3).allSatisfy(run -> {
            assertThat(run.subject()).isEqualTo("s");
            assertThat(run.reference()).isEqualTo("r");
        });
    }

    private static String note(List<String> order, String what) {
        order.add(what);
        return what;
    }

    @Test
    void refusesWhatNothingCanBeDividedBy() {
        assertThatThrownBy(() -> new PairedRatios(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected at least one");
        assertThatThrownBy(() -> new PairedRatios(List.of(new Pair(1, 0))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected above 0");
    }

    private static PairedRatios ratiosOf(double... ratios) {
        return new PairedRatios(
                java.util.Arrays.stream(ratios).mapToObj(r -> new Pair(r, 1)).toList());
    }
}
