package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.NanoClock;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.DropReason;
import dev.weft.sim.Outcome;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.flow.ActionList;
import dev.weft.sim.flow.FlowHome;
import dev.weft.sim.flow.FlowKey;
import dev.weft.sim.packet.Malformed;
import dev.weft.sim.packet.Packet;
import dev.weft.sim.packet.PacketParser;
import dev.weft.state.ConnectionTable;
import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;

/**
 * What happens to one packet: read, simulate, tell whoever must know, install, execute. Packets that the virtual network
 * makes itself go the same way, a level deeper. Not thread safe: touched only by its worker thread.
 */
@HotPath
final class PacketPath {
    /** The ingress of packets that the virtual network made: no datapath port. */
    static final int EMITTED = -1;

    /** As {@link #EMITTED}, of packets that come in by a port again: it is in the place of the tunnel key. */
    private static final int ENTERED = -2;

    /** An answer to an answer to a packet: nothing sane goes deeper. */
    private static final int LEVELS = 4;

    /** Questions for neighbours have levels of their own: they are asked in the midst of a packet. */
    private static final int QUESTION = LEVELS;

    private static final int ALL_LEVELS = LEVELS + 2;

    // Immutable after construction.
    private final WorkerPort seat;
    private final NanoClock clock;
    private final Simulator simulator;
    private final Tables tables;
    private final Flows flows;
    private final Connections connections;
    private final FlowsAhead ahead;
    private final Siblings siblings;
    private final Blocks blocks;
    private final Neighbours neighbours;
    private final Macs macs;
    private final ParkingLot lot;
    private final DelayedServices delayed;
    private final RuleLog ruleLog;
    private final PortBudget errors;
    private final PortBudget replies;
    private final PortBudget controls;
    private final SalGuards salGuards;
    private final Learnings learnings;
    private final WorkerCounters counters;
    private final ParkingLot.FrameConsumer resumed = this::onResumed;
    private final Neighbours.Ready ready = this::onReady;
    private final DelayedServices.Ready resolved = this::onReady;
    private final LongConsumer poolReady = this::onPoolReady;
    private final MemorySegment translated; // room for a frame whose quoted packet is another
    // Owned by the worker thread; by level.
    private final Packet[] packets = new Packet[ALL_LEVELS];
    private final Outcome[] outcomes = new Outcome[ALL_LEVELS];
    private final Outcome question = new Outcome();
    private boolean asking;
    private boolean isHandedOver;

    PacketPath(WorkerParts parts) {
        seat = parts.seat;
        clock = parts.clock;
        simulator = parts.simulator;
        tables = parts.tables;
        flows = parts.flows;
        connections = parts.connections;
        ahead = parts.ahead;
        siblings = parts.siblings;
        blocks = parts.blocks;
        translated = parts.translated;
        neighbours = parts.neighbours;
        macs = parts.macs;
        lot = parts.lot;
        delayed = parts.delayed;
        ruleLog = parts.ruleLog;
        errors = parts.errors;
        replies = parts.replies;
        controls = parts.controls;
        salGuards = parts.salGuards;
        learnings = parts.learnings;
        counters = parts.counters;
        for (int level = 0; level < ALL_LEVELS; level++) {
            packets[level] = new Packet();
            outcomes[level] = new Outcome();
        }
    }

    /** @param reason one of {@link WorkerPort.UpcallHandler}'s */
    void upcall(MemorySegment segment, long offset, int length, int inPort, int tunnelKey, int reason) {
        simulate(segment, offset, length, inPort, tunnelKey, reason, false);
        resumeReady();
    }

    /** Runs the packets again whose missing neighbour became known, or known to be silent, and whose service has rules. */
    void resumeReady() {
        neighbours.drainReady(ready);
        delayed.drainReady(resolved);
        blocks.drainReady(poolReady);
    }

    /** Sends the question for a neighbour out of a router's port, and tells the hosts it goes to who asks. */
    void ask(int router, int routerPort, long high, long low, long nowNanos) {
        if (asking) {
            return; // A question that raises a question; the broker repeats it in a second.
        }
        asking = true;
        try {
            simulator.requestNeighbour(routerPort, high, low, question);
            for (int i = 0; i < question.emitCount(); i++) {
                int port = question.emitPort(i);
                if (enter(QUESTION, question, i)) {
                    simulator.simulateEmit(packets[QUESTION], port, nowNanos, outcomes[QUESTION]);
                    tellHosts(outcomes[QUESTION].actions, router, high, low);
                    settle(QUESTION, port, EMITTED, false, false, nowNanos);
                }
            }
        } finally {
            asking = false;
        }
    }

