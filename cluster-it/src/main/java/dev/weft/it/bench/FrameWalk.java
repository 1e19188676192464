package dev.weft.it.bench;

import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.trace.PacketExpression;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Distinct frames in slots of equal size, simulated in turn, each far from the one before. One thread. */
final class FrameWalk {
    static final int FRAMES = 1 << 14;

    private static final int SLOT = 64;
    /** Odd, so that a walk by it meets every frame once before any again. */
    private static final int STRIDE = 6_151;

    private static final long NOW = 1;

    private final Simulator simulator;
    private final Packet packet = new Packet();
    private final Outcome out = new Outcome();
    private final MemorySegment frames = Arena.ofAuto().allocate((long) FRAMES * SLOT, 64);
    private final int[] lengths = new int[FRAMES];
    private final int[] ingress = new int[FRAMES];
    private int filled;
    private int at;

    FrameWalk(Simulator simulator) {
        this.simulator = simulator;
    }

    void add(String expression, int ingressPort) {
        byte[] frame = PacketExpression.parse(expression);
        if (frame.length > SLOT) {
            throw new IllegalStateException("frame of " + frame.length + " octets (expected at most " + SLOT + ")");
        }
        MemorySegment.copy(frame, 0, frames, ValueLayout.JAVA_BYTE, (long) filled * SLOT, frame.length);
        lengths[filled] = frame.length;
        ingress[filled++] = ingressPort;
    }

    /** From parser to outcome. The sum of what is not forwarded keeps the compiler from leaving it out. */
    int run(int count) {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            at = at + STRIDE & FRAMES - 1;
            packet.wrap(frames, (long) at * SLOT, lengths[at]);
            packet.key.setIngress(ingress[at] + 1, 0);
            sum += PacketParser.parse(packet);
            simulator.simulate(packet, ingress[at], NOW, out);
            sum += out.kind() == Outcome.Kind.FORWARD && out.cacheable() ? 0 : 1;
        }
        return sum;
    }

    /** What is measured must be forwarding. */
    void verify() {
        if (filled != FRAMES) {
            throw new IllegalStateException(filled + " frames (expected " + FRAMES + ")");
        }
        int others = run(FRAMES);
        if (others != 0) {
            throw new IllegalStateException(others + " of " + FRAMES + " frames are not forwarded (expected 0)");
        }
    }
}
