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
import java.util.concurrent.atomic.AtomicInteger;
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
    private final Neighbours neighbours;
    private final Blocks blocks;
    private final WorkerCounters counters;
    private final WorkerPort.SurvivorHandler judge = this::judge;
    private final MemorySegment sample;
    private final Packet packet = new Packet();
    private final Outcome outcome = new Outcome();
    // Owned by the worker thread.
    private @Nullable CountDownLatch done;
    private boolean replaces;
    private AtomicInteger waiting = new AtomicInteger();

    Adoption(WorkerParts parts, Arena arena) {
        seat = parts.seat;
        clock = parts.clock;
        simulator = parts.simulator;
        tables = parts.tables;
        flows = parts.flows;
        connections = parts.connections;
        macs = parts.macs;
        neighbours = parts.neighbours;
        blocks = parts.blocks;
        counters = parts.counters;
        sample = arena.allocate(SampleWriter.MAX_LENGTH, Long.BYTES);
    }

    /**
     * Begins a round.
     *
     * @param unjudged counts the flows that wait for something
     * @param over counted down when all of this worker's share were looked at
     */
    void begin(boolean replaceOthers, AtomicInteger unjudged, CountDownLatch over) {
        replaces = replaceOthers;
        waiting = unjudged;
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
        boolean simulated = simulate(key, mask, now);
        if (simulated && outcome.kind() == Outcome.Kind.PARK) {
            waits(now);
            return;
        }
        boolean holds = simulated && isFlow() && outcome.actions.equals(actions) && mask.covers(outcome.mask);
        if (!holds && !replaces) {
            return;
        }
        // First what it teaches: news remove the flows that rest on its absence.
        boolean recorded = simulated && isFlow() && applyEffects(now);
        if (holds && recorded) {
            counters.count(
                    flows.adopt(survivor, outcome, connections.party(outcome, now), now)
                            ? WorkerCounter.ADOPTED
                            : WorkerCounter.OUTDATED);
            return;
        }
        if (recorded) {
            // In place when the mask is the same; else the new one is there before the old one goes.
            flows.install(packet.key, outcome, connections.party(outcome, now), now);
        }
        seat.discard(survivor);
        counters.count(WorkerCounter.OUTDATED);
    }

    /** Something is not known yet: it is asked for, and the flow judged again later. */
    private void waits(long now) {
        waiting.incrementAndGet();
        if (outcome.isParkedOnPool()) {
            blocks.want(outcome.wantedPool(), false, now);
        } else {
            neighbours.miss(
                    outcome.parkedRouter(), outcome.parkedPort(), outcome.parkedHigh(), outcome.parkedLow(), now);
        }
    }

    private boolean isFlow() {
        return outcome.cacheable() && (outcome.kind() == Outcome.Kind.FORWARD || outcome.kind() == Outcome.Kind.DROP);
    }

    /** Whether there is an outcome. */
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
        return true;
    }

    /** What the packets of the flow taught the agent before. False when its connection cannot be recorded. */
    private boolean applyEffects(long now) {
        for (int i = 0; i < outcome.learnedMacCount(); i++) {
            macs.heard(
                    outcome.learnedMacBridge(i),
                    outcome.learnedMacVlan(i),
                    outcome.learnedMac(i),
                    outcome.learnedMacPort(i),
                    now);
        }
        return !outcome.hasConnection() || Connections.isRecorded(connections.began(outcome, now));
    }
}
