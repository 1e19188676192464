package dev.weft.it.bench.datapath;

import java.util.ArrayList;
import java.util.List;

/**
 * A search for the highest rate that is delivered: a step up after a round without loss, a smaller one down after one
 * with.
 *
 * @param best per second; 0 when no round was without loss
 * @param delivered per second, in the rounds with loss: what was left at too high a rate
 * @param leastNanos CPU time of the worker per delivered packet, in the best round
 */
record RateSearch(double best, List<Double> delivered, double leastNanos) {
    /** The name of an agent's packet thread. */
    static final String WORKER = "worker-0";

    /** At the first rate, for the compiler. */
    private static final int WARM_UP_ROUNDS = 1;

    private static final double STEP_UP = 1.15;
    private static final double STEP_DOWN = 0.8;

    /** One round at a rate. */
    @FunctionalInterface
    interface Attempt {
        PacketCost.Run run(Generator.Pace pace);
    }

    /**
     * @param lossAllowed share of a round's packets that may be lost for it to count as delivered
     * @param between runs before each round
     */
    static RateSearch run(double first, double lossAllowed, int rounds, Attempt attempt, Runnable between) {
        double rate = first;
        double best = 0;
        double leastNanos = Double.MAX_VALUE;
        var delivered = new ArrayList<Double>();
        for (int i = -WARM_UP_ROUNDS; i < rounds; i++) {
            between.run();
            long before = CpuTime.threadNanos(WORKER);
            PacketCost.Run run = attempt.run(new Generator.Pace((long) rate, true));
            leastNanos = Math.min(leastNanos, (double) (CpuTime.threadNanos(WORKER) - before) / run.delivered());
            double perSecond = run.delivered() / (run.wallNanos() / 1e9);
            if (i < 0) {
                continue;
            }
            if (run.delivered() >= run.sent() * (1 - lossAllowed)) {
                best = Math.max(best, perSecond);
                rate *= STEP_UP;
            } else {
                delivered.add(perSecond);
                rate *= STEP_DOWN;
            }
        }
        return new RateSearch(best, delivered, leastNanos);
    }

    /** The most that a round with loss delivered. */
    double mostWithLoss() {
        return delivered.stream().mapToDouble(Double::doubleValue).max().orElse(0);
    }
}