    private void simulate(
            MemorySegment segment, long offset, int length, int inPort, int tunnelKey, int reason, boolean wasParked) {
        long now = clock.nanoTime();
        Packet packet = packets[0];
        packet.wrap(segment, offset, length);
        if (PacketParser.parse(packet) != Malformed.OK) {
            counters.drop(WorkerDrop.MALFORMED);
            return;
        }
        packet.key.setIngress(inPort, tunnelKey);
        seat.completeKey(packet);
        if (inPort == FlowKey.TUNNEL_PORT) {
            simulateFlood(packet, tunnelKey, wasParked, now);
            return;
        }
        int port = tables.portOfDatapathPort(inPort);
        if (port == Tables.NONE) {
            counters.drop(WorkerDrop.UNBOUND_PORT);
            return;
        }
        if (reason == WorkerPort.UpcallHandler.MISS && repeats(packet, inPort)) {
            return;
        }
        counters.count(WorkerCounter.SIMULATIONS);
        if (reason == WorkerPort.UpcallHandler.MTU) {
            simulator.simulateTooLong(packet, port, now, outcomes[0]);
        } else {
            simulator.simulate(packet, port, now, outcomes[0]);
        }
        if (outcomes[0].tracksAtWhole() && !isHandedOver && handOver(packet, inPort)) {
            return;
        }
        // What a flow sent up is about this packet's TTL or length, which no flow can match.
        settle(0, port, inPort, reason == WorkerPort.UpcallHandler.MISS, wasParked, now);
    }

    /** A fragment that a sibling took up, of a connection whose home is here. */
    void handedOver(MemorySegment segment, long offset, int length, int inPort) {
        isHandedOver = true;
        try {
            simulate(segment, offset, length, inPort, 0, WorkerPort.UpcallHandler.MISS, false);
        } finally {
            isHandedOver = false;
        }
        resumeReady();
    }

    /** To the worker that knows the fragment's connection; false when that is this one. */
    private boolean handOver(Packet packet, int inPort) {
        int home = FlowHome.ofWhole(packet.key);
        if (siblings.isHome(home)) {
            return false;
        }
        counters.count(WorkerCounter.HANDED_OVER);
        siblings.handPacket(home, inPort, packet.segment, packet.offset, packet.length);
        return true;
    }

    /** Whether the packet's flow was installed while it was on its way up; then it has been treated. */
    private boolean repeats(Packet packet, int inPort) {
        RecentFlows recent = flows.recent();
        int entry = recent.find(packet.key);
        if (entry < 0) {
            return false;
        }
        counters.count(WorkerCounter.REPEATED);
        DropReason why = recent.dropReason(entry);
        if (why == null) {
            seat.execute(packet.segment, packet.offset, packet.length, inPort, recent.actions(entry));
            counters.count(WorkerCounter.FORWARDED);
        } else {
            counters.drop(why);
        }
        return true;
    }

    private void simulateFlood(Packet packet, int floodKey, boolean wasParked, long now) {
        int bridge = tables.bridgeOfFloodKey(floodKey);
        if (bridge == Tables.NONE) {
            counters.drop(WorkerDrop.STALE_FLOOD_KEY);
            return;
        }
        counters.count(WorkerCounter.SIMULATIONS);
        simulator.simulateFlood(packet, bridge, tables.vlanOfFloodKey(floodKey), now, outcomes[0]);
        settle(0, Tables.NONE, FlowKey.TUNNEL_PORT, true, wasParked, now);
    }

