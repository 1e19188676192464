package dev.weft.it.bench;

import java.util.List;

/** One set of rows that are measured together. */
public interface Benchmark {
    /** What {@code weft bench} calls it. */
    String name();

    /** One sentence for the list. */
    String about();

    /**
     * Measures. A row that cannot run here is {@link Row#couldNotRun}, not an exception.
     *
     * @param effort how long to go on: full, or one iteration to prove that it still works
     * @param progress one line per step, for a person
     */
    List<Row> run(Effort effort, Progress progress);

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
