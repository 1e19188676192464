package dev.weft.it.bench;

import java.util.Arrays;

/** Small statistics over the rounds of a benchmark, and figures as text. */
public final class Figures {
    private Figures() {}

    public static double median(double... values) {
        double[] sorted = sorted(values);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public static double best(double... values) {
        return sorted(values)[0];
    }

    /** @param share 0..1; nearest rank */
    public static double percentile(double share, double... values) {
        double[] sorted = sorted(values);
        int rank = (int) Math.ceil(share * sorted.length);
        return sorted[Math.clamp(rank - 1, 0, sorted.length - 1)];
    }

    private static double[] sorted(double... values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("no values (expected at least one round)");
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted;
    }

    /** At most four significant digits, no exponent: {@code 1234}, {@code 12.3}, {@code 0.012}. */
    static String text(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return Long.toString((long) value);
        }
        int decimals = Math.clamp(3 - (int) Math.floor(Math.log10(Math.abs(value))), 0, 6);
        return ("%." + decimals + "f").formatted(value);
    }
}
