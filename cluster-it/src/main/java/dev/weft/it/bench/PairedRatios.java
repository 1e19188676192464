package dev.weft.it.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a subject costs in units of a reference that was measured right beside it. Each pair is one run of both, in
 * alternating order, so that a machine that slows down does so for both; the median of the pairs' ratios is the answer.
 * Its 95 % interval comes from order statistics: the number of ratios below the true median is binomial, whatever their
 * distribution.
 *
 * @param pairs one or more, references above 0
 */
public record PairedRatios(List<Pair> pairs) {
    private static final double ONE_TAIL = 0.025;

    /** Both measured in the same unit. */
    public record Pair(double subject, double reference) {
        public double ratio() {
            return subject / reference;
        }
    }

    /** Two results of one pair of runs, whatever they are. */
    public record Runs<T>(T subject, T reference) {}

    public PairedRatios {
        pairs = List.copyOf(pairs);
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException("no pairs (expected at least one)");
        }
        for (Pair pair : pairs) {
            if (!(pair.reference() > 0)) {
                throw new IllegalArgumentException("a reference of " + pair.reference() + " (expected above 0)");
            }
        }
    }

    /** Runs both once without counting, then {@code count} times each, in alternating order. */
    public static <T> List<Runs<T>> interleave(int count, Supplier<T> subject, Supplier<T> reference) {
        subject.get();
        reference.get();
        var runs = new ArrayList<Runs<T>>();
        for (int i = 0; i < count; i++) {
            if (i % 2 == 0) {
                T first = subject.get();
                runs.add(new Runs<>(first, reference.get()));
            } else {
                T first = reference.get();
                runs.add(new Runs<>(subject.get(), first));
            }
        }
        return runs;
    }

    public double median() {
        return Figures.median(ratios());
    }

    /** The lower end of the median's 95 % interval; with fewer than six pairs, the least ratio. */
    public double low() {
        double[] sorted = ratios();
        return sorted[rank(sorted.length)];
    }

    /** The upper end; with fewer than six pairs, the greatest ratio. */
    public double high() {
        double[] sorted = ratios();
        return sorted[sorted.length - 1 - rank(sorted.length)];
    }

    private double[] ratios() {
        double[] ratios = pairs.stream().mapToDouble(Pair::ratio).toArray();
        Arrays.sort(ratios);
        return ratios;
    }

    /** How many of n ratios lie outside at each end: the most for which P(so many or fewer heads of n) is in the tail. */
    static int rank(int n) {
        double term = Math.pow(0.5, n);
        double tail = term;
        int outside = 0;
        while (tail + term * (n - outside) / (outside + 1) <= ONE_TAIL) {
            term *= (double) (n - outside) / (outside + 1);
            tail += term;
            outside++;
        }
        return outside;
    }
}
