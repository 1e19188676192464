package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.datapath.PortSpec;
import java.time.Duration;

/** One exterior port of this host: waits for its interface and keeps {@link PortKeeper} informed. */
final class PortActor extends AbstractBehavior<PortActor.Command> {
    private static final Duration RETRY = Duration.ofSeconds(1);

    sealed interface Command {}

    /** The port is bound to this interface. */
    record Bound(PortSpec spec) implements Command {}

    /** How the interface is now. The spec tells events of an earlier binding apart. */
    record InterfaceIs(PortSpec spec, Interfaces.Presence presence) implements Command {}

    /** The datapath lost its port. */
    record Lost(int datapathPort) implements Command {}

    private record Retry() implements Command {}

    /** The port is no longer this host's. */
    record Stop() implements Command {}

    private final PortKeeper keeper;
    private final TimerScheduler<Command> timers;
    private final Site site;
    private Interfaces.Subscription subscription = () -> {};

    static Behavior<Command> create(PortKeeper keeper, Site site) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new PortActor(context, timers, keeper, site)));
    }

    private PortActor(ActorContext<Command> context, TimerScheduler<Command> timers, PortKeeper keeper, Site site) {
        super(context);
        this.timers = timers;
        this.keeper = keeper;
        this.site = site;
        watch();
        show();
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Bound.class, this::onBound)
                .onMessage(InterfaceIs.class, this::onInterface)
                .onMessage(Lost.class, lost -> {
                    keeper.lost(lost.datapathPort());
                    return settled();
                })
                .onMessage(Retry.class, retry -> {
                    keeper.attach();
                    return settled();
                })
                .onMessage(Stop.class, stop -> Behaviors.stopped())
                .onSignal(PostStop.class, stopped -> {
                    subscription.close();
                    if (!site.isLeaving()) {
                        keeper.detach();
                    }
                    site.board.remove(keeper.spec().id());
                    site.readiness.forgetPort(keeper.spec().id());
                    return this;
                })
                .build();
    }

    private Behavior<Command> onBound(Bound bound) {
        if (!bound.spec().equals(keeper.spec())) {
            subscription.close();
            keeper.move(bound.spec());
            watch();
        }
        return settled();
    }

    private Behavior<Command> onInterface(InterfaceIs event) {
        if (event.spec().equals(keeper.spec())) {
            keeper.interfaceIs(event.presence());
        }
        return settled();
    }

    private Behavior<Command> settled() {
        if (keeper.wantsRetry()) {
            timers.startSingleTimer(new Retry(), RETRY);
        }
        show();
        return this;
    }

    private void watch() {
        ActorRef<Command> self = getContext().getSelf();
        PortSpec spec = keeper.spec();
        subscription = site.interfaces.watch(
                spec.namespace(), spec.interfaceName(), presence -> self.tell(new InterfaceIs(spec, presence)));
    }

    private void show() {
        site.readiness.portIs(keeper.spec().id(), keeper.datapathPort() != PortKeeper.NONE);
        site.board.put(
                keeper.spec().id(),
                new PortBoard.Entry(keeper.spec(), keeper.datapathPort(), keeper.tunnelKey(), keeper.state()));
    }
}
