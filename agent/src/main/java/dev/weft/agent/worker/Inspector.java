package dev.weft.agent.worker;

import dev.weft.agent.trace.TraceResult;
import dev.weft.base.NanoClock;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;

/** Simulates a frame for a person, with what this worker knows and without any effect. Its worker's thread only. */
final class Inspector {
    private final Simulator simulator;
    private final NanoClock clock;
    private final Outcome outcome = new Outcome();

    Inspector(WorkerParts parts) {
        simulator = parts.simulator;
        clock = parts.clock;
    }

    void inspect(Command.Inspect question) {
        try {
            question.answer()
                    .complete(TraceResult.of(simulator, question.port(), question.frame(), clock.nanoTime(), outcome));
        } catch (RuntimeException broken) {
            question.answer().completeExceptionally(broken);
        }
    }
}
