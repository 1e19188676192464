package dev.weft.agent.control;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import dev.weft.agent.worker.Command.BlockGranted;
import dev.weft.agent.worker.Command.BlocksExhausted;
import dev.weft.sim.NatPool;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gets blocks of public ports for workers that are short of them. */
final class BlockActor extends AbstractBehavior<BlockActor.Command> {
    private static final Logger LOG = LoggerFactory.getLogger(BlockActor.class);
    /** How long a pool without free blocks is not asked again for packets that wait. */
    private static final Duration REST = Duration.ofSeconds(1);

    sealed interface Command {}

    /** A worker is out of ports of the pool, or soon will be. */
    record Wanted(long pool, int worker, boolean ahead) implements Command {}

    private record Answered(
            Wanted wanted,
            NatPool pool,
            Optional<BlockClaims.Grant> grant,
            @Nullable Throwable failure) implements Command {}

    private final Site site;
    private final BlockClaims claims;
    private final Set<Wanted> underWay = new HashSet<>();
    private final Set<Long> exhausted = new HashSet<>();
    private final Set<Long> unanswered = new HashSet<>();

    static Behavior<Command> create(Site site, BlockClaims claims) {
        return Behaviors.setup(context -> new BlockActor(context, site, claims));
    }

    private BlockActor(ActorContext<Command> context, Site site, BlockClaims claims) {
        super(context);
        this.site = site;
        this.claims = claims;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Wanted.class, this::onWanted)
                .onMessage(Answered.class, this::onAnswered)
                .build();
    }

    private Behavior<Command> onWanted(Wanted wanted) {
        Optional<NatPool> pool = site.network().natPool(wanted.pool());
        if (pool.isPresent() && underWay.add(wanted)) {
            getContext()
                    .pipeToSelf(
                            claims.claim(pool.get(), wanted.worker(), wanted.ahead()),
                            (grant, failure) -> new Answered(
                                    wanted, pool.get(), grant == null ? Optional.empty() : grant, failure));
        }
        return this;
    }

    private Behavior<Command> onAnswered(Answered answer) {
        Wanted wanted = answer.wanted();
        underWay.remove(wanted);
        if (answer.grant().isPresent()) {
            BlockClaims.Grant grant = answer.grant().get();
            exhausted.remove(wanted.pool());
            unanswered.remove(wanted.pool());
            site.crew.tell(
                    site.crew.workers().get(wanted.worker()),
                    new BlockGranted(
                            wanted.pool(),
                            grant.address().high(),
                            grant.address().low(),
                            grant.first(),
                            grant.count()));
        } else if (answer.failure() != null) {
            // Whether there are ports is not known: what waits goes on waiting, and the worker asks again.
            if (unanswered.add(wanted.pool())) {
                LOG.warn(
                        "the store does not say which public ports of nat '{}' are free; new connections that need some"
                                + " wait until it does",
                        answer.pool().name());
            }
        } else if (!wanted.ahead()) {
            unanswered.remove(wanted.pool());
            if (exhausted.add(wanted.pool())) {
                LOG.warn(
                        "no public ports are left for nat '{}'; new connections are refused: add addresses to it",
                        answer.pool().name());
            }
            site.crew.tell(
                    site.crew.workers().get(wanted.worker()), new BlocksExhausted(wanted.pool(), REST.toNanos()));
        }
        return this;
    }
}
