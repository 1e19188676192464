package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.NanoClock;
import dev.weft.datapath.WorkerPort;
import dev.weft.sim.Simulator;
import dev.weft.sim.Tables;
import dev.weft.sim.guard.SalGuard;
import dev.weft.state.ConnectionTable;
import dev.weft.state.PortBlocks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;

/** Everything one worker owns, put together once. Not thread safe: touched only by its worker thread. */
final class WorkerParts {
    /** How often idle flows and connections are looked for. */
    static final long SWEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private static final int BURST_SECONDS = 1;
    private static final long PARKING_NANOS = NeighbourBroker.GIVE_UP_NANOS + NeighbourBroker.RETRY_NANOS / 2;

    /** A client of many short connections sends thousands of control packets a second. */
    private static final int CONTROLS_PER_REPLY = 10;

    /** As Serval has it. */
    private static final int DELAYED_SERVICES = 1024;

    private static final int WAITING_RULE_LOGS = 2048;

    final int index;
    final int workers;
    final WorkerPort seat;
    final NanoClock clock;
    final WorkerCounters counters = new WorkerCounters();
    final Tables tables;
    final Simulator simulator;
    final Flows flows;
    final StateChannel channel;
    final Learnings learnings;
    final Siblings siblings;
    final Connections connections;
    final FlowsAhead ahead;
    final Redecision redecision;
    final Stickiness stickiness;
    final Blocks blocks;
    final Neighbours neighbours;
    final Macs macs;
    final ParkingLot lot;
    final DelayedServices delayed;
    final RuleLog ruleLog;
    final PortBudget errors;
    final PortBudget replies;
    final PortBudget controls;
    final SalGuards salGuards;
    final MemorySegment translated;

    /** @param backchannels of all workers, by index */
    WorkerParts(WorkerSetup setup, Backchannel[] backchannels, Neighbours.Asker asker, Arena arena) {
        WorkerSetup.Limits limits = setup.limits();
        index = setup.index();
        workers = setup.workers();
        seat = setup.seat();
        clock = setup.clock();
        learnings = setup.learnings();
        tables = new Tables(
                new ConnectionTable(limits.connections(), setup.lifetimes(), setup.epoch(), setup.seed()),
                new PortBlocks(setup.index(), setup.workers()),
                limits.tables(),
                setup.seed());
        simulator = new Simulator(tables, setup.tunnelMtu());
        flows = new Flows(seat, limits.flows(), limits.flowIdleNanos(), SWEEP_NANOS, clock.nanoTime(), counters);
        channel = new StateChannel(seat, setup.underlay(), arena, counters);
        siblings = new Siblings(index, backchannels, counters);
        connections = new Connections(tables.connections(), flows, channel, siblings, setup.journal());
        ahead = new FlowsAhead(simulator, flows, connections, siblings, arena);
        redecision = new Redecision(tables, simulator, connections, arena);
        stickiness = new Stickiness(tables, siblings, clock);
        blocks = new Blocks(tables.blocks(), setup.learnings(), index);
        macs = new Macs(tables, flows, siblings, channel, setup.learnings(), limits.macsPerPort());
        neighbours = new Neighbours(
                tables,
                flows,
                new NeighbourBroker(limits.neighbours()),
                channel,
                siblings,
                macs,
                setup.learnings(),
                asker);
        lot = new ParkingLot(limits.parked(), limits.parkedPerPort(), PARKING_NANOS, arena);
        delayed = new DelayedServices(tables.services(), DELAYED_SERVICES, setup.learnings());
        ruleLog = new RuleLog(WAITING_RULE_LOGS, limits.ruleLogs(), counters);
        translated = arena.allocate(ParkingLot.MAX_FRAME_BYTES, 64);
        errors = new PortBudget(limits.errorsPerSecond(), BURST_SECONDS * limits.errorsPerSecond());
        replies = new PortBudget(limits.repliesPerSecond(), BURST_SECONDS * limits.repliesPerSecond());
        int controlsPerSecond = CONTROLS_PER_REPLY * limits.repliesPerSecond();
        controls = new PortBudget(controlsPerSecond, BURST_SECONDS * controlsPerSecond);
        salGuards = new SalGuards(new SalGuard(setup.seed()), seat, tables, simulator, channel, siblings, counters);
    }

    /** What the structures count themselves, for whoever asks. */
    @HotPath
    void showCounts() {
        ConnectionTable connectionTable = tables.connections();
        counters.set(WorkerCounter.CONNECTIONS, connectionTable.size());
        counters.set(WorkerCounter.CONNECTIONS_EVICTED, connectionTable.evicted());
        counters.set(WorkerCounter.CONNECTIONS_REFUSED, connectionTable.refused());
        counters.set(WorkerCounter.MACS_OVER_LIMIT, macs.overLimit());
        counters.set(WorkerCounter.MACS_DAMPED, macs.damped());
        counters.set(
                WorkerCounter.TABLES_FULL,
                tables.refused() + tables.stickyClients().refused());
        counters.set(WorkerCounter.STICKY_CLIENTS, tables.stickyClients().size());
        counters.set(WorkerCounter.SAL_FLOWS, salGuards.flows());
        counters.set(WorkerCounter.SAL_FLOWS_EVICTED, salGuards.evicted());
        counters.set(WorkerCounter.NEIGHBOURS_REFUSED, neighbours.refused());
        counters.set(WorkerDrop.PARKING_DISPLACED, lot.displaced());
    }
}
