package dev.weft.it.bench;

import java.util.List;
import java.util.Set;

/** One set of rows that are measured together. */
public interface Benchmark {
    /** What {@code weft bench} calls it. */
    String name();

    /** One sentence for the list. */
    String about();

    /** The names of its rows, in order; the calibration row is not one of them. */
    List<String> rows();

    /**
     * Measures. A row that cannot run here is {@link Row#couldNotRun}, not an exception.
     *
     * @param plan what to measure and for how long
     * @param progress one line per step, for a person
     */
    List<Row> run(Plan plan, Progress progress);

    /**
     * What to measure.
     *
     * @param rows names of the rows that are wanted; empty for all. A benchmark that measures its rows together may run
     *     them all and is asked for these.
     * @param pairs how often a subject and its reference are each run, where they are compared in pairs
     */
    record Plan(Effort effort, Set<String> rows, int pairs) {
        /** So many pairs leave 5 of 21 ratios outside the interval of the median at each end. */
        private static final int PAIRS = 21;

        public static final Plan FULL = new Plan(Effort.FULL, Set.of(), PAIRS);
        public static final Plan SMOKE = new Plan(Effort.SMOKE, Set.of(), 1);

        public Plan {
            rows = Set.copyOf(rows);
            if (pairs < 1) {
                throw new IllegalArgumentException(pairs + " pairs (expected 1 or more)");
            }
        }

        public boolean full() {
            return effort == Effort.FULL;
        }

        public boolean wants(String row) {
            return rows.isEmpty() || rows.contains(row);
        }
    }

    /** How long to measure. */
    enum Effort {
        /** Figures that mean something. */
        FULL,
        /** One iteration: that it runs, not what it gives. */
        SMOKE
    }

    /** Where a benchmark says how far it is. */
    @FunctionalInterface
    interface Progress {
        void step(String text);
    }
}
