package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.base.ServiceId;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.DelayedService;
import dev.weft.topology.Watch;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Services that packets wait for at some host: what this host's workers say of theirs goes into the shared table, and what
 * the table says, of all hosts, to whoever listens.
 */
final class DelayActor extends AbstractBehavior<DelayActor.Command> {
    private static final Duration LOOK = Duration.ofMillis(500);

    sealed interface Command {}

    /** @param taken run when it was taken up */
    record Delayed(int table, ServiceId service, Runnable taken) implements Command {}

    private record Look() implements Command {}

    private record Changed(DelayedService of, boolean delayed, UUID host) implements Command {}

    private final Site site;
    private final StateTable<DelayedService, Integer> table;
    private final Watch watch;
    private final OwnDelays own;

    static Behavior<Command> create(Site site) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new DelayActor(context, timers, site)));
    }

    private DelayActor(ActorContext<Command> context, TimerScheduler<Command> timers, Site site) {
        super(context);
        this.site = site;
        table = site.tables.open(TableKind.DELAYED_SERVICES, TableKind.CLUSTER);
        own = new OwnDelays(table);
        ActorRef<Command> self = context.getSelf();
        watch = table.watch((of, value, host, incarnation, ownerDied) -> self.tell(changed(of, value, host)));
        timers.startTimerWithFixedDelay(new Look(), LOOK);
    }

    private static Changed changed(DelayedService of, @Nullable Integer value, UUID host) {
        return new Changed(of, value != null, host);
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Delayed.class, this::onDelayed)
                .onMessage(Look.class, look -> {
                    own.look(site.clock.nanoTime());
                    return this;
                })
                .onMessage(Changed.class, this::onChanged)
                .onSignal(PostStop.class, stopped -> {
                    watch.close();
                    if (!site.isLeaving()) {
                        table.close();
                    }
                    return this;
                })
                .build();
    }

    private Behavior<Command> onDelayed(Delayed delayed) {
        delayed.taken().run();
        site.network()
                .serviceTableId(delayed.table())
                .ifPresent(id -> own.heard(new DelayedService(id, delayed.service()), site.clock.nanoTime()));
        return this;
    }

    private Behavior<Command> onChanged(Changed changed) {
        UUID of = changed.of().table();
        ServiceId service = changed.of().service();
        site.events.publish(
                changed.delayed()
                        ? new ServiceEvent.Unresolved(of, service, changed.host())
                        : new ServiceEvent.Settled(of, service, changed.host()));
        return this;
    }
}
