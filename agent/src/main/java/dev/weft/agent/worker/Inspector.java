package dev.weft.agent.worker;

import dev.weft.agent.trace.TraceResult;
import dev.weft.base.NanoClock;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import java.lang.foreign.MemorySegment;

/** Simulates a frame for a person, with what this worker knows and without any effect. Its worker's thread only. */
final class Inspector {
    private final Simulator simulator;
    private final NanoClock clock;
    private final Siblings siblings;
    private final Outcome outcome = new Outcome();

    Inspector(WorkerParts parts) {
        siblings = parts.siblings;
        simulator = parts.simulator;
        clock = parts.clock;
    }

    void inspect(Command.Inspect question) {
        try {
            var result = TraceResult.of(simulator, question.port(), question.frame(), clock.nanoTime(), outcome);
            if (!outcome.tracksAtWhole() || !handOn(question)) {
                question.answer().complete(result);
            }
        } catch (RuntimeException broken) {
            question.answer().completeExceptionally(broken);
        }
    }

    /** To the worker that would be handed the packet; false when that is this one. */
    private boolean handOn(Command.Inspect question) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(question.frame()), 0, question.frame().length);
        PacketParser.parse(packet);
        int home = FlowHome.ofWhole(packet.key);
        return !siblings.isHome(home) && siblings.tellHome(home, question);
    }
}
