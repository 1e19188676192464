package dev.weft.agent.control;

import dev.weft.agent.worker.Command;
import dev.weft.agent.worker.Worker;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All workers of this host. Commands of one sender reach each worker in the order they were sent. When a worker has no
 * room the sender waits: a command is never lost, and a worker never waits for the control side. Thread safe.
 */
final class Crew {
    private static final Logger LOG = LoggerFactory.getLogger(Crew.class);
    private static final Duration SETTLE_LIMIT = Duration.ofSeconds(2);
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    private final List<Worker> workers;
    private volatile boolean dismissed;

    Crew(List<Worker> workers) {
        this.workers = List.copyOf(workers);
    }

    List<Worker> workers() {
        return workers;
    }

    void tell(Command command) {
        for (Worker worker : workers) {
            tell(worker, command);
        }
    }

    void tell(Worker worker, Command command) {
        while (!worker.offer(command)) {
            if (dismissed || Thread.currentThread().isInterrupted()) {
                return;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Returns when everything told before is in effect at every worker, or after a while: nobody must hang on one. */
    void settle() {
        var latch = new CountDownLatch(workers.size());
        tell(new Command.Done(latch));
        try {
            if (!dismissed && !latch.await(SETTLE_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("the workers did not settle within {} s; going on", SETTLE_LIMIT.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The change that every worker has switched to. */
    long changeNumber() {
        return workers.stream().mapToLong(Worker::changeNumber).min().orElse(0);
    }

    /** The workers have stopped; nobody waits for them any more. */
    void dismiss() {
        dismissed = true;
    }
}
