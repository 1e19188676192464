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
 * @param answers frames that devices would send of their own accord, by the port they leave
 */
public record TraceResult(
        String packet,
        String verdict,
        List<Explanation.Step> steps,
        String actions,
        String mask,
        boolean cacheable,
        List<String> answers) {

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
        } finally {
            simulator.setExplanation(null);
        }
        Verdict verdict = outcome.toVerdict();
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
            case Verdict.Consumed _ -> "answered";
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