    /** Does what the outcome of this level says, in the order that {@link Outcome} asks for. */
    private void settle(int level, int port, int inPort, boolean mayCache, boolean wasParked, long now) {
        Packet packet = packets[level];
        Outcome outcome = outcomes[level];
        boolean macsAreNews = applyEffects(level, port, now);
        int recorded = outcome.hasConnection() ? connections.began(outcome, now) : ConnectionTable.KNOWN;
        if (!Connections.isRecorded(recorded)) {
            counters.drop(WorkerDrop.NOT_RECORDED);
            return;
        }
        if (outcome.ruleCount() > 0 && outcome.kind() != Outcome.Kind.PARK) {
            ruleLog.note(outcome, packet.key, port, simulator.network(), now);
        }
        boolean cache = mayCache && outcome.cacheable();
        switch (outcome.kind()) {
            case FORWARD -> {
                if (cache) {
                    flows.install(packet.key, outcome, connections.party(outcome, now), now);
                }
                if (mayCache) {
                    boolean begins = recorded == ConnectionTable.ADDED || Connections.opens(outcome);
                    ahead.install(packet, port, outcome, begins, now);
                }
                if (macsAreNews) {
                    tellHostsOfMacs(outcome);
                }
                if (outcome.wantedPool() != 0) {
                    blocks.want(outcome.wantedPool(), true, now);
                }
                execute(packet, inPort == ENTERED ? EMITTED : inPort, outcome);
                counters.count(WorkerCounter.FORWARDED);
            }
            case DROP -> {
                if (cache) {
                    flows.install(packet.key, outcome, connections.party(outcome, now), now);
                }
                DropReason why = outcome.dropReason();
                if (why != null) {
                    counters.drop(why);
                }
            }
            case PARK -> park(packet, outcome, port, inPort, wasParked, now);
            case CONSUMED -> counters.count(WorkerCounter.CONSUMED);
        }
        emit(level, port, now);
    }

    private void execute(Packet packet, int inPort, Outcome outcome) {
        if (!outcome.rewritesQuote()) {
            seat.execute(packet.segment, packet.offset, packet.length, inPort, outcome.actions);
            return;
        }
        if (packet.length > translated.byteSize()) {
            counters.drop(WorkerDrop.QUOTE_TOO_LONG);
            return;
        }
        MemorySegment.copy(packet.segment, packet.offset, translated, 0, packet.length);
        outcome.translateQuote(packet, translated, 0);
        seat.execute(translated, 0, packet.length, inPort, outcome.actions);
    }

    /** Whether a MAC was learned that this host did not know there. */
    private boolean applyEffects(int level, int port, long now) {
        Outcome outcome = outcomes[level];
        boolean macsAreNews = false;
        for (int i = 0; i < outcome.learnedMacCount(); i++) {
            macsAreNews |= macs.heard(
                    outcome.learnedMacBridge(i),
                    outcome.learnedMacVlan(i),
                    outcome.learnedMac(i),
                    outcome.learnedMacPort(i),
                    now);
        }
        for (int i = 0; i < outcome.learnedNeighbourCount(); i++) {
            neighbours.heard(
                    outcome.learnedNeighbourRouter(i),
                    outcome.learnedNeighbourPort(i),
                    outcome.learnedNeighbourHigh(i),
                    outcome.learnedNeighbourLow(i),
                    outcome.learnedNeighbourMac(i),
                    port,
                    now);
        }
        tables.services().applied(outcome, packets[level].length, now);
        if (outcome.instanceBits() != 0 && port >= 0) {
            hear(outcome, port, now);
        }
        if (outcome.isSaidToGuard()) {
            salGuards.said(port, packets[level], now);
        }
        if (outcome.answeredSlot() != ConnectionTable.NONE) {
            connections.answered(outcome.answeredSlot(), outcome.answeredTcpFlags());
        }
        return macsAreNews;
    }

    private void hear(Outcome outcome, int port, long now) {
        if (!replies.take(port, now)) {
            counters.drop(WorkerDrop.EMIT_BUDGET);
            return;
        }
        learnings.instanceHeard(
                port,
                outcome.instanceGoes(),
                outcome.instanceBits(),
                outcome.instanceAddress(),
                outcome.instanceWord(0),
                outcome.instanceWord(1),
                outcome.instanceWord(2),
                outcome.instanceWord(3));
    }

    private void park(Packet packet, Outcome outcome, int port, int inPort, boolean wasParked, long now) {
        int router = outcome.parkedRouter();
        long high = outcome.parkedHigh();
        long low = outcome.parkedLow();
        boolean kept = wasParked
                ? lot.parkAgain(router, high, low)
                : lot.park(
                                packet.segment,
                                packet.offset,
                                packet.length,
                                port,
                                inPort,
                                packet.key.tunnelKey(),
                                router,
                                high,
                                low,
                                now)
                        == ParkingLot.PARKED;
        if (!kept) {
            counters.drop(WorkerDrop.PARKING_REFUSED);
            return;
        }
        counters.count(WorkerCounter.PARKED);
        if (outcome.isParkedOnService()) {
            delayed.waits(outcome, now);
        } else if (outcome.isParkedOnPool()) {
            blocks.want(outcome.wantedPool(), false, now);
        } else {
            neighbours.miss(router, outcome.parkedPort(), high, low, now);
        }
    }

