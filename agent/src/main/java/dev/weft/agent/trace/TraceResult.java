package dev.weft.agent.trace;

import dev.weft.base.WeftException;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Verdict;
import dev.weft.sim.flow.FlowText;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.trace.Explanation;
import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What would become of a frame, without anything having become of it.
 *
 * @param packet the frame in the words of {@link PacketExpression}
 * @param verdict in words: {@code forward}, {@code drop: no-route}, {@code park: asks for 10.0.2.9}, {@code answered}
 * @param steps each device, decision and rewrite, in order
 * @param actions what the datapath would do
 * @param mask the key's bits that decided it
 * @param cacheable whether it would become a flow
 * @param answers frames that devices would send of their own accord, by the port they leave, and what the packet goes on
 *     as, by the port that comes in by
 */
public record TraceResult(
        String packet,
        String verdict,
        List<Explanation.Step> steps,
        String actions,
        String mask,
        boolean cacheable,
        List<String> answers) {

    /** A packet that goes on as another, which goes on as another: nothing sane is longer. */
    private static final int MAX_LEVELS = 4;

    /** Simulates with an explanation; whatever the simulator explained to before is no longer explained to. */
    public static TraceResult of(Simulator simulator, int port, byte[] frame, long nowNanos, Outcome outcome) {
        var packet = new Packet();
        packet.wrap(MemorySegment.ofArray(frame), 0, frame.length);
        int code = PacketParser.parse(packet);
        if (code != Malformed.OK) {
            throw new WeftException("the packet is malformed: "
                    + Malformed.of(code).label() + " (expected one that" + " a VM's stack would send)");
        }
        packet.key.setIngress(Math.max(0, simulator.tables().localPort(port)), 0);
        var explanation = new Explanation();
        simulator.setExplanation(explanation);
        try {
            simulator.simulate(packet, port, nowNanos, outcome);
            Verdict verdict = outcome.toVerdict();
            follow(simulator, verdict, port, nowNanos, explanation, 1);
            return of(simulator, packet, frame, outcome, verdict, explanation);
        } finally {
            simulator.setExplanation(null);
        }
    }

    /** What the packet goes on as is explained like the packet. */
    private static void follow(
            Simulator simulator, Verdict verdict, int cause, long nowNanos, Explanation explanation, int level) {
        for (Verdict.Emitted emitted : verdict.emits()) {
            if (emitted.enters() && level < MAX_LEVELS) {
                explanation.add(0, "packet", PacketExpression.summary(emitted.frame()), "goes on instead");
                var packet = new Packet();
                packet.wrap(MemorySegment.ofArray(emitted.frame()), 0, emitted.frame().length);
                PacketParser.parse(packet);
                var outcome = new Outcome();
                simulator.simulateEntering(packet, emitted.port(), cause, nowNanos, outcome);
                Verdict next = outcome.toVerdict();
                explanation.add(0, "verdict", words(next), outcome.actions.toString());
                follow(simulator, next, cause, nowNanos, explanation, level + 1);
            }
        }
    }

    private static TraceResult of(
            Simulator simulator,
            Packet packet,
            byte[] frame,
            Outcome outcome,
            Verdict verdict,
            Explanation explanation) {
        return new TraceResult(
                PacketExpression.print(frame),
                words(verdict),
                explanation.steps(),
                outcome.actions.toString(),
                FlowText.of(packet.key, outcome.mask),
                outcome.cacheable(),
                verdict.emits().stream()
                        .map(emitted -> simulator.network().portName(emitted.port()) + ": "
                                + PacketExpression.summary(emitted.frame()))
                        .toList());
    }

    private static String words(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Forward _ -> "forward";
            case Verdict.Drop drop -> "drop: " + drop.reason().label();
            case Verdict.Park park -> "park: asks for " + park.neighbour();
            case Verdict.Delay delay -> "park: service " + delay.service() + " is delayed";
            case Verdict.Consumed consumed ->
                consumed.emits().stream().anyMatch(Verdict.Emitted::enters)
                        ? "goes on as another packet"
                        : consumed.emits().stream().anyMatch(Verdict.Emitted::guarded)
                                ? "judged by a guard"
                                : "answered";
        };
    }

    /** For JSON, in this order. */
    public Map<String, Object> toMap() {
        var map = new LinkedHashMap<String, Object>();
        map.put("packet", packet);
        map.put("verdict", verdict);
        map.put("steps", steps.stream().map(TraceResult::step).toList());
        map.put("actions", actions);
        map.put("mask", mask);
        map.put("cacheable", cacheable);
        map.put("answers", answers);
        return map;
    }

    private static Map<String, Object> step(Explanation.Step step) {
        var map = new LinkedHashMap<String, Object>();
        map.put("depth", (long) step.depth());
        map.put("kind", step.deviceKind());
        map.put("name", step.deviceName());
        map.put("text", step.text());
        return map;
    }

    /** The whole answer for people. */
    public static String text(Map<String, Object> answer) {
        var explanation = new Explanation();
        for (Object step : (List<?>) answer.getOrDefault("steps", List.of())) {
            var fields = (Map<?, ?>) step;
            explanation.add(
                    ((Long) fields.get("depth")).intValue(),
                    (String) fields.get("kind"),
                    (String) fields.get("name"),
                    (String) fields.get("text"));
        }
        var text = new StringBuilder();
        text.append(answer.get("packet"))
                .append("\n\n")
                .append(explanation.toText())
                .append('\n');
        text.append("verdict  ").append(answer.get("verdict")).append('\n');
        text.append("actions  ").append(answer.get("actions")).append('\n');
        text.append("mask     ").append(answer.get("mask")).append('\n');
        text.append("flow     ")
                .append(Boolean.TRUE.equals(answer.get("cacheable")) ? "yes" : "no")
                .append('\n');
        for (Object sent : (List<?>) answer.getOrDefault("answers", List.of())) {
            text.append("sends    ").append(sent).append('\n');
        }
        return text.toString();
    }
}
