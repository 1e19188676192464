package dev.weft.it.bench;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One line of a benchmark's answer.
 *
 * @param figures one or more, each with its bar; the row holds only if all do
 * @param against what the figures are compared with in the same run, empty when with nothing
 * @param why for a row that could not run or needs a remark
 */
public record Row(
        String name,
        List<Figure> figures,
        String against,
        @Nullable String why,
        boolean ran) {
    /**
     * A value with its unit and what it has to meet.
     *
     * @param ratios what the value is the median of, if it is one of pairs: then the far end of its interval has to meet
     *     the bar
     */
    public record Figure(
            double value,
            String unit,
            @Nullable Bar bar,
            @Nullable PairedRatios ratios) {
        public Figure(double value, String unit, @Nullable Bar bar) {
            this(value, unit, bar, null);
        }

        /** The median ratio of pairs. */
        public static Figure of(PairedRatios ratios, String unit, @Nullable Bar bar) {
            return new Figure(ratios.median(), unit, bar, ratios);
        }

        boolean holds() {
            if (bar == null) {
                return true;
            }
            return bar.admits(ratios == null ? value : bar.atMost() ? ratios.high() : ratios.low());
        }

        /** The value, and the 95 % interval of a median behind it. */
        String text() {
            return ratios == null
                    ? Figures.text(value)
                    : "%s [%s..%s]"
                            .formatted(Figures.text(value), Figures.text(ratios.low()), Figures.text(ratios.high()));
        }
    }

    /** A limit: at most or at least. */
    public record Bar(boolean atMost, double limit) {
        public static Bar atMost(double limit) {
            return new Bar(true, limit);
        }

        public static Bar atLeast(double limit) {
            return new Bar(false, limit);
        }

        boolean admits(double value) {
            return atMost ? value <= limit : value >= limit;
        }

        @Override
        public String toString() {
            return (atMost ? "<= " : ">= ") + Figures.text(limit);
        }
    }

    public Row {
        figures = List.copyOf(figures);
        Objects.requireNonNull(against, "against");
    }

    /** A figure that has to meet a bar. */
    public static Row of(String name, double value, String unit, @Nullable Bar bar, String against) {
        return new Row(name, List.of(new Figure(value, unit, bar)), against, null, true);
    }

    /** Several figures in one row. */
    public static Row of(String name, List<Figure> figures, String against) {
        return new Row(name, figures, against, null, true);
    }

    /** A figure to read, without a bar. */
    public static Row figure(String name, double value, String unit, String against) {
        return of(name, value, unit, null, against);
    }

    /** A row whose measurement was impossible: does not hold, and says why. */
    public static Row couldNotRun(String name, String why) {
        return new Row(name, List.of(), "", why, false);
    }

    public Row because(String reason) {
        return new Row(name, figures, against, reason, ran);
    }

    public boolean holds() {
        return ran && figures.stream().allMatch(Figure::holds);
    }
}
