package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.NanoClock;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.flow.FlowMask;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.sim.packet.SampleWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Takes over the flows that an earlier agent left in the datapath, some at each turn, so that new flows are served
 * meanwhile. Each is judged by simulating a packet of its key: a flow that does what this simulation says, on a mask that
 * is no wider than what proves it, is ours as it is, with the tags of that run; one that does something else is replaced.
 * Not thread safe: touched only by its worker thread.
 *
 * <p>It takes two rounds. In the first one nothing is replaced: flows of the VM behind a stateful port bring the records
 * of their connections back, on which flows in the other direction rest, perhaps those of another worker.
 */
@HotPath
final class Adoption {
    private static final int AT_ONCE = 32;

    // Immutable after construction.
    private final WorkerPort seat;
    private final NanoClock clock;
    private final Simulator simulator;
    private final Tables tables;
    private final Flows flows;
    private final Connections connections;
    private final Macs macs;
    private final WorkerCounters counters;
    private final WorkerPort.SurvivorHandler judge = this::judge;
    private final MemorySegment sample;
    private final Packet packet = new Packet();
    private final Outcome outcome = new Outcome();
    // Owned by the worker thread.
    private @Nullable CountDownLatch done;
    private boolean replaces;

    Adoption(WorkerParts parts, Arena arena) {
        seat = parts.seat;
        clock = parts.clock;
        simulator = parts.simulator;
        tables = parts.tables;
        flows = parts.flows;
        connections = parts.connections;
        macs = parts.macs;
        counters = parts.counters;
        sample = arena.allocate(SampleWriter.MAX_LENGTH, Long.BYTES);
    }

    /**
     * Begins a round.
     *
     * @param over counted down when all of this worker's share were judged
     */
    void begin(boolean replaceOthers, CountDownLatch over) {
        replaces = replaceOthers;
        done = over;
    }

    /** A part of the round. Returns how many flows were judged. */
    int work() {
        CountDownLatch latch = done;
        if (latch == null) {
            return 0;
        }
        int judged = seat.readSurvivors(judge, AT_ONCE);
        if (judged < AT_ONCE) {
            done = null;
            latch.countDown();
        }
        return judged;
    }

    private void judge(long survivor, FlowKey key, FlowMask mask, ActionList actions, long lastUsedNanos) {
        long now = clock.nanoTime();
        if (!simulate(key, mask, now)) {
            if (replaces) {
                outdated(survivor);
            }
            return;
        }
        if (outcome.actions.equals(actions) && mask.covers(outcome.mask)) {
            applyEffects(now); // Before: what is news removes the flows that rest on its absence.
            if (flows.adopt(survivor, outcome, now)) {
                counters.count(WorkerCounter.ADOPTED);
            }
        } else if (replaces) {
            applyEffects(now);
            // In place when the mask is the same; else the new one is there before the old one goes.
            flows.install(packet.key, outcome, now);
            outdated(survivor);
        }
    }

    /** Whether there is an outcome that may be a flow. */
    private boolean simulate(FlowKey key, FlowMask mask, long now) {
        packet.wrap(sample, 0, SampleWriter.write(key, mask, sample, 0));
        if (PacketParser.parse(packet) != Malformed.OK) {
            return false;
        }
        packet.key.setIngress(key.inPort(), key.tunnelKey());
        if (!packet.key.matches(key, mask)) {
            return false;
        }
        if (key.inPort() == FlowKey.TUNNEL_PORT) {
            int bridge = tables.bridgeOfFloodKey(key.tunnelKey());
            if (bridge == Tables.NONE) {
                return false;
            }
            simulator.simulateFlood(packet, bridge, tables.vlanOfFloodKey(key.tunnelKey()), now, outcome);
        } else {
            int port = tables.portOfDatapathPort(key.inPort());
            if (port == Tables.NONE) {
                return false;
            }
            simulator.simulate(packet, port, now, outcome);
        }
        return outcome.cacheable() && (outcome.kind() == Outcome.Kind.FORWARD || outcome.kind() == Outcome.Kind.DROP);
    }

    /** What the packets of the flow taught the agent before. */
    private void applyEffects(long now) {
        for (int i = 0; i < outcome.learnedMacCount(); i++) {
            macs.heard(
                    outcome.learnedMacBridge(i),
                    outcome.learnedMacVlan(i),
                    outcome.learnedMac(i),
                    outcome.learnedMacPort(i),
                    now);
        }
        if (outcome.hasConnection()) {
            connections.began(outcome, now);
        }
    }

    private void outdated(long survivor) {
        seat.discard(survivor);
        counters.count(WorkerCounter.OUTDATED);
    }
}
