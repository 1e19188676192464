package dev.weft.agent.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import dev.weft.sim.VirtualNetwork;
import dev.weft.topology.StateTable;
import dev.weft.topology.TableKind;
import dev.weft.topology.TableKind.TunnelTarget;
import dev.weft.topology.TopologySnapshot;
import dev.weft.topology.Watch;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Everybody's tunnel keys and addresses: follows the table and keeps {@link FabricMirror} informed. */
final class FabricActor extends AbstractBehavior<FabricActor.Command> {
    sealed interface Command {}

    /** The workers were told of this network. */
    record NetworkChanged(VirtualNetwork network, TopologySnapshot snapshot) implements Command {}

    /** A host chose a key; null: it has none any more. */
    private record KeyChanged(TunnelTarget target, @Nullable Integer key, boolean ownerDied) implements Command {}

    private record Release() implements Command {}

    /** All keys there were have been told. */
    private record TableRead() implements Command {}

    private final Site site;
    private final TimerScheduler<Command> timers;
    private final FabricMirror mirror;
    private final Hold<TunnelTarget> hold;
    private final Watch watch;

    static Behavior<Command> create(Site site, StateTable<TunnelTarget, Integer> keys) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new FabricActor(context, timers, site, keys)));
    }

    private FabricActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Site site,
            StateTable<TunnelTarget, Integer> keys) {
        super(context);
        this.site = site;
        this.timers = timers;
        mirror = new FabricMirror(site.host, site.datapath, site.crew::tell);
        hold = new Hold<>(site.options.deletionHold().toNanos());
        ActorRef<Command> self = context.getSelf();
        site.readiness.expectTable(TableKind.CLUSTER);
        watch = keys.watch(new StateTable.Listener<>() {
            @Override
            public void changed(
                    TunnelTarget target, @Nullable Integer key, UUID host, long incarnation, boolean ownerDied) {
                self.tell(new KeyChanged(target, key, ownerDied));
            }

            @Override
            public void ready() {
                self.tell(new TableRead());
            }
        });
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(NetworkChanged.class, changed -> {
                    mirror.topology(changed.network(), changed.snapshot());
                    site.readiness.tableFollows(
                            TableKind.CLUSTER, changed.network().changeNumber());
                    return shown();
                })
                .onMessage(TableRead.class, read -> {
                    site.readiness.tableRead(TableKind.CLUSTER);
                    return this;
                })
                .onMessage(KeyChanged.class, this::onKey)
                .onMessage(Release.class, release -> {
                    hold.release(site.clock.nanoTime(), this::gone);
                    return shown();
                })
                .onSignal(PostStop.class, stopped -> {
                    watch.close();
                    return this;
                })
                .build();
    }

    private Behavior<Command> onKey(KeyChanged changed) {
        TunnelTarget target = changed.target();
        if (target.host().equals(site.host)) {
            return this;
        }
        hold.forget(target);
        if (changed.key() != null) {
            known(target, changed.key());
        } else if (changed.ownerDied()) {
            hold.add(target, site.clock.nanoTime());
            timers.startSingleTimer(target, new Release(), site.options.release());
        } else {
            gone(target);
        }
        return shown();
    }

    private Behavior<Command> shown() {
        site.fabric.show(mirror.counts());
        return this;
    }

    private void known(TunnelTarget target, int key) {
        switch (target.what()) {
            case PORT -> mirror.portKey(new FabricMirror.Location(target.id(), target.host()), key);
            case FLOOD -> mirror.floodKey(floodId(target), key);
        }
    }

    private static FabricMirror.FloodId floodId(TunnelTarget target) {
        return new FabricMirror.FloodId(target.id(), target.vlan(), target.host());
    }

    private void gone(TunnelTarget target) {
        switch (target.what()) {
            case PORT -> mirror.portGone(new FabricMirror.Location(target.id(), target.host()));
            case FLOOD -> mirror.floodGone(floodId(target));
        }
    }
}
