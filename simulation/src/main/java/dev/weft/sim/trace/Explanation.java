package dev.weft.sim.trace;

import java.util.ArrayList;
import java.util.List;

/**
 * What a simulation did, in order: each device entered, each decision and rewrite there. Written by the simulator, read
 * when it is done. Not thread safe.
 */
public final class Explanation {
    /** More steps than any sound simulation takes; what comes after is only counted. */
    public static final int MAX_STEPS = 10_000;

    private final List<Step> steps = new ArrayList<>();
    private int leftOut;

    /**
     * One thing that was done.
     *
     * @param depth how many devices deep: 0 at the ingress
     * @param deviceKind {@code port}, {@code bridge}, {@code router} ...
     * @param deviceName as the topology has it
     * @param text one line
     */
    public record Step(int depth, String deviceKind, String deviceName, String text) {}

    public void add(int depth, String deviceKind, String deviceName, String text) {
        if (steps.size() == MAX_STEPS) {
            leftOut++;
            return;
        }
        steps.add(new Step(depth, deviceKind, deviceName, text));
    }

    public void clear() {
        steps.clear();
        leftOut = 0;
    }

    public List<Step> steps() {
        return List.copyOf(steps);
    }

    /** A heading per visit of a device, its steps below it, two spaces in per depth. */
    public String toText() {
        var text = new StringBuilder();
        Step before = null;
        for (var step : steps) {
            String indent = "  ".repeat(step.depth());
            boolean sameVisit = before != null
                    && before.depth() == step.depth()
                    && before.deviceKind().equals(step.deviceKind())
                    && before.deviceName().equals(step.deviceName());
            if (!sameVisit) {
                text.append(indent)
                        .append(step.deviceKind())
                        .append(' ')
                        .append(step.deviceName())
                        .append('\n');
            }
            text.append(indent).append("  ").append(step.text()).append('\n');
            before = step;
        }
        if (leftOut > 0) {
            text.append("... and ").append(leftOut).append(" more steps\n");
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return toText();
    }
}
