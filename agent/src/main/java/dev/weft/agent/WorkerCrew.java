package dev.weft.agent;

import dev.weft.agent.worker.Backchannel;
import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.Learnings;
import dev.weft.agent.worker.Worker;
import dev.weft.agent.worker.WorkerSetup;
import dev.weft.base.NanoClock;
import dev.weft.datapath.Datapath;
import dev.weft.sim.Tables;
import dev.weft.state.ConnectionTable;
import dev.weft.state.Lifetimes;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The workers of one host, each on a thread of its own, and the memory they use. Thread safe. */
final class WorkerCrew implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerCrew.class);
    private static final int FRAME_BYTES = 1 << 20;
    private static final int REPLIES_PER_ERROR = 10;
    private static final Duration END = Duration.ofSeconds(5);

    private final List<Worker> workers;
    private final List<Thread> threads = new ArrayList<>();
    private final Arena arena;

    private WorkerCrew(List<Worker> workers, Arena arena) {
        this.workers = workers;
        this.arena = arena;
    }

    /**
     * @param tunnelMtu longest frame that fits the tunnel; 0: unknown
     * @param epoch of the connections they create
     * @param seed of their hash tables
     */
    static WorkerCrew start(
            AgentConfig config, Datapath datapath, int tunnelMtu, int epoch, long seed, Learnings learnings) {
        Arena arena = Arena.ofShared();
        int count = datapath.workers();
        var doors = new Backchannel[count];
        for (int i = 0; i < count; i++) {
            doors[i] = new Backchannel(config.limits().backchannel(), FRAME_BYTES, datapath.worker(i)::wakeUp);
        }
        var journals = new Journals(config.stateDir());
        var workers = new ArrayList<Worker>();
        for (int i = 0; i < count; i++) {
            var setup = new WorkerSetup(
                    i,
                    count,
                    datapath.worker(i),
                    config.underlay(),
                    tunnelMtu,
                    NanoClock.SYSTEM,
                    Lifetimes.STANDARD,
                    epoch,
                    seed,
                    limits(config.limits(), count),
                    learnings,
                    journals.create(i, config.limits().connections(), arena));
            workers.add(new Worker(setup, doors, arena));
        }
        journals.restore(workers);
        journals.removeBeyond(count);
        SalJournals.open(config.stateDir(), workers, arena);
        var crew = new WorkerCrew(workers, arena);
        crew.run();
        return crew;
    }

    private static WorkerSetup.Limits limits(AgentConfig.Limits limits, int workers) {
        return new WorkerSetup.Limits(
                Math.max(1, limits.flows() / workers),
                limits.flowIdle().toNanos(),
                new ConnectionTable.Limits(limits.connections(), limits.connectionsPerPort(), limits.statefulPorts()),
                Tables.Limits.STANDARD,
                limits.parked(),
                limits.parkedPerPort(),
                limits.neighbours(),
                limits.errorsPerSecond(),
                REPLIES_PER_ERROR * limits.errorsPerSecond(),
                limits.macsPerPort(),
                limits.backchannel(),
                limits.ruleLogs(),
                FRAME_BYTES);
    }

    private void run() {
        for (int i = 0; i < workers.size(); i++) {
            threads.add(Thread.ofPlatform().name("worker-" + i).daemon().start(workers.get(i)::run));
        }
    }

    /**
     * What to run when what fits the tunnel may have changed: looks, and tells the workers if it has.
     *
     * @param looked the longest frame that fits the tunnel now; called by whoever runs this
     * @param changed called after the workers were told
     */
    Runnable followMtu(IntSupplier looked, Runnable changed) {
        var told = new AtomicInteger(looked.getAsInt());
        return () -> {
            int now = looked.getAsInt();
            if (told.get() != now && workers.stream().allMatch(worker -> worker.offer(new Command.TunnelMtu(now)))) {
                LOG.info("frames of up to {} octets fit the tunnel now, before {}", now, told.getAndSet(now));
                changed.run();
            }
        };
    }

    List<Worker> workers() {
        return workers;
    }

    /** Ends the threads; no frame is handled after it returns. */
    @Override
    public void close() {
        threads.forEach(Thread::interrupt);
        boolean ended = true;
        for (Thread thread : threads) {
            ended &= ended(thread);
        }
        if (ended) {
            arena.close();
        } else {
            LOG.error("a worker does not end; its memory stays");
        }
    }

    private static boolean ended(Thread thread) {
        try {
            return thread.join(END);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
