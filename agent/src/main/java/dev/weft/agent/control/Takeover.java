package dev.weft.agent.control;

import dev.weft.agent.worker.Command.Adopt;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes over what an earlier agent of this host left in its datapath and its tables: waits until everything is known
 * again, or long enough, has the workers judge the flows, and lets go of what nobody wanted. Not thread safe: touched only
 * by the topology actor, which looks again and again.
 */
final class Takeover {
    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);
    /** So long for the store: then what the earlier agent had read must do. */
    private static final Duration STORE_PATIENCE = Duration.ofSeconds(5);
    /** So long for an interface, once all else is known: then it is gone. */
    private static final Duration PORT_PATIENCE = Duration.ofSeconds(2);

    /** So long for flows that wait for a neighbour's answer or a block of ports. */
    private static final Duration ANSWER_PATIENCE = Duration.ofSeconds(5);

    // Immutable after construction.
    private final Site site;
    private final Plan plan;
    private final long began;
    // Owned by the topology actor.
    private long knownSince;
    private boolean known;
    private Phase phase = Phase.WAITING;
    private @Nullable CountDownLatch round;
    private AtomicInteger waiting = new AtomicInteger();
    private long replacingSince;

    private enum Phase {
        WAITING,
        FIRST_ROUND,
        FURTHER_ROUNDS,
        OVER
    }

    /**
     * What there is to take over.
     *
     * @param wanted false: a datapath made anew, nothing to take over
     * @param storeIsRead whether topology comes from the store, not from the earlier agent
     * @param over called at the end, when what nobody said again may go
     */
    record Plan(boolean wanted, BooleanSupplier storeIsRead, Runnable over) {}

    Takeover(Site site, Plan plan) {
        this.site = site;
        this.plan = plan;
        began = site.clock.nanoTime();
        if (!plan.wanted()) {
            phase = Phase.OVER;
        }
    }

    boolean isOver() {
        return phase == Phase.OVER;
    }

    /** Goes as far as it can. */
    void look() {
        long now = site.clock.nanoTime();
        switch (phase) {
            case WAITING -> {
                if (isKnown(now)) {
                    phase = Phase.FIRST_ROUND;
                    begin(false);
                }
            }
            case FIRST_ROUND -> {
                if (roundIsOver()) {
                    phase = Phase.FURTHER_ROUNDS;
                    replacingSince = now;
                    begin(true);
                }
            }
            case FURTHER_ROUNDS -> {
                if (!roundIsOver()) {
                    return;
                }
                if (waiting.get() == 0 || now - replacingSince > ANSWER_PATIENCE.toNanos()) {
                    phase = Phase.OVER;
                    finish(now);
                } else {
                    begin(true);
                }
            }
            case OVER -> {}
        }
    }

    private boolean isKnown(long now) {
        boolean all = plan.storeIsRead().getAsBoolean()
                && site.readiness.hasTables(site.network().changeNumber());
        if (!known && (all || now - began > STORE_PATIENCE.toNanos())) {
            known = true;
            knownSince = now;
            if (!all) {
                LOG.warn(
                        "the store does not answer: going on with topology and tables as the agent before had them,"
                                + " change {}",
                        site.network().changeNumber());
            }
        }
        return known && (site.readiness.hasPorts() || now - knownSince > PORT_PATIENCE.toNanos());
    }

    private void begin(boolean replace) {
        var latch = new CountDownLatch(site.crew.workers().size());
        round = latch;
        waiting = new AtomicInteger();
        site.crew.tell(new Adopt(replace, waiting, latch));
    }

    private boolean roundIsOver() {
        return round != null && round.getCount() == 0;
    }

    private void finish(long now) {
        int gone = site.datapath.dropUnadopted();
        site.takenOver();
        plan.over().run();
        LOG.info(
                "took over what the agent before left, in {} ms; {} flows went that nothing stood for",
                Duration.ofNanos(now - began).toMillis(),
                gone);
    }
}