    private void emit(int level, int cause, long now) {
        Outcome outcome = outcomes[level];
        for (int i = 0; i < outcome.emitCount(); i++) {
            if (outcome.emitIsGuarded(i)) {
                toGuard(outcome, i, cause, now);
                continue;
            }
            if (level + 1 == LEVELS || level + 1 == ALL_LEVELS) {
                counters.drop(WorkerDrop.EMIT_DEPTH);
                return;
            }
            if (outcome.emitEnters(i)) {
                enterAgain(level + 1, outcome, i, now);
                continue;
            }
            PortBudget budget = outcome.kind() == Outcome.Kind.DROP ? errors : replies;
            if (cause >= 0 && !budget.take(cause, now)) {
                counters.drop(WorkerDrop.EMIT_BUDGET);
                return;
            }
            if (enter(level + 1, outcome, i)) {
                simulator.simulateEmit(packets[level + 1], outcome.emitPort(i), now, outcomes[level + 1]);
                settle(level + 1, outcome.emitPort(i), EMITTED, false, false, now);
            }
        }
    }

    private void toGuard(Outcome outcome, int index, int cause, long now) {
        if (cause >= 0 && !controls.take(cause, now)) {
            counters.drop(WorkerDrop.EMIT_BUDGET);
            return;
        }
        salGuards.take(
                outcome.emitPort(index),
                outcome.emitBuffer(),
                outcome.emitOffset(index),
                outcome.emitLength(index),
                now);
    }

    /** One for each packet, or a few: no budget of their own. */
    private void enterAgain(int level, Outcome from, int index, long now) {
        if (enter(level, from, index)) {
            int port = from.emitPort(index);
            int cause = from.emitCause(index);
            packets[level].key.setIngress(ENTERED, port);
            simulator.simulateEntering(packets[level], port, cause, now, outcomes[level]);
            settle(level, cause, ENTERED, false, false, now);
        }
    }

    /** Makes an emitted frame the packet of its level. */
    private boolean enter(int level, Outcome from, int index) {
        Packet packet = packets[level];
        packet.wrap(from.emitBuffer(), from.emitOffset(index), from.emitLength(index));
        if (PacketParser.parse(packet) != Malformed.OK) {
            counters.drop(WorkerDrop.INTERNAL_ERROR);
            return false;
        }
        packet.key.setIngress(EMITTED, 0);
        counters.count(WorkerCounter.EMITTED);
        return true;
    }

    private void tellHosts(ActionList actions, int router, long high, long low) {
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            if (ActionList.operation(actions.word(i)) == ActionList.TUNNEL) {
                neighbours.askHost(actions.word(i + 1), actions.word(i + 2), router, high, low);
            }
        }
    }

    private void tellHostsOfMacs(Outcome outcome) {
        ActionList actions = outcome.actions;
        for (int i = 0; i < actions.length(); i += ActionList.size(actions.word(i))) {
            if (ActionList.operation(actions.word(i)) == ActionList.TUNNEL) {
                for (int j = 0; j < outcome.learnedMacCount(); j++) {
                    macs.tellHost(
                            actions.word(i + 1),
                            actions.word(i + 2),
                            outcome.learnedMacBridge(j),
                            outcome.learnedMacVlan(j),
                            outcome.learnedMac(j),
                            outcome.learnedMacPort(j));
                }
            }
        }
    }

    private void onPoolReady(long pool) {
        counters.count(WorkerCounter.RESUMED, lot.resume(Outcome.POOL, pool, 0, resumed));
    }

    private void onReady(int router, long high, long low) {
        int count = lot.resume(router, high, low, resumed);
        counters.count(WorkerCounter.RESUMED, count);
    }

    private void onResumed(MemorySegment segment, long offset, int length, int port, int inPort, int tunnelKey) {
        if (inPort != EMITTED && inPort != ENTERED) {
            simulate(segment, offset, length, inPort, tunnelKey, WorkerPort.UpcallHandler.MISS, true);
            return;
        }
        long now = clock.nanoTime();
        Packet packet = packets[0];
        packet.wrap(segment, offset, length);
        if (PacketParser.parse(packet) != Malformed.OK) {
            counters.drop(WorkerDrop.MALFORMED);
            return;
        }
        packet.key.setIngress(inPort, tunnelKey);
        if (inPort == ENTERED) {
            simulator.simulateEntering(packet, tunnelKey, port, now, outcomes[0]);
        } else {
            simulator.simulateEmit(packet, port, now, outcomes[0]);
        }
        settle(0, port, inPort, false, true, now);
    }
}
