package dev.weft.agent.worker;

import dev.weft.base.HotPath;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.datapath.ProbeFrame;
import dev.weft.datapath.WorkerPort;
import dev.weft.state.Connection;
import dev.weft.state.SalFlow;
import dev.weft.state.SalJournal;
import dev.weft.state.StateMessage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One share of this host's packets: takes what no flow answers, and does what others tell it through its backchannel.
 * {@link #doWork} belongs to one thread; {@link #offer}, {@link #counters}, {@link #changeNumber} and {@link #flows} are
 * for any.
 */
public final class Worker {
    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
    private static final int UPCALLS_AT_ONCE = 64;
    private static final int COMMANDS_AT_ONCE = 256;
    private static final int FRAMES_AT_ONCE = 256;
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    // Immutable after construction.
    private final WorkerPort seat;
    private final NanoClock clock;
    private final Backchannel door;
    private final WorkerCounters counters;
    private final WorkerParts parts;
    private final PacketPath path;
    private final FloodFlows floods;
    private final TableUpdates updates;
    private final Adoption adoption;
    private final RateLimitedLog faults;
    private final WorkerPort.UpcallHandler onUpcall = this::onUpcall; // made once: polling must not allocate
    private final Consumer<Command> onCommand = this::onCommand;
    private final Backchannel.FrameConsumer onFrame = this::onFrame;
    private final ParkingLot.FrameConsumer onParkingEnd = this::onParkingEnd;
    // Owned by the worker thread.
    private long nextTick;
    private long nextSweep;
    // Written by the worker, read by anyone.
    private volatile long changeNumber;
    private volatile int flows;

    /**
     * @param doors of all workers of this host, by index
     * @param arena closed after the worker has stopped
     */
    public Worker(WorkerSetup setup, Backchannel[] doors, Arena arena) {
        seat = setup.seat();
        clock = setup.clock();
        door = doors[setup.index()];
        parts = new WorkerParts(setup, doors, this::ask, arena);
        counters = parts.counters;
        path = new PacketPath(parts);
        floods = new FloodFlows(parts);
        adoption = new Adoption(parts, arena);
        updates = new TableUpdates(parts, floods, new Inspector(parts), adoption);
        faults = new RateLimitedLog(LOG, clock);
        nextTick = clock.nanoTime();
        nextSweep = nextTick + WorkerParts.SWEEP_NANOS;
    }

    /** What rules want noted; one thread may read it. */
    public RuleLog ruleLog() {
        return parts.ruleLog;
    }

    /** Takes in a connection of an earlier run; before the worker's thread starts. */
    public void restore(Connection connection) {
        parts.connections.restore(connection, clock.nanoTime());
    }

    /** What its guards know of Serval flows outlives the agent; before the worker's thread starts. */
    public void keepServal(SalJournal journal) {
        parts.salGuards.keepIn(journal);
    }

    /** Takes in what a guard of an earlier run knew; before the worker's thread starts. */
    public void restoreServal(SalFlow flow) {
        parts.salGuards.restore(flow);
    }

    /** From any thread. False: there is no room, try again later. */
    public boolean offer(Command command) {
        return door.offer(command);
    }

    public WorkerCounters counters() {
        return counters;
    }

    /** The change that the network has to which this worker switched last. */
    public long changeNumber() {
        return changeNumber;
    }

    /** Flows installed, a moment ago. */
    public int flows() {
        return flows;
    }

    /** One turn. Returns how much there was to do. */
    public int doWork() {
        int work = drainDoor();
        work += seat.poll(onUpcall, UPCALLS_AT_ONCE);
        work += adoption.work();
        work += parts.redecision.doWork(clock.nanoTime());
        return work + keepTime();
    }

    /** Turns until it is interrupted; waits when there is nothing to do. */
    public void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                if (doWork() == 0) {
                    seat.await(Math.max(0, nextTick - clock.nanoTime()));
                }
            } catch (RuntimeException | AssertionError | StackOverflowError fault) {
                fault("the worker's turn", fault);
            }
        }
    }

    /** Before a simulation: what siblings and the control side said until now counts for it. */
    @HotPath
    private int drainDoor() {
        if (door.isEmpty()) {
            return 0;
        }
        int work = door.drain(onCommand, COMMANDS_AT_ONCE) + door.drainFrames(onFrame, FRAMES_AT_ONCE);
        floods.install();
        path.resumeReady();
        return work;
    }

    @HotPath
    private int keepTime() {
        long now = clock.nanoTime();
        if (nextTick - now > 0) {
            return 0;
        }
        nextTick = now + TICK_NANOS;
        parts.neighbours.tick(now);
        parts.lot.expire(now, onParkingEnd);
        path.resumeReady();
        if (parts.flows.sweep(now) > 0) {
            // Among them may be the flow of a flood; it must be there before the next flood is.
            floods.refresh();
            floods.install();
        }
        if (nextSweep - now <= 0) {
            nextSweep = now + WorkerParts.SWEEP_NANOS;
            parts.connections.sweep(now);
            parts.macs.sweep(now);
            parts.stickiness.refresh(now);
            parts.showCounts();
        }
        flows = parts.flows.size();
        return 0;
    }

    @HotPath
    private void onUpcall(MemorySegment segment, long offset, int length, int inPort, int tunnelKey, int reason) {
        counters.count(WorkerCounter.UPCALLS);
        try {
            drainDoor();
            if (tunnelKey == StateMessage.TUNNEL_KEY) {
                state(segment, offset, length, true);
                path.resumeReady();
                return;
            }
            if (tunnelKey == Datapath.PROBE_KEY) {
                probeAnswered(segment, offset, length);
                return;
            }
            if (tunnelKey != 0) {
                counters.count(WorkerCounter.TUNNEL_UPCALLS);
            }
            path.upcall(segment, offset, length, inPort, tunnelKey, reason);
        } catch (RuntimeException | AssertionError | StackOverflowError fault) {
            counters.drop(WorkerDrop.INTERNAL_ERROR);
            fault("a packet", fault);
        }
    }

    private void probeAnswered(MemorySegment segment, long offset, int length) {
        if (ProbeFrame.isAnswer(segment, offset, length)) {
            parts.learnings.probeAnswered(ProbeFrame.token(segment, offset));
        } else {
            counters.drop(WorkerDrop.BAD_STATE);
        }
    }

    /** @param mayHandOn false for what a sibling handed to us already */
    @HotPath
    private void state(MemorySegment segment, long offset, int length, boolean mayHandOn) {
        counters.count(WorkerCounter.STATE_RECEIVED);
        if (StateMessage.check(segment, offset, length) != StateMessage.OK) {
            counters.drop(WorkerDrop.BAD_STATE);
            return;
        }
        boolean guarded = StateMessage.kind(segment, offset) == StateMessage.GUARDED;
        if (mayHandOn && guarded && StateMessage.isSaid(segment, offset)) {
            counters.drop(WorkerDrop.BAD_STATE); // what its VMs say this host hears itself
            return;
        }
        int home = StateMessage.homeHash(segment, offset);
        if (mayHandOn && !parts.siblings.isHome(home)) {
            counters.count(WorkerCounter.HANDED_OVER);
            parts.siblings.handState(home, segment, offset, length);
            return;
        }
        long now = clock.nanoTime();
        switch (StateMessage.kind(segment, offset)) {
            case StateMessage.CONNECTION -> parts.connections.received(segment, offset, now);
            case StateMessage.NEIGHBOUR_ASK -> {
                if (!parts.neighbours.asked(segment, offset, now)) {
                    counters.drop(WorkerDrop.BAD_STATE);
                }
            }
            case StateMessage.GUARDED -> parts.salGuards.received(segment, offset, now);
            case StateMessage.MAC_LEARNED -> parts.macs.told(segment, offset, now);
            default -> parts.neighbours.told(segment, offset, now);
        }
    }

    private void onCommand(Command command) {
        counters.count(WorkerCounter.COMMANDS);
        try {
            updates.apply(command);
        } catch (RuntimeException | AssertionError fault) {
            counters.count(WorkerCounter.FAULTY_COMMANDS);
            fault("command " + command.getClass().getSimpleName(), fault);
        }
        changeNumber = updates.network().changeNumber();
    }

    @HotPath
    private void onFrame(int kind, int inPort, int tunnelKey, MemorySegment segment, long offset, int length) {
        try {
            if (kind == Backchannel.STATE) {
                state(segment, offset, length, false);
            } else {
                path.handedOver(segment, offset, length, inPort);
            }
        } catch (RuntimeException | AssertionError | StackOverflowError fault) {
            counters.drop(WorkerDrop.INTERNAL_ERROR);
            fault("a sibling's frame", fault);
        }
    }

    @HotPath
    private void onParkingEnd(MemorySegment segment, long offset, int length, int port, int inPort, int tunnelKey) {
        counters.drop(WorkerDrop.PARKING_TIMEOUT);
    }

    private void ask(int router, int routerPort, long high, long low, long nowNanos) {
        path.ask(router, routerPort, high, low, nowNanos);
    }

    private void fault(String where, Throwable fault) {
        faults.warn("a fault in " + where + "; the worker goes on", fault);
    }
}
